//! A name that collectors would not group.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "ContactAdded")]
struct ContactAdded {
    count: Count<9>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
