//! A text that somebody else holds.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded<'a> {
    contact: &'a str,
}

fn main() {}
