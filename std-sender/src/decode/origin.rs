//! What requests of both signals hold: attributes, who speaks, and how people are shown them.

use prost::Message;
use serde_json::{Map, Value};
use std::time::{Duration, UNIX_EPOCH};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Scope {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AnyValue {
    #[prost(oneof = "Scalar", tags = "1, 2, 3")]
    pub(super) scalar: Option<Scalar>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Scalar {
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

/// What a request says of its origin.
pub(super) fn describe(json: &mut Map<String, Value>, resource: &Resource, scope: &Scope, schema_url: &str) {
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

pub(super) fn value(attribute: &KeyValue) -> Value {
    match attribute.value.as_ref().and_then(|value| value.scalar.as_ref()) {
        Some(Scalar::Text(text)) => Value::from(text.as_str()),
        Some(Scalar::Flag(flag)) => Value::from(*flag),
        Some(Scalar::Number(number)) => Value::from(*number),
        None => Value::Null,
    }
}

/// `2025-10-21T12:00:00Z`.
pub(super) fn timestamp(unix_nanos: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_nanos(unix_nanos)).to_string()
}
