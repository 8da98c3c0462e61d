//! A word that stands elsewhere.

use automagik_telemetry::Label;

const NAME: &str = "contact";
#[derive(Label)]
enum Place {
    Known,
    #[label(NAME)]
    Mine,
}

fn main() {}
