//! An argument of the command line.

use automagik_telemetry::Event;
use std::ffi::OsString;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: OsString,
}

fn main() {}
