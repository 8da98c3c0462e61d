//! What a configuration of the Collector that is made of manifests lets through: all that programs say, and no text in the place of anything. There is no Collector here, so its
//! language is read by `collector/language.rs`.

#[path = "collector/language.rs"]
mod language;

use automagik_telemetry_core::consent::{Answer, Signals, decide};
use automagik_telemetry_core::crashes::{Build, Crash, CrashReport, Exception, Stack};
use automagik_telemetry_core::otlp::{Logs, Metrics, Signal, encode_crash};
use automagik_telemetry_core::record::Delta;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::{Checked, SchemaDescriptor};
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{
    CommandExecuted, FeatureUsed, HealthStatus, Milliseconds, Pseudonym, Record, Secret, ServiceHealth,
};
use automagik_telemetry_derive::{Label, Schema};
use automagik_telemetry_gateway::forward::request::Devices;
use automagik_telemetry_gateway::intake::programs;
use automagik_telemetry_gateway::known::keys::hex;
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::known::vocabulary::Vocabulary;
use automagik_telemetry_gateway::tools::collector::configuration;
use automagik_telemetry_gateway::tools::simulate::{self, Simulated, Task};
use language::{Reader, Value};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use std::collections::BTreeMap;
use std::time::SystemTime;

extern crate automagik_telemetry_core as automagik_telemetry;

/// A processor's lines, by signal and context.
type Lines = Vec<(String, Vec<String>)>;

/// The configuration, as a Collector reads it.
struct Configuration(serde_json::Value);

impl Configuration {
    fn of(manifests: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut known = Manifests::default();
        for manifest in manifests {
            known.add(Vocabulary::read(&manifest).unwrap()).unwrap();
        }
        Self(serde_saphyr::from_str(&configuration(known.all()).unwrap()).unwrap())
    }

    fn lines(&self, processor: &str, key: &str, what: &str) -> Lines {
        let groups = self.0["processors"][processor][key].as_array().unwrap().iter();
        let group = |group: &serde_json::Value| {
            let lines = group[what].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
            (group["context"].as_str().unwrap().to_owned(), lines.collect())
        };
        groups.map(group).collect()
    }

    /// What is left of `request`.
    fn logs(&self, mut request: ExportLogsServiceRequest) -> ExportLogsServiceRequest {
        let statements = self.lines("transform/manifests", "log_statements", "statements");
        let conditions = self.lines("filter/manifests", "log_conditions", "conditions");
        for of_resource in &mut request.resource_logs {
            for of_scope in &mut of_resource.scope_logs {
                for log in &mut of_scope.log_records {
                    for line in &statements[2].1 {
                        let resource = of_resource.resource.clone().unwrap_or_default();
                        let look = |path: &str| match path.strip_prefix("log.") {
                            Some(path) => of_log(log, path),
                            None => attribute(&resource.attributes, path),
                        };
                        if let Some((_, keys)) = Reader::new(line, &look).keep_keys() {
                            keep(&mut log.attributes, &keys);
                        }
                    }
                }
                keep_around(&statements, &mut of_resource.resource, &mut of_scope.scope);
                let (resource, scope) = (&of_resource.resource, &of_scope.scope);
                let urls = [&of_resource.schema_url, &of_scope.schema_url];
                of_scope.log_records.retain(|log| {
                    let look = |path: &str| match path.strip_prefix("log.") {
                        Some(path) => of_log(log, path),
                        None => around(resource.as_ref(), scope.as_ref(), urls, path),
                    };
                    assert_eq!(conditions[0].0, "log");
                    !conditions[0].1.iter().any(|line| Reader::new(line, &look).holds())
                });
            }
            of_resource.scope_logs.retain(|of_scope| !of_scope.log_records.is_empty());
        }
        request.resource_logs.retain(|of_resource| !of_resource.scope_logs.is_empty());
        request
    }

