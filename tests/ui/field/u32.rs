//! A number at will holds an IPv4 address.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: u32,
}

fn main() {}
