//! What unit tests share.

use automagik_telemetry_core::Consent;
use automagik_telemetry_core::consent::{Answer, Signals, decide};
use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
use automagik_telemetry_core::schema::Schema;

/// A program that could send one event, which has no field.
pub(crate) struct App;

impl Schema for App {
    const ORGANIZATION: &'static str = "automagik";
    const PROJECT: &'static str = "app";
    const VERSION: &'static str = "1.0.0";
    const EVENTS: &'static [EventDescriptor] = &[EventDescriptor {
        name: "app.started",
        severity: automagik_telemetry_core::Severity::Info,
        fields: &[],
    }];
    fn position(&self) -> (u16, Ordinals) {
        (0, Ordinals::new([]))
    }
}

/// That of somebody who said yes.
pub(crate) fn consent() -> Consent {
    decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap()
}

/// Where the records of tests are meant to go.
pub(crate) const DESTINATIONS: crate::kept::spool::Destinations =
    crate::kept::spool::Destinations { logs: 1, metrics: 1 };
