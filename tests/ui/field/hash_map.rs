//! Anything under any key.

use automagik_telemetry::Event;
use std::collections::HashMap;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: HashMap<String, String>,
}

fn main() {}
