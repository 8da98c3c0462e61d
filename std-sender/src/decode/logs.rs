//! Events, read back from the bytes that go out.

use super::json::{attributes, resource, scope};
use super::origin::{KeyValue, Resource, Scope, Sent, describe, timestamp, value};
use prost::Message;
use serde_json::{Map, Value, json};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Request {
    #[prost(message, repeated, tag = "1")]
    pub(super) resource_logs: Vec<ResourceLogs>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ResourceLogs {
    #[prost(message, optional, tag = "1")]
    pub(super) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(super) scope_logs: Vec<ScopeLogs>,
    #[prost(string, tag = "3")]
    pub(super) schema_url: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ScopeLogs {
    #[prost(message, optional, tag = "1")]
    pub(super) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    pub(super) log_records: Vec<LogRecord>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LogRecord {
    #[prost(fixed64, tag = "1")]
    pub(super) time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    pub(super) severity_number: i32,
    #[prost(message, repeated, tag = "6")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(fixed64, tag = "11")]
    pub(super) observed_time_unix_nano: u64,
    #[prost(string, tag = "12")]
    pub(super) event_name: String,
}

/// The events of a logs request, each with all that the request says about it; `None` if the bytes are none, or
/// hold something that this does not know.
pub(super) fn sent(bytes: &[u8]) -> Option<Vec<Sent>> {
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

/// A logs request in OTLP's JSON; `None` if the bytes are none, or hold something that this does not know.
pub(super) fn otlp_json(bytes: &[u8]) -> Option<Value> {
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
