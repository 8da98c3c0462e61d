//! Two halves of an IPv4 address.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.peer.seen")]
struct Seen {
    hi: Count<65_535>,
    lo: Count<65_535>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
