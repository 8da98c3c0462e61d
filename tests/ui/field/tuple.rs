//! Two fields in one.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: (bool, bool),
}

fn main() {}
