//! Reads a request back from the bytes that go out, so that what people see is what is sent.
//!
//! Decoded by prost, not by the code that encoded it. Only the messages and fields of the tree in
//! `automagik_telemetry_core::otlp` are here; bytes beside them are not shown, and the request then neither.

mod json;
mod logs;
mod metrics;
mod origin;

use automagik_telemetry_core::otlp::Signal;
pub(crate) use origin::Sent;
use serde_json::Value;

/// What a request of `signal` sends, each event or point with all that the request says about it; `None` if the bytes
/// are no such request, or hold something that this does not know.
pub(crate) fn sent(signal: Signal, bytes: &[u8]) -> Option<Vec<Sent>> {
    match signal {
        Signal::Logs => logs::sent(bytes),
        Signal::Metrics => metrics::sent(bytes),
    }
}

/// `ExportLogsServiceRequest` or `ExportMetricsServiceRequest` in OTLP's JSON; `None` if `bytes` hold none, or more than this knows.
pub(crate) fn otlp_json(signal: Signal, bytes: &[u8]) -> Option<Value> {
    match signal {
        Signal::Logs => logs::otlp_json(bytes),
        Signal::Metrics => metrics::otlp_json(bytes),
    }
}
