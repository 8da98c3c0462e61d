//! Counts and durations, read back from the bytes that go out.

use super::json::{attributes, resource, scope};
use super::origin::{KeyValue, Resource, Scope, Sent, describe, timestamp, value};
use prost::Message;
use serde_json::{Map, Value, json};

#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_metrics: Vec<ScopeMetrics>,
    #[prost(string, tag = "3")]
    schema_url: String,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeMetrics {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    unit: String,
    #[prost(message, optional, tag = "7")]
    sum: Option<Sum>,
    #[prost(message, optional, tag = "9")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct Sum {
    #[prost(message, repeated, tag = "1")]
    points: Vec<NumberPoint>,
    #[prost(int32, tag = "2")]
    temporality: i32,
    #[prost(bool, tag = "3")]
    is_monotonic: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(message, repeated, tag = "1")]
    points: Vec<HistogramPoint>,
    #[prost(int32, tag = "2")]
    temporality: i32,
}

#[derive(Clone, PartialEq, Message)]
struct NumberPoint {
    #[prost(fixed64, tag = "2")]
    start: u64,
    #[prost(fixed64, tag = "3")]
    end: u64,
    #[prost(sfixed64, tag = "6")]
    count: i64,
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct HistogramPoint {
    #[prost(fixed64, tag = "2")]
    start: u64,
    #[prost(fixed64, tag = "3")]
    end: u64,
    #[prost(fixed64, tag = "4")]
    count: u64,
    #[prost(fixed64, repeated, tag = "6")]
    counts: Vec<u64>,
    #[prost(double, repeated, tag = "7")]
    bounds: Vec<f64>,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
}

/// A metrics request in OTLP's JSON; `None` if the bytes are none, or hold something that this does not know.
pub(super) fn otlp_json(bytes: &[u8]) -> Option<Value> {
    let request = Request::decode(bytes).ok()?;
    if request.encoded_len() != bytes.len() {
        return None;
    }
    let of_resources = request.resource_metrics.iter().map(|of_resource| {
        let of_scopes = of_resource.scope_metrics.iter().map(|of_scope| {
            let metrics = of_scope.metrics.iter().map(metric_json);
            json!({ "scope": scope(of_scope.scope.as_ref()), "metrics": metrics.collect::<Value>() })
        });
        json!({
            "resource": resource(of_resource.resource.as_ref()),
            "scopeMetrics": of_scopes.collect::<Value>(),
            "schemaUrl": of_resource.schema_url,
        })
    });
    Some(json!({ "resourceMetrics": of_resources.collect::<Value>() }))
}

fn metric_json(metric: &Metric) -> Value {
    let mut json = json!({ "name": metric.name, "unit": metric.unit });
    if let Some(sum) = &metric.sum {
        let points = sum.points.iter().map(|point| {
            json!({
                "startTimeUnixNano": point.start.to_string(),
                "timeUnixNano": point.end.to_string(),
                "asInt": point.count.to_string(),
                "attributes": attributes(&point.attributes),
            })
        });
        json["sum"] = json!({
            "dataPoints": points.collect::<Value>(),
            "aggregationTemporality": sum.temporality,
            "isMonotonic": sum.is_monotonic,
        });
    }
    if let Some(histogram) = &metric.histogram {
        let points = histogram.points.iter().map(|point| {
            json!({
                "startTimeUnixNano": point.start.to_string(),
                "timeUnixNano": point.end.to_string(),
                "count": point.count.to_string(),
                "bucketCounts": point.counts.iter().map(u64::to_string).collect::<Value>(),
                "explicitBounds": point.bounds,
                "attributes": attributes(&point.attributes),
            })
        });
        json["histogram"] = json!({
            "dataPoints": points.collect::<Value>(),
            "aggregationTemporality": histogram.temporality,
        });
    }
    json
}

/// The points of a metrics request, each with all that the request says about it; `None` if the bytes are none, or hold
/// something that this does not show.
pub(super) fn sent(bytes: &[u8]) -> Option<Vec<Sent>> {
    let request = Request::decode(bytes).ok()?;
    // Nothing may leave unseen: what was decoded must account for every byte.
    if request.encoded_len() != bytes.len() {
        return None;
    }
    let mut sent = Vec::new();
    for of_resource in request.resource_metrics {
        let resource = of_resource.resource.unwrap_or_default();
        for of_scope in of_resource.scope_metrics {
            let scope = of_scope.scope.unwrap_or_default();
            for metric in of_scope.metrics {
                let mut add = |attributes: &[KeyValue], start, end, temporality: i32, shown: Value| {
                    let mut json = Map::new();
                    let mut set = |key: &str, value: Value| json.insert(key.to_owned(), value);
                    set("metric", Value::from(metric.name.as_str()));
                    for attribute in attributes {
                        set(&attribute.key, value(attribute));
                    }
                    set("unit", Value::from(metric.unit.as_str()));
                    set("counted", shown);
                    set("from", Value::from(timestamp(start)));
                    set("until", Value::from(timestamp(end)));
                    set("temporality", json!(if temporality == 1 { "delta" } else { "cumulative" }));
                    describe(&mut json, &resource, &scope, &of_resource.schema_url);
                    sent.push(Sent { event: metric.name.clone(), json });
                };
                for point in metric.sum.iter().flat_map(|sum| &sum.points) {
                    let temporality = metric.sum.as_ref().map_or(0, |sum| sum.temporality);
                    add(&point.attributes, point.start, point.end, temporality, json!(point.count));
                }
                for point in metric.histogram.iter().flat_map(|histogram| &histogram.points) {
                    let temporality = metric.histogram.as_ref().map_or(0, |histogram| histogram.temporality);
                    let shown = classes(point);
                    add(&point.attributes, point.start, point.end, temporality, shown);
                }
            }
        }
    }
    Some(sent)
}

/// The classes that something was counted in: their upper bounds and counts.
fn classes(point: &HistogramPoint) -> Value {
    let mut shown = Map::new();
    for (class, count) in point.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let bound =
            point.bounds.get(class).map_or_else(|| "more".to_owned(), |bound| format!("up to {bound}"));
        shown.insert(bound, Value::from(*count));
    }
    shown.insert("all".to_owned(), Value::from(point.count));
    Value::Object(shown)
}
