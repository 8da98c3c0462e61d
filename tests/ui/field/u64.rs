//! A number at will holds a phone number.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: u64,
}

fn main() {}
