//! A number at will holds an account.

use automagik_telemetry::Event;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: i64,
}

fn main() {}
