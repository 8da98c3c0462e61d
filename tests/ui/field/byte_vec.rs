//! A text by another name.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: Vec<u8>,
}

fn main() {}
