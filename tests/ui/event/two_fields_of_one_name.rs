//! One key for two values.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    #[event(name = "count")]
    contacts: Count<9>,
    count: Count<9>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
