//! An identifier.

use automagik_telemetry::Event;
use uuid::Uuid;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: Uuid,
}

fn main() {}
