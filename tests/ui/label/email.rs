//! Somebody's address.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("alice@example.org")]
    Mine,
}

fn main() {}
