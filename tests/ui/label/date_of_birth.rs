//! Somebody's birthday.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("1990-05-04")]
    Mine,
}

fn main() {}
