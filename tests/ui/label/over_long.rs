//! A text and not a word.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("the quick brown fox jumps over the lazy dog and runs off into the woods")]
    Mine,
}

fn main() {}
