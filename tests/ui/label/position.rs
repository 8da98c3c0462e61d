//! Somebody's position.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("52.5200,13.4050")]
    Mine,
}

fn main() {}