    fn metrics(&self, mut request: ExportMetricsServiceRequest) -> ExportMetricsServiceRequest {
        let statements = self.lines("transform/manifests", "metric_statements", "statements");
        let conditions = self.lines("filter/manifests", "metric_conditions", "conditions");
        assert_eq!(
            [&statements[3].0, &conditions[0].0, &conditions[1].0],
            ["datapoint", "metric", "datapoint"]
        );
        for of_resource in &mut request.resource_metrics {
            for of_scope in &mut of_resource.scope_metrics {
                keep_around(&statements, &mut of_resource.resource, &mut of_scope.scope);
                let (resource, scope) = (&of_resource.resource, &of_scope.scope);
                let urls = [&of_resource.schema_url, &of_scope.schema_url];
                let look = |metric: &Metric, point: &[KeyValue], path: &str| {
                    if let Some(path) = path.strip_prefix("metric.") {
                        return of_metric(metric, path);
                    }
                    match path.strip_prefix("datapoint.") {
                        Some(path) => attribute(point, &format!("resource.{path}")),
                        None => around(resource.as_ref(), scope.as_ref(), urls, path),
                    }
                };
                of_scope.metrics.retain_mut(|metric| {
                    metric.metadata.clear();
                    let about = metric.clone();
                    let is_kept = |attributes: &mut Vec<KeyValue>| {
                        for line in &statements[3].1 {
                            let keys = Reader::new(line, &|path| look(&about, attributes, path)).keep_keys();
                            if let Some((_, keys)) = keys {
                                keep(attributes, &keys);
                            }
                        }
                        let mut lines = conditions.iter().flat_map(|(_, lines)| lines);
                        !lines.any(|line| Reader::new(line, &|path| look(&about, attributes, path)).holds())
                    };
                    match metric.data.as_mut().unwrap() {
                        Data::Sum(sum) => sum.data_points.retain_mut(|point| is_kept(&mut point.attributes)),
                        Data::Histogram(histogram) => {
                            histogram.data_points.retain_mut(|point| is_kept(&mut point.attributes));
                        }
                        other => panic!("{other:?}"),
                    }
                    match metric.data.as_ref().unwrap() {
                        Data::Sum(sum) => !sum.data_points.is_empty(),
                        Data::Histogram(histogram) => !histogram.data_points.is_empty(),
                        other => panic!("{other:?}"),
                    }
                });
            }
            of_resource.scope_metrics.retain(|of_scope| !of_scope.metrics.is_empty());
        }
        request.resource_metrics.retain(|of_resource| !of_resource.scope_metrics.is_empty());
        request
    }
}

fn keep(attributes: &mut Vec<KeyValue>, keys: &[Value]) {
    attributes.retain(|attribute| keys.contains(&Value::Text(attribute.key.clone())));
}

fn keep_around(
    statements: &Lines,
    resource: &mut Option<opentelemetry_proto::tonic::resource::v1::Resource>,
    scope: &mut Option<opentelemetry_proto::tonic::common::v1::InstrumentationScope>,
) {
    for (context, lines) in &statements[..2] {
        let (path, keys) = Reader::new(&lines[0], &|_| Value::Nil).keep_keys().unwrap();
        assert_eq!(path, format!("{context}.attributes"));
        match context.as_str() {
            "resource" => keep(&mut resource.as_mut().unwrap().attributes, &keys),
            "scope" => keep(&mut scope.as_mut().unwrap().attributes, &keys),
            other => panic!("{other}"),
        }
    }
}

/// `resource.attributes[key]`, of these.
fn attribute(attributes: &[KeyValue], path: &str) -> Value {
    let key = path.strip_prefix("resource.attributes[").and_then(|path| path.strip_suffix(']')).expect(path);
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        None => Value::Nil,
        Some(any_value::Value::StringValue(text)) => Value::Text(text.clone()),
        Some(any_value::Value::IntValue(number)) => Value::Number(*number),
        Some(any_value::Value::BoolValue(flag)) => Value::Flag(*flag),
        Some(_) => Value::List(Vec::new()),
    }
}

fn of_log(log: &LogRecord, path: &str) -> Value {
    let id =
        |bytes: &[u8], len: usize| Value::Text(if bytes.is_empty() { "0".repeat(len) } else { hex(bytes) });
    match path {
        "event_name" => Value::Text(log.event_name.clone()),
        "severity_number" => Value::Number(log.severity_number.into()),
        "severity_text" => Value::Text(log.severity_text.clone()),
        "flags" => Value::Number(log.flags.into()),
        "dropped_attributes_count" => Value::Number(log.dropped_attributes_count.into()),
        "body" => log.body.as_ref().map_or(Value::Nil, |_| Value::Text("a body".to_owned())),
        "trace_id" => id(&log.trace_id, 32),
        "span_id" => id(&log.span_id, 16),
        path => attribute(&log.attributes, &format!("resource.{path}")),
    }
}

