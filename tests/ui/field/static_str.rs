//! "It is static, so it is fine": a leaked box is static, too.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: &'static str,
}

fn main() {}
