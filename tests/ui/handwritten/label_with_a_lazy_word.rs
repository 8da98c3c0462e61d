//! An implementation by hand that would make a word once.

use automagik_telemetry::{FeatureUsed, Label, Schema};

use std::sync::LazyLock;

static NAME: LazyLock<String> = LazyLock::new(|| std::env::args().collect());

struct Place;

impl Label for Place {
    const WORDS: &'static [&'static str] = &[&NAME];

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
