//! Nothing.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("")]
    Mine,
}

fn main() {}
