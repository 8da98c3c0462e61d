//! What a person wants to know first: is it on, why, and where do data go.

use crate::endpoint::Endpoint;
use automagik_telemetry_core::consent::Decision;
use automagik_telemetry_core::otlp::Signal;
use std::fmt;
use std::path::PathBuf;

/// Whether telemetry is on and why, where data go, and where they wait. `Display` is for a terminal.
///
/// ```
/// # use automagik_telemetry_std::{Environment, Telemetry};
/// # use automagik_telemetry_core::{FeatureUsed, Label};
/// # use automagik_telemetry_derive::{Label, Schema};
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// # #[derive(Label, Clone, Copy)]
/// # enum Feature { ListContacts }
/// # #[derive(Schema)]
/// # #[schema(project = "omni")]
/// # enum Omni { FeatureUsed(FeatureUsed<Feature>) }
/// let nothing_said = Environment::at("/nonexistent");
/// let telemetry = Telemetry::<Omni>::builder().environment(nothing_said).start();
/// assert_eq!(telemetry.status().to_string(), "Telemetry is off: nobody has agreed to it.\n");
/// ```
#[derive(Clone, Debug)]
pub struct Status {
    pub(crate) decision: Decision,
    pub(crate) routes: Option<Routes>,
}

/// The ways of what is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    pub(crate) logs: Endpoint,
    pub(crate) metrics: Endpoint,
    pub(crate) spool: Option<PathBuf>,
}

impl Status {
    /// Whether telemetry is on, and which signal decided.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Where events go; `None` where nothing is sent.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.routes.as_ref().map(|routes| &routes.logs)
    }

    /// Whether what is sent could be read on its way: it is not encrypted, and leaves this machine.
    #[must_use]
    pub fn is_readable_on_its_way(&self) -> bool {
        self.routes.as_ref().is_some_and(|routes| is_readable(&routes.logs) || is_readable(&routes.metrics))
    }
}

fn is_readable(endpoint: &Endpoint) -> bool {
    !endpoint.is_encrypted() && !endpoint.is_loopback()
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = self.decision.because().sentence();
        let Some(routes) = &self.routes else {
            return if self.decision.enabled() {
                writeln!(f, "Telemetry is off: {because}, but it could not start.")
            } else {
                writeln!(f, "Telemetry is off: {because}.")
            };
        };
        writeln!(f, "Telemetry is on: {because}.")?;
        writeln!(f, "Events go to {}.", routes.logs.url(Signal::Logs).origin().ascii_serialization())?;
        if routes.metrics != routes.logs {
            let metrics = routes.metrics.url(Signal::Metrics).origin().ascii_serialization();
            writeln!(f, "Counts and durations go to {metrics}.")?;
        }
        if self.is_readable_on_its_way() {
            writeln!(f, "WARNING: that is http to another machine: it can be read on its way. Use https.")?;
        }
        match &routes.spool {
            Some(folder) => writeln!(f, "Until they are delivered they wait in {}.", folder.display()),
            None => writeln!(f, "There is no folder for them to wait in: they wait in memory."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use automagik_telemetry_core::consent::{Answer, Signals, decide};

    fn status(endpoint: &str) -> Status {
        let endpoint = Endpoint::parse(endpoint).unwrap();
        Status {
            decision: decide(&Signals { variable: Answer::Yes, ..Signals::default() }),
            routes: Some(Routes { logs: endpoint.clone(), metrics: endpoint, spool: Some("/spool".into()) }),
        }
    }

    #[test]
    fn plain_http_to_another_machine_is_warned_of() {
        for (endpoint, warned) in [
            ("http://collector.example", true),
            ("http://10.0.0.1:4318", true),
            ("https://collector.example", false),
            ("http://localhost:4318", false),
            ("http://[::1]:4318", false),
        ] {
            assert_eq!(status(endpoint).to_string().contains("WARNING"), warned, "{endpoint}");
        }
    }

    #[test]
    fn it_says_why_and_where_and_shows_no_password() {
        let shown = status("https://alice:hunter2@collector.example/x").to_string();
        let expected = "Telemetry is on: AUTOMAGIK_TELEMETRY_ENABLED says yes.\n\
                        Events go to https://collector.example.\n\
                        Until they are delivered they wait in /spool.\n";
        assert_eq!(shown, expected);
    }
}
