//! A severity that OTLP does not know.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added", severity = "urgent")]
struct ContactAdded {
    count: Count<9>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
