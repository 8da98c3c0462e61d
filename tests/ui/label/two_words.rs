//! Two words for one thing.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("a")]
    #[label("b")]
    Mine,
}

fn main() {}
