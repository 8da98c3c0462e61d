//! The way past, with no reason given.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    #[event(harmless = "")]
    email: Count<1000>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