fn of_metric(metric: &Metric, path: &str) -> Value {
    let (kind, temporality, is_monotonic) = match metric.data.as_ref().unwrap() {
        Data::Sum(sum) => (2, sum.aggregation_temporality, Value::Flag(sum.is_monotonic)),
        Data::Histogram(histogram) => (3, histogram.aggregation_temporality, Value::Nil),
        other => panic!("{other:?}"),
    };
    match path {
        "name" => Value::Text(metric.name.clone()),
        "unit" => Value::Text(metric.unit.clone()),
        "description" => Value::Text(metric.description.clone()),
        "type" => Value::Number(kind),
        "aggregation_temporality" => Value::Number(temporality.into()),
        "is_monotonic" => is_monotonic,
        other => panic!("{other}"),
    }
}

fn around(
    resource: Option<&opentelemetry_proto::tonic::resource::v1::Resource>,
    scope: Option<&opentelemetry_proto::tonic::common::v1::InstrumentationScope>,
    [resource_url, scope_url]: [&String; 2],
    path: &str,
) -> Value {
    let of_scope = |text: fn(&opentelemetry_proto::tonic::common::v1::InstrumentationScope) -> &String| {
        Value::Text(scope.map(text).cloned().unwrap_or_default())
    };
    match path {
        "scope.name" => of_scope(|scope| &scope.name),
        "scope.version" => of_scope(|scope| &scope.version),
        "resource.schema_url" => Value::Text(resource_url.clone()),
        "scope.schema_url" => Value::Text(scope_url.clone()),
        path => attribute(resource.map_or(&[], |resource| &resource.attributes), path),
    }
}

/// A program that tells its crashes.
#[derive(Schema)]
#[schema(organization = "automagik", project = "falls", version = "1.0.0")]
enum Falls {
    Crash(Crash),
}

/// A newer version of the simulated devices, which says less, and other words.
#[derive(Schema)]
#[schema(organization = "automagik", project = "simulated", version = "2.0.0")]
enum Newer {
    Feature(FeatureUsed<Lamp>),
}

#[derive(Label)]
enum Lamp {
    On,
    Off,
}

fn manifest_of(schema: &SchemaDescriptor) -> Vec<u8> {
    let mut bytes = vec![0; automagik_telemetry_core::manifest::len(schema)];
    automagik_telemetry_core::manifest::encode(schema, &mut bytes[..]).unwrap();
    bytes
}

fn resource(schema: &'static SchemaDescriptor) -> Resource {
    let yes = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    Resource::new(schema, Pseudonym::new(&Secret::new([7; 32], yes), "simulated", 0))
}

fn crash() -> ExportLogsServiceRequest {
    let schema = Checked::<Falls>::DESCRIPTOR;
    let mut stack = Stack::new();
    [0x1a2b4, 0x1b000, 0x1b000].into_iter().for_each(|address| stack.push(address));
    stack.push_elsewhere();
    let place = Some(core::panic::Location::caller());
    let build = Build::gnu(&[0xAB; 20]).unwrap();
    let report = CrashReport::new(schema, Exception::Assertion, place, stack, build, 1_700_000_000);
    let mut buffer = [0; 4_096];
    ExportLogsServiceRequest::decode(encode_crash(&resource(schema), &report, &mut buffer).unwrap()).unwrap()
}

