//! A word made while the program runs.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label(format!("{}", 1))]
    Mine,
}

fn main() {}
