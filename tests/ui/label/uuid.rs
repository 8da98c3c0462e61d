//! An identifier.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("123e4567-e89b-12d3-a456-426614174000")]
    Mine,
}

fn main() {}
