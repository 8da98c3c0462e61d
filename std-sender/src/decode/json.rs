//! A request in OTLP's own JSON, which collectors and other tools take: for people who want their data.
//!
//! Source: OTLP 1.x, "JSON Protobuf Encoding": lowerCamelCase keys, 64-bit numbers as strings, enumerations as numbers.

use super::origin::{KeyValue, Resource, Scalar, Scope};
use serde_json::{Value, json};

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
