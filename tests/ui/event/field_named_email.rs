//! A field that asks for an address.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    email: Count<1000>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
