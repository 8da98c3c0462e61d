//! A generic field, and a text put into it.

use automagik_telemetry::{Event, Schema};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded<T> {
    contact: T,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    ContactAdded(ContactAdded<String>),
}

fn main() {}
