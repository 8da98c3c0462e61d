//! A text that may be borrowed.

use automagik_telemetry::Event;
use std::borrow::Cow;

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    contact: Cow<'static, str>,
}

fn main() {}
