//! A label written by hand, for who wants no derive.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Clone, Copy)]
struct Level(u8);

impl Label for Level {
    const WORDS: &'static [&'static str] = &["low", "high"];

    fn ordinal(&self) -> u32 {
        u32::from(self.0 > 9)
    }
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Used(FeatureUsed<Level>),
}

fn main() {
    let _ = App::Used(FeatureUsed { feature: Level(3) });
}
