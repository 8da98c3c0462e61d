//! An implementation by hand, with an address among its words.

use automagik_telemetry::{FeatureUsed, Label, Schema};

struct Place;

impl Label for Place {
    const WORDS: &'static [&'static str] = &["home", "alice@example.org"];

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
