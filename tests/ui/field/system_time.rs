//! A time to the nanosecond is an identifier.

use automagik_telemetry::Event;
use std::time::SystemTime;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: SystemTime,
}

fn main() {}
