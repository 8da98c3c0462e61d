//! A struct is no list of words.

use automagik_telemetry::Label;

#[derive(Label)]
struct Contact {
    name: String,
}

fn main() {}