/// Records of each event, with all of its words and many of its numbers.
fn logs() -> ExportLogsServiceRequest {
    let tasks = [Task::Measure, Task::Report, Task::Calibrate, Task::Sleep];
    let statuses = [HealthStatus::Healthy, HealthStatus::Degraded, HealthStatus::Unhealthy];
    let events = tasks.into_iter().flat_map(|task| {
        let ran = move |power| {
            let duration = Milliseconds::new(1_u32 << power);
            Simulated::Ran(CommandExecuted { command: task, success: power % 2 == 0, duration })
        };
        let health = statuses.map(|status| Simulated::Health(ServiceHealth { service: task, status }));
        [Simulated::Feature(FeatureUsed { feature: task })].into_iter().chain((0..28).map(ran)).chain(health)
    });
    let time = Coarse::from_steps(29_900_000);
    let mut records: Vec<Record> = events.map(|event| Record::new(&event, time).unwrap()).collect();
    // The first of each event.
    records.rotate_right(3);
    let mut buffer = vec![0; 1 << 18];
    let bytes = Logs::encode(&resource(simulate::schema()), &records, &mut buffer).unwrap();
    ExportLogsServiceRequest::decode(bytes).unwrap()
}

fn metrics() -> ExportMetricsServiceRequest {
    let end = Coarse::from_steps(29_900_000);
    let delta = |metric, cell, count| Record::from_delta(&Delta { metric, cell, count, start: end, end });
    let records = [delta(0, 1, 7), delta(1, 0, 20), delta(1, 9, 5)];
    let mut buffer = vec![0; 1 << 16];
    let bytes = Metrics::encode(&resource(simulate::schema()), &records, &mut buffer).unwrap();
    ExportMetricsServiceRequest::decode(bytes).unwrap()
}

fn known() -> Configuration {
    Configuration::of([simulate::manifest(), manifest_of(Checked::<Falls>::DESCRIPTOR)])
}

/// `request` with a text in each place that has a text, and where it could have one more, one at a time.
fn marked(request: &serde_json::Value) -> Vec<serde_json::Value> {
    fn places(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| places(value, &format!("{path}/{key}"), found));
            }
            serde_json::Value::Array(values) => {
                found.extend(path.ends_with("ttributes").then(|| path.to_owned()));
                values
                    .iter()
                    .enumerate()
                    .for_each(|(at, value)| places(value, &format!("{path}/{at}"), found));
            }
            serde_json::Value::String(text) if text.parse::<u64>().is_err() => found.push(path.to_owned()),
            _ => {}
        }
    }
    let mut found = Vec::new();
    places(request, "", &mut found);
    let marked = found.into_iter().map(|path| {
        let mut request = request.clone();
        let place = request.pointer_mut(&path).unwrap();
        match place.as_array_mut() {
            Some(attributes) => {
                attributes.push(serde_json::json!({ "key": "MARKED", "value": { "stringValue": "MARKED" } }));
            }
            None => *place = "MARKED".into(),
        }
        request
    });
    marked.collect()
}

#[test]
fn what_programs_say_gets_through_as_it_is() {
    let configuration = known();
    for request in [logs(), crash()] {
        assert_eq!(configuration.logs(request.clone()), request);
    }
    assert_eq!(configuration.metrics(metrics()), metrics());
}

/// The compose file has the gateway in front of the Collector.
#[test]
fn what_a_gateway_hands_on_gets_through_as_it_is() {
    let mut manifests = Manifests::default();
    manifests.add(Vocabulary::read(&simulate::manifest()).unwrap()).unwrap();
    let now = SystemTime::now().into();
    let taken = programs::logs::take(&logs(), &manifests, now);
    let handed = Devices::of_program(&taken.held, &manifests).request(Signal::Logs);
    let handed = ExportLogsServiceRequest::decode(handed.as_slice()).unwrap();
    assert!(!handed.resource_logs.is_empty());
    assert_eq!(known().logs(handed.clone()), handed);
    let taken = programs::metrics::take(&metrics(), &manifests, now);
    let handed = Devices::of_program(&taken.held, &manifests).request(Signal::Metrics);
    let handed = ExportMetricsServiceRequest::decode(handed.as_slice()).unwrap();
    assert!(!handed.resource_metrics.is_empty());
    assert_eq!(known().metrics(handed.clone()), handed);
}

