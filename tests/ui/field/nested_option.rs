//! Absence within absence.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: Option<Option<bool>>,
}

fn main() {}
