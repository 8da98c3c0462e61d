//! A path holds the user's name.

use automagik_telemetry::Event;
use std::path::PathBuf;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: PathBuf,
}

fn main() {}
