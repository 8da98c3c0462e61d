//! Fields without names.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded(Count<9>);

fn main() {
    let _ = Count::<1>::new(0);
}
