//! Four wide numbers hold 80 bits: more than an address.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    a: Count<1_000_000>,
    b: Count<1_000_000>,
    c: Count<1_000_000>,
    d: Count<1_000_000>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
