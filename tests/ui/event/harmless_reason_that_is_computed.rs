//! The way past, with a reason nobody can read.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    #[event(harmless = concat!("a", "b"))]
    email: Count<1000>,
}

fn main() {
    let _ = Count::<1>::new(0);
}
