//! An enum is a schema.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
enum Contact {
    Added,
    Removed,
}

fn main() {
    let _ = Count::<1>::new(0);
}
