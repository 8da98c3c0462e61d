//! A log record with its resource, as a test wants to look at it.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use prost::Message;
use std::collections::BTreeMap;

/// A log record with its resource and scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// `event_name`.
    pub event: String,
    /// `severity_number`.
    pub severity: i32,
    /// `time_unix_nano`.
    pub time: u64,
    /// The record's attributes.
    pub attributes: BTreeMap<String, String>,
    /// The resource's attributes.
    pub resource: BTreeMap<String, String>,
}

impl Log {
    /// The value of the record's attribute `key`, or nothing.
    #[must_use]
    pub fn attribute(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

/// The log records of an `ExportLogsServiceRequest`.
///
/// # Panics
///
/// Where `body` is none.
#[must_use]
pub fn logs(body: &[u8]) -> Vec<Log> {
    let request = ExportLogsServiceRequest::decode(body).expect("an ExportLogsServiceRequest");
    let mut logs = Vec::new();
    for resource_logs in request.resource_logs {
        let resource = attributes(resource_logs.resource.unwrap_or_default().attributes);
        for record in resource_logs.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
            logs.push(Log {
                event: record.event_name,
                severity: record.severity_number,
                time: record.time_unix_nano,
                attributes: attributes(record.attributes),
                resource: resource.clone(),
            });
        }
    }
    logs
}

fn attributes(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|attribute| (attribute.key, text(attribute.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::BoolValue(flag)) => flag.to_string(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
