//! A document and not an event.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    f0: bool,
    f1: bool,
    f2: bool,
    f3: bool,
    f4: bool,
    f5: bool,
    f6: bool,
    f7: bool,
    f8: bool,
    f9: bool,
    f10: bool,
    f11: bool,
    f12: bool,
}

fn main() {
    let _ = Count::<1>::new(0);
}
