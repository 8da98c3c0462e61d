//! A word that looks like another.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("cоntact")]
    Mine,
}

fn main() {}
