//! Reads a request back from the bytes that go out, so that what people see is what is sent.
//!
//! Decoded by prost, not by the code that encoded it. Only the messages and fields of the tree in
//! `automagik_telemetry_core::otlp` are here; a field beside them would show as `undecoded`.

mod json;
mod metrics;

use automagik_telemetry_core::otlp::Signal;
pub(crate) use json::otlp_json;
use prost::Message;
use serde_json::{Map, Value};
use std::time::{Duration, UNIX_EPOCH};

#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_logs: Vec<ResourceLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceLogs {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_logs: Vec<ScopeLogs>,
    #[prost(string, tag = "3")]
    schema_url: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeLogs {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    log_records: Vec<LogRecord>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
struct LogRecord {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    severity_number: i32,
    #[prost(message, repeated, tag = "6")]
    attributes: Vec<KeyValue>,
    #[prost(fixed64, tag = "11")]
    observed_time_unix_nano: u64,
    #[prost(string, tag = "12")]
    event_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Scalar", tags = "1, 2, 3")]
    scalar: Option<Scalar>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Scalar {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Flag(bool),
    #[prost(int64, tag = "3")]
    Number(i64),
}

/// An event, or a point of a metric, as the collector will see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    /// OTLP's `event_name`, or a metric's `name`.
    pub(crate) event: String,
    /// Everything that leaves with it, under the policy's keys.
    pub(crate) json: Map<String, Value>,
}

/// What a request of `signal` sends, each event or point with all that the request says about it; `None` where the bytes
/// are no such request, or hold something that this does not know.
pub(crate) fn sent(signal: Signal, bytes: &[u8]) -> Option<Vec<Sent>> {
    match signal {
        Signal::Logs => logs(bytes),
        Signal::Metrics => metrics::metrics(bytes),
    }
}

/// The events of a logs request, each with all that the request says about it; `None` where the bytes are none, or
/// hold something that this does not know.
fn logs(bytes: &[u8]) -> Option<Vec<Sent>> {
    let request = Request::decode(bytes).ok()?;
    // Nothing may leave unseen: what was decoded must account for every byte.
    if request.encoded_len() != bytes.len() {
        return None;
    }
    let mut sent = Vec::new();
    for resource_logs in request.resource_logs {
        let resource = resource_logs.resource.unwrap_or_default();
        for scope_logs in resource_logs.scope_logs {
            let scope = scope_logs.scope.unwrap_or_default();
            for record in scope_logs.log_records {
                sent.push(event(&resource, &scope, &resource_logs.schema_url, record));
            }
        }
    }
    Some(sent)
}

/// One event, in the order of the policy's example.
fn event(resource: &Resource, scope: &Scope, schema_url: &str, record: LogRecord) -> Sent {
    let mut json = Map::new();
    let mut set = |key: &str, value: Value| json.insert(key.to_owned(), value);
    set("event", Value::from(record.event_name.as_str()));
    for attribute in &resource.attributes {
        if attribute.key == "service.name" {
            set("project", value(attribute));
        }
    }
    for attribute in &record.attributes {
        set(&attribute.key, value(attribute));
    }
    set("timestamp", Value::from(timestamp(record.time_unix_nano)));
    if record.observed_time_unix_nano != record.time_unix_nano {
        set("observed_timestamp", Value::from(timestamp(record.observed_time_unix_nano)));
    }
    set("severity_number", Value::from(record.severity_number));
    describe(&mut json, resource, scope, schema_url);
    Sent { event: record.event_name, json }
}

/// What a request says of its origin.
fn describe(json: &mut Map<String, Value>, resource: &Resource, scope: &Scope, schema_url: &str) {
    for attribute in &resource.attributes {
        let key = match attribute.key.as_str() {
            "service.name" => "project",
            "os.type" => "os",
            "app.installation.id" => "anonymous_user_id",
            other => other,
        };
        json.entry(key).or_insert_with(|| value(attribute));
    }
    json.insert("scope".to_owned(), Value::from(format!("{} {}", scope.name, scope.version)));
    json.insert("schema_url".to_owned(), Value::from(schema_url));
}

fn value(attribute: &KeyValue) -> Value {
    match attribute.value.as_ref().and_then(|value| value.scalar.as_ref()) {
        Some(Scalar::Text(text)) => Value::from(text.as_str()),
        Some(Scalar::Flag(flag)) => Value::from(*flag),
        Some(Scalar::Number(number)) => Value::from(*number),
        None => Value::Null,
    }
}

/// `2025-10-21T12:00:00Z`.
fn timestamp(unix_nanos: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_nanos(unix_nanos)).to_string()
}
