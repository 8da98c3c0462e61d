//! A field that asks for a number under another name.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    #[event(name = "contact.phone")]
    kind: Count<1000>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
