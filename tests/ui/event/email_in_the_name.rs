//! A name with a person in it.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "contact.alice@example.org")]
struct ContactAdded {
    count: Count<9>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
