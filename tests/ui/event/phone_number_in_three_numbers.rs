//! Three parts of a phone number.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.caller.seen")]
struct Seen {
    a: Count<0xF_FFFF>,
    b: Option<Count<0xF_FFF>>,
    c: Count<999>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
