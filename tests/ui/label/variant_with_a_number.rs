//! A word and an identifier.

use automagik_telemetry::Label;

#[derive(Label)]
enum Command {
    List,
    Show { id: u64 },
}

fn main() {}
