//! A list has no bound.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: Vec<bool>,
}

fn main() {}
