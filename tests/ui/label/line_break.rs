//! A text of two lines.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("first\nsecond")]
    Mine,
}

fn main() {}
