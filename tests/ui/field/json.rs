//! Whatever there is.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: serde_json::Value,
}

fn main() {}
