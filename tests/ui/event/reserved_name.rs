//! A name in OpenTelemetry's own namespace.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "otel.contact.added")]
struct ContactAdded {
    count: Count<9>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
