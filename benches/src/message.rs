//! A hundred events as the messages of OTLP, and as the reference SDK hands them to its exporter.

use crate::event::{TOOLS, emit_values, nth, records, resource};
use automagik_telemetry::otlp::Logs;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::LoggerProvider;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::logs::tonic::group_logs_by_resource_and_scope;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogProcessor, SdkLogRecord, SdkLoggerProvider};
use prost::Message;
use std::sync::{Arc, Mutex, PoisonError};

/// Events a request.
pub const EVENTS: u32 = 100;

/// Room for the request, in bytes.
pub const ROOM: usize = 1 << 14;

/// The message.
///
/// # Panics
///
/// Where prost can't decode what ours encodes.
#[must_use]
pub fn message() -> ExportLogsServiceRequest {
    let mut room = [0; ROOM];
    let bytes = Logs::encode(&resource(), &records(EVENTS), &mut room).expect("room");
    ExportLogsServiceRequest::decode(bytes).expect("a request")
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// The message, made anew as a program would for every request; the resource is kept ready.
#[must_use]
pub fn build(envelope: &ExportLogsServiceRequest) -> ExportLogsServiceRequest {
    let time = 1_795_000_000_000_000_000 / 60_000_000_000 * 60_000_000_000;
    let mut message = envelope.clone();
    message.resource_logs[0].scope_logs[0].log_records = (0..EVENTS)
        .map(nth)
        .map(|ran| LogRecord {
            time_unix_nano: time,
            severity_number: 9,
            attributes: vec![
                attribute("tool", Value::StringValue(TOOLS[ran.tool as usize].to_owned())),
                attribute("duration_ms", Value::IntValue(ran.duration_ms.lower_bound().into())),
                attribute("success", Value::BoolValue(ran.success)),
            ],
            observed_time_unix_nano: time,
            event_name: "bench.tool.ran".to_owned(),
            ..LogRecord::default()
        })
        .collect();
    message
}

/// The message without its records.
#[must_use]
pub fn envelope() -> ExportLogsServiceRequest {
    let mut envelope = message();
    envelope.resource_logs[0].scope_logs[0].log_records.clear();
    envelope
}

/// The resource of ours, as the reference SDK's exporter has it.
#[must_use]
pub fn sdk_resource() -> ResourceAttributesWithSchema {
    let ours = resource();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let attributes =
        ours.attributes().map(|(key, value)| opentelemetry::KeyValue::new(key, text(value.as_bytes())));
    (&opentelemetry_sdk::Resource::builder_empty().with_attributes(attributes).build()).into()
}

/// Keeps what is emitted.
#[derive(Clone, Debug, Default)]
struct Keep(Arc<Mutex<Vec<(SdkLogRecord, InstrumentationScope)>>>);

impl LogProcessor for Keep {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((record.clone(), scope.clone()));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

/// The events, as the reference SDK hands them to its exporter.
#[must_use]
pub fn sdk_records() -> Vec<(SdkLogRecord, InstrumentationScope)> {
    let keep = Keep::default();
    let provider = SdkLoggerProvider::builder().with_log_processor(keep.clone()).build();
    let logger = provider.logger("benches");
    for ran in (0..EVENTS).map(nth) {
        emit_values(&logger, TOOLS[ran.tool as usize], ran.duration_ms.lower_bound().into(), ran.success);
    }
    std::mem::take(&mut *keep.0.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What the reference SDK's exporter makes of a batch.
#[must_use]
#[inline]
pub fn sdk_request(
    batch: &[(&SdkLogRecord, &InstrumentationScope)],
    resource: &ResourceAttributesWithSchema,
) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest {
        resource_logs: group_logs_by_resource_and_scope(&LogBatch::new(batch), resource),
    }
}
