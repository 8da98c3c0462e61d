//! An optional text is a text.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: Option<String>,
}

fn main() {}