#[test]
fn no_text_gets_through_in_the_place_of_anything() {
    let configuration = known();
    let mut one = logs();
    one.resource_logs[0].scope_logs[0].log_records.truncate(8);
    let mut tried = 0;
    for request in [one, crash()] {
        for marked in marked(&serde_json::to_value(&request).unwrap()) {
            let Ok(marked) = serde_json::from_value(marked) else { continue };
            let left = configuration.logs(marked);
            assert!(!format!("{left:?}").contains("MARKED"), "{left:?}");
            tried += 1;
        }
    }
    for marked in marked(&serde_json::to_value(metrics()).unwrap()) {
        let Ok(marked) = serde_json::from_value(marked) else { continue };
        let left = configuration.metrics(marked);
        assert!(!format!("{left:?}").contains("MARKED"), "{left:?}");
        tried += 1;
    }
    assert!(tried > 60, "{tried}");
    // What our requests have no place for.
    let body = Some(AnyValue { value: Some(any_value::Value::StringValue("MARKED".to_owned())) });
    let changes: [&dyn Fn(&mut LogRecord); 4] = [
        &|log| log.body = body.clone(),
        &|log| log.severity_text = "MARKED".to_owned(),
        &|log| log.trace_id = b"MARKED0123456789".to_vec(),
        &|log| log.span_id = b"MARKED01".to_vec(),
    ];
    for change in changes {
        let mut request = logs();
        request.resource_logs[0].scope_logs[0].log_records.truncate(1);
        change(&mut request.resource_logs[0].scope_logs[0].log_records[0]);
        assert!(configuration.logs(request).resource_logs.is_empty());
    }
}

#[test]
fn a_program_without_a_manifest_says_nothing() {
    let configuration = Configuration::of([simulate::manifest()]);
    assert!(configuration.logs(crash()).resource_logs.is_empty());
}

#[test]
fn a_version_says_what_is_its_own_and_one_that_is_not_named_what_one_of_them_says() {
    let configuration = Configuration::of([simulate::manifest(), manifest_of(Checked::<Newer>::DESCRIPTOR)]);
    let of_version = |request: &ExportLogsServiceRequest, version: Option<&str>| {
        let mut request = request.clone();
        let attributes = &mut request.resource_logs[0].resource.as_mut().unwrap().attributes;
        attributes.retain(|attribute| attribute.key != "service.version");
        let value = version.map(|version| any_value::Value::StringValue(version.to_owned()));
        attributes.extend(value.map(|value| KeyValue {
            key: "service.version".to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }));
        request
    };
    let older = logs();
    let records = [Lamp::On, Lamp::Off].map(|feature| {
        Record::new(&Newer::Feature(FeatureUsed { feature }), Coarse::from_steps(29_900_000)).unwrap()
    });
    let mut buffer = [0; 4_096];
    let newer = Logs::encode(&resource(Checked::<Newer>::DESCRIPTOR), &records, &mut buffer).unwrap();
    let newer = ExportLogsServiceRequest::decode(newer).unwrap();
    for request in [&older, &newer] {
        assert_eq!(configuration.logs(request.clone()), *request);
        let unnamed = of_version(request, None);
        assert_eq!(configuration.logs(unnamed.clone()), unnamed);
    }
    for (request, version) in [(&older, "2.0.0"), (&newer, "1.0.0"), (&older, "3.0.0")] {
        assert!(configuration.logs(of_version(request, Some(version))).resource_logs.is_empty(), "{version}");
    }
}

#[test]
fn both_files_together_are_one_configuration() {
    let own: serde_json::Value = serde_saphyr::from_str(include_str!("../../infra/collector.yaml")).unwrap();
    let made = known().0;
    // What the Collector has of each kind: the second file adds to the first, and lists are those of the second.
    let mut components: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for kind in ["receivers", "processors", "exporters", "extensions"] {
        for file in [&own, &made] {
            let named = file[kind].as_object().into_iter().flat_map(|components| components.keys());
            components.entry(kind).or_default().extend(named);
        }
    }
    for signal in ["logs", "metrics"] {
        let (first, second) = (&own["service"]["pipelines"][signal], &made["service"]["pipelines"][signal]);
        for kind in ["receivers", "processors", "exporters"] {
            let used = second.get(kind).unwrap_or(&first[kind]).as_array().unwrap();
            for name in used {
                let is_there = components[kind].iter().any(|known| known.as_str() == name.as_str().unwrap());
                assert!(is_there, "{kind} {name}");
            }
            let of_first = first[kind].as_array().unwrap();
            assert!(
                of_first.iter().all(|name| used.contains(name)),
                "{kind}: nothing of the first is left out"
            );
        }
    }
}
