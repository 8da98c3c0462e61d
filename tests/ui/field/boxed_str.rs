//! A text on the heap.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: Box<str>,
}

fn main() {}
