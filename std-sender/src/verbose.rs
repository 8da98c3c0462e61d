//! A sender around a sender: shows on standard error what goes out, decoded back from the bytes.
//! Policy: "Verbose Mode".

use crate::decode;
use automagik_telemetry_core::otlp::{self, Body, Signal};
use automagik_telemetry_core::{Outcome, Sender};
use std::io::Write;

/// The person's setting.
pub const VERBOSE: &str = "AUTOMAGIK_TELEMETRY_VERBOSE";

/// Shows every request on `output` before `sender` sends it.
pub(crate) struct Verbose<S, W> {
    pub(crate) sender: S,
    pub(crate) output: Option<W>,
}

impl<S: Sender, W: Write> Sender for Verbose<S, W> {
    async fn send(&mut self, signal: Signal, body: &mut dyn Body) -> Outcome {
        if let Some(output) = &mut self.output {
            let mut bytes = vec![0; body.len()];
            if otlp::to_slice(body, &mut bytes).is_ok() {
                // A closed standard error is no reason to fail.
                let _ = output.write_all(shown(signal, &bytes).as_bytes());
                let _ = output.flush();
            }
            body.rewind();
        }
        self.sender.send(signal, body).await
    }
}

/// A request as the policy shows it.
fn shown(signal: Signal, bytes: &[u8]) -> String {
    let (what, decoded) = match signal {
        Signal::Logs => ("event", decode::logs(bytes)),
        Signal::Metrics => ("metric", decode::metrics(bytes)),
    };
    let Some(events) = decoded else {
        return format!("[Telemetry] Sending {} bytes that can't be shown\n", bytes.len());
    };
    let mut text = String::new();
    for sent in events {
        text.push_str(&format!("[Telemetry] Sending {what}: {}\n", sent.event));
        text.push_str(&serde_json::to_string_pretty(&sent.json).unwrap_or_default());
        text.push('\n');
    }
    text
}
