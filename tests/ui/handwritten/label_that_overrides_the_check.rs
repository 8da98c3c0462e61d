//! An implementation by hand that tries to bring its own check: there is nothing to override.

use automagik_telemetry::Label;

struct Place;

impl Label for Place {
    const WORDS: &'static [&'static str] = &["alice@example.org"];
    const CHECKED: () = ();

    fn ordinal(&self) -> u32 {
        0
    }
}

fn main() {}
