//! An array of words spells a text.

use automagik_telemetry::{Event, Label};

#[derive(Label)]
enum Letter {
    A,
    B,
}

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: [Letter; 100],
}

fn main() {}
