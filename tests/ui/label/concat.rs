//! A word that nobody can read in the source.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label(concat!("con", "tact"))]
    Mine,
}

fn main() {}
