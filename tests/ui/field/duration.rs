//! An exact duration: `Milliseconds` tells a class.

use automagik_telemetry::Event;
use std::time::Duration;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: Duration,
}

fn main() {}
