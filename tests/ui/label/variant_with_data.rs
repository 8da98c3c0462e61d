//! A word and what was typed.

use automagik_telemetry::Label;

#[derive(Label)]
enum Command {
    List,
    Create(String),
}

fn main() {}
