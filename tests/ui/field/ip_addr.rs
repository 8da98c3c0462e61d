//! An address.

use automagik_telemetry::Event;
use std::net::IpAddr;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: IpAddr,
}

fn main() {}
