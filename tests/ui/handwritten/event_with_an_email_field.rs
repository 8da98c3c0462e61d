//! An implementation by hand with a field that asks for an address.

use automagik_telemetry::event::{EventDescriptor, Ordinals, field};
use automagik_telemetry::{Count, Event, Schema, Severity};

struct ContactAdded;

impl Event for ContactAdded {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "app.contact.added",
        severity: Severity::Info,
        fields: &[field::<Count<1000>>("email")],
    };

    fn ordinals(&self) -> Ordinals {
        Ordinals::new([0])
    }
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Added(ContactAdded),
}

fn main() {}
