//! An address with a port.

use automagik_telemetry::Event;
use std::net::SocketAddr;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: SocketAddr,
}

fn main() {}
