//! A hash of something personal.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: [u8; 32],
}

fn main() {}
