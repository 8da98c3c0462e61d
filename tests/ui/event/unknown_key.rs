//! A key that is none.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added", title = "x")]
struct ContactAdded {
    count: Count<9>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
