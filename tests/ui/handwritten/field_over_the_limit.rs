//! An implementation by hand of a field that holds any IPv4 address.

use automagik_telemetry::field::{Domain, Values};
use automagik_telemetry::{Event, Field};

struct Address(u32);

impl Field for Address {
    const DOMAIN: Domain = Domain::new(Values::Range { first: 0, last: u32::MAX });

    fn ordinal(&self) -> u32 {
        self.0
    }
}

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    origin: Address,
}

fn main() {}
