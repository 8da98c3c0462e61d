//! A field that asks for a person.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    user_id: Count<1000>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
