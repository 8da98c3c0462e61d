//! A request in OTLP's own JSON, which collectors and other tools take: for people who want their data.
//!
//! Source: OTLP 1.x, "JSON Protobuf Encoding": lowerCamelCase keys, 64-bit numbers as strings, enumerations as numbers.

use super::{KeyValue, LogRecord, Request, Resource, Scalar, Scope, metrics};
use automagik_telemetry_core::otlp::Signal;
use prost::Message;
use serde_json::{Value, json};

/// `ExportLogsServiceRequest` or `ExportMetricsServiceRequest`; `None` where `bytes` hold none, or more than this knows.
pub(crate) fn otlp_json(signal: Signal, bytes: &[u8]) -> Option<Value> {
    match signal {
        Signal::Logs => logs(bytes),
        Signal::Metrics => metrics::otlp_json(bytes),
    }
}

fn logs(bytes: &[u8]) -> Option<Value> {
    let request = Request::decode(bytes).ok()?;
    if request.encoded_len() != bytes.len() {
        return None;
    }
    let of_resources = request.resource_logs.iter().map(|of_resource| {
        let of_scopes = of_resource.scope_logs.iter().map(|of_scope| {
            let records = of_scope.log_records.iter().map(record);
            json!({ "scope": scope(of_scope.scope.as_ref()), "logRecords": records.collect::<Value>() })
        });
        json!({
            "resource": resource(of_resource.resource.as_ref()),
            "scopeLogs": of_scopes.collect::<Value>(),
            "schemaUrl": of_resource.schema_url,
        })
    });
    Some(json!({ "resourceLogs": of_resources.collect::<Value>() }))
}

fn record(record: &LogRecord) -> Value {
    json!({
        "timeUnixNano": record.time_unix_nano.to_string(),
        "observedTimeUnixNano": record.observed_time_unix_nano.to_string(),
        "severityNumber": record.severity_number,
        "eventName": record.event_name,
        "attributes": attributes(&record.attributes),
    })
}

pub(super) fn resource(resource: Option<&Resource>) -> Value {
    json!({ "attributes": attributes(resource.map_or(&[], |resource| &resource.attributes)) })
}

pub(super) fn scope(scope: Option<&Scope>) -> Value {
    scope.map_or_else(|| json!({}), |scope| json!({ "name": scope.name, "version": scope.version }))
}

pub(super) fn attributes(attributes: &[KeyValue]) -> Value {
    attributes
        .iter()
        .map(|attribute| json!({ "key": attribute.key, "value": any_value(attribute) }))
        .collect()
}

fn any_value(attribute: &KeyValue) -> Value {
    match attribute.value.as_ref().and_then(|value| value.scalar.as_ref()) {
        Some(Scalar::Text(text)) => json!({ "stringValue": text }),
        Some(Scalar::Flag(flag)) => json!({ "boolValue": flag }),
        Some(Scalar::Number(number)) => json!({ "intValue": number.to_string() }),
        None => json!({}),
    }
}
