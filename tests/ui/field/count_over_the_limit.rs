//! A count so wide that it holds the last digits of a phone number.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contacts: Count<4_000_000>,
}

fn main() {}
