//! Coordinates are two of these.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: f64,
}

fn main() {}
