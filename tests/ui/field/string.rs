//! A name somebody typed.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: String,
}

fn main() {}
