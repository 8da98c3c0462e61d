//! An implementation by hand that would make a word while the program runs.

use automagik_telemetry::{FeatureUsed, Label, Schema};

fn leak() -> &'static str {
    Box::leak(std::env::args().collect::<String>().into_boxed_str())
}

struct Place;

impl Label for Place {
    const WORDS: &'static [&'static str] = &[leak()];

    fn ordinal(&self) -> u32 {
        0
    }
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Used(FeatureUsed<Place>),
}

fn main() {
    let _ = FeatureUsed { feature: Place };
}
