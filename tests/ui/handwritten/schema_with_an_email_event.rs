//! A schema by hand: its checks are not its own.

use automagik_telemetry::event::{EventDescriptor, Ordinals};
use automagik_telemetry::schema::Checked;
use automagik_telemetry::{Schema, Severity};

struct App;

impl Schema for App {
    const ORGANIZATION: &'static str = "automagik";
    const PROJECT: &'static str = "app";
    const VERSION: &'static str = "1.0.0";
    const EVENTS: &'static [EventDescriptor] =
        &[EventDescriptor { name: "contact.alice@example.org", severity: Severity::Info, fields: &[] }];

    fn position(&self) -> (u16, Ordinals) {
        (0, Ordinals::new([]))
    }
}

fn main() {
    let _ = Checked::<App>::DESCRIPTOR;
}
