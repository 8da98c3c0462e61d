//! A sender around a sender: shows on standard error what goes out, decoded back from the bytes.
//! Policy: "Verbose Mode".

use crate::decode;
use crate::person::organization::Organization;
use crate::send::body;
use crate::send::failure::Failure;
use automagik_telemetry_core::otlp::{Body, Signal};
use automagik_telemetry_core::{Outcome, Sender};
use std::io::Write;
use std::time::{Duration, Instant};

/// The person's setting: `ACME_TELEMETRY_VERBOSE`.
pub const VERBOSE: &str = "VERBOSE";

/// How long a program that shows what it sends waits for that in the end, where it would not have waited.
pub(crate) const WAIT_AT_EXIT: Duration = Duration::from_secs(2);

/// Shows every request on `output` before `sender` sends it.
pub(crate) struct Verbose<S, W> {
    pub(crate) sender: S,
    pub(crate) output: Option<W>,
    /// Where logs and metrics go, as it may be shown.
    pub(crate) logs: String,
    pub(crate) metrics: String,
    /// Whose variables a remedy names.
    pub(crate) organization: Organization,
}

/// A sender that knows why its last request was not taken.
pub(crate) trait Explains {
    fn failure(&self) -> Option<Failure>;
}

impl<S: Sender + Explains, W: Write> Sender for Verbose<S, W> {
    async fn send(&mut self, signal: Signal, body: &mut dyn Body) -> Outcome {
        let started = Instant::now();
        if let Some(output) = &mut self.output {
            if let Ok(bytes) = body::to_vec(body) {
                // A closed standard error is no reason to fail.
                let to = match signal {
                    Signal::Logs => &self.logs,
                    Signal::Metrics => &self.metrics,
                };
                let _ = output.write_all(shown(signal, &bytes, to).as_bytes());
                let _ = output.flush();
            }
            body.rewind();
        }
        let outcome = self.sender.send(signal, body).await;
        if let Some(output) = &mut self.output {
            let became = became(outcome, self.sender.failure(), self.organization, started.elapsed());
            let _ = output.write_all(became.as_bytes());
            let _ = output.flush();
        }
        outcome
    }
}

/// What became of a request, and what to do about it.
fn became(outcome: Outcome, failure: Option<Failure>, organization: Organization, took: Duration) -> String {
    let then = match outcome {
        Outcome::Retry { after_seconds: Some(seconds) } => {
            format!(" The events are kept; the collector wants no request for {seconds} seconds.")
        }
        Outcome::Retry { after_seconds: None } => " The events are kept, and sent again later.".to_owned(),
        Outcome::TooLarge => " The events are sent again in smaller requests.".to_owned(),
        Outcome::Refused | Outcome::PartlyRefused(_) => " The dropped events are counted.".to_owned(),
        Outcome::Accepted => String::new(),
    };
    match failure {
        None => format!("[Telemetry] Taken, in {} ms.\n", took.as_millis()),
        Some(failure) => {
            format!(
                "[Telemetry] Not taken: {failure}.{then}\n[Telemetry] What to do: {}.\n",
                failure.remedy(organization)
            )
        }
    }
}

/// A request as the policy shows it, under where it goes.
fn shown(signal: Signal, bytes: &[u8], to: &str) -> String {
    let what = match signal {
        Signal::Logs => "event",
        Signal::Metrics => "metric",
    };
    let Some(events) = decode::sent(signal, bytes) else {
        return format!("[Telemetry] Sending {} bytes that can't be shown to {to}\n", bytes.len());
    };
    let mut text = format!("[Telemetry] To {to}:\n");
    for sent in events {
        text.push_str(&format!("[Telemetry] Sending {what}: {}\n", sent.event));
        text.push_str(&serde_json::to_string_pretty(&sent.json).unwrap_or_default());
        text.push('\n');
    }
    text
}
