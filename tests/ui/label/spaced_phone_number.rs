//! Somebody's number, as people write it.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("+55 (11) 98765-4321")]
    Mine,
}

fn main() {}
