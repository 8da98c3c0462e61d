//! An event without a name.

use automagik_telemetry::{Count, Event};

#[derive(Event)]

struct ContactAdded {
    count: Count<9>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
