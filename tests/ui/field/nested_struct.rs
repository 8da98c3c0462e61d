//! A struct with whatever in it.

use automagik_telemetry::Event;

struct Contact {
    _name: String,
}

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: Contact,
}

fn main() {}
