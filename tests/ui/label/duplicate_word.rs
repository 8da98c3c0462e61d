//! One word for two things.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    #[label("contact")]
    A,
    #[label("contact")]
    B,
}

fn main() {}
