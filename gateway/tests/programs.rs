//! OTLP from programs on the gateway's network: what is in a manifest goes on as it came, and nothing else does.

mod programs {
    pub(crate) mod operator;
    pub(crate) mod records;
}

use automagik_telemetry_core::consent::{Answer as Said, Signals, decide};
use automagik_telemetry_core::otlp::{Logs, Metrics, Signal};
use automagik_telemetry_core::record::Delta;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{FeatureUsed, Pseudonym, Record, Secret};
use automagik_telemetry_gateway::counts::RecordRefusal;
use automagik_telemetry_gateway::forward::request::Devices;
use automagik_telemetry_gateway::intake::placing::Now;
use automagik_telemetry_gateway::intake::programs::request::{self, Form};
use automagik_telemetry_gateway::intake::programs::taken::Taken;
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::known::vocabulary::Vocabulary;
use automagik_telemetry_gateway::tools::simulate::{Simulated, Task, manifest, schema};
use automagik_telemetry_test_support::{Answer, Receiver, at_home, omni, post};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, metric::Data};
use programs::operator::{Operator, PATIENCE, eventually};
use programs::records::{START, in_order, record};
use proptest::prelude::*;
use prost::Message;
use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

/// An hour later.
const NOW: Now = Now((START as u64 + 60) * 60);

fn manifests() -> &'static Manifests {
    static KNOWN: LazyLock<Manifests> = LazyLock::new(|| {
        let mut manifests = Manifests::default();
        manifests.add(Vocabulary::read(&manifest()).unwrap()).unwrap();
        manifests
    });
    &KNOWN
}

fn resource() -> Resource {
    let yes = decide(&Signals { variable: Said::Yes, ..Signals::default() }).consent().unwrap();
    Resource::new(schema(), Pseudonym::new(&Secret::new([7; 32], yes), "simulated", 0))
}

/// What a desktop sends of `records`.
fn sent(signal: Signal, records: &[Record]) -> Vec<u8> {
    let resource = resource();
    let mut buffer = vec![0; 1 << 20];
    match signal {
        Signal::Logs => Logs::encode(&resource, records, &mut buffer).unwrap().to_vec(),
        Signal::Metrics => Metrics::encode(&resource, records, &mut buffer).unwrap().to_vec(),
    }
}

/// What goes on of what was taken.
fn forwarded(signal: Signal, taken: &Taken) -> Vec<u8> {
    let devices = Devices::of_program(&taken.held, manifests());
    assert_eq!(devices.moved, 0);
    devices.request(signal)
}

fn take(signal: Signal, form: Form, body: &[u8]) -> Taken {
    request::take(signal, form, false, body, manifests(), NOW).unwrap()
}

fn json(signal: Signal, protobuf: &[u8]) -> Vec<u8> {
    match signal {
        Signal::Logs => serde_json::to_vec(&ExportLogsServiceRequest::decode(protobuf).unwrap()),
        Signal::Metrics => serde_json::to_vec(&ExportMetricsServiceRequest::decode(protobuf).unwrap()),
    }
    .unwrap()
}

proptest! {
    #[test]
    fn what_a_program_says_goes_on_as_it_came(mut records in prop::collection::vec(record(), 1..60)) {
        in_order(&mut records);
        for signal in [Signal::Logs, Signal::Metrics] {
            let is_of = |record: &&Record| record.as_delta().is_some() == (signal == Signal::Metrics);
            let records: Vec<Record> = records.iter().filter(is_of).copied().collect();
            if records.is_empty() {
                continue;
            }
            let sent = sent(signal, &records);
            let taken = take(signal, Form::Protobuf, &sent);
            prop_assert_eq!(taken.refused().0, 0);
            prop_assert_eq!(taken.records, records.len() as u64);
            prop_assert_eq!(&take(signal, Form::Json, &json(signal, &sent)), &taken, "either form says the same");
            let forwarded = forwarded(signal, &taken);
            match signal {
                Signal::Logs => prop_assert_eq!(
                    ExportLogsServiceRequest::decode(forwarded.as_slice()).unwrap(),
                    ordered_logs(ExportLogsServiceRequest::decode(sent.as_slice()).unwrap())
                ),
                Signal::Metrics => prop_assert_eq!(
                    ExportMetricsServiceRequest::decode(forwarded.as_slice()).unwrap(),
                    ordered_metrics(ExportMetricsServiceRequest::decode(sent.as_slice()).unwrap())
                ),
            }
        }
    }

    #[test]
    fn any_bytes_are_no_request_or_are_refused(body in prop::collection::vec(any::<u8>(), 0..300), is_gzip in any::<bool>()) {
        for (signal, form) in [
            (Signal::Logs, Form::Protobuf),
            (Signal::Metrics, Form::Protobuf),
            (Signal::Logs, Form::Json),
            (Signal::Metrics, Form::Json),
        ] {
            if let Ok(taken) = request::take(signal, form, is_gzip, &body, manifests(), NOW) {
                prop_assert_eq!(taken.held.len(), 0);
            }
        }
    }
}

/// The resource's attributes in the order in which a gateway writes them.
fn order(resource: &mut Option<opentelemetry_proto::tonic::resource::v1::Resource>) {
    const ORDER: [&str; 8] = [
        "service.name",
        "service.version",
        "telemetry.sdk.name",
        "telemetry.sdk.language",
        "telemetry.sdk.version",
        "os.type",
        "host.arch",
        "app.installation.id",
    ];
    let attributes = &mut resource.as_mut().unwrap().attributes;
    attributes.sort_by_key(|attribute| ORDER.iter().position(|key| *key == attribute.key).unwrap());
}

fn ordered_logs(mut request: ExportLogsServiceRequest) -> ExportLogsServiceRequest {
    request.resource_logs.iter_mut().for_each(|of_resource| order(&mut of_resource.resource));
    request
}

fn ordered_metrics(mut request: ExportMetricsServiceRequest) -> ExportMetricsServiceRequest {
    request.resource_metrics.iter_mut().for_each(|of_resource| order(&mut of_resource.resource));
    request
}

const MARK: &str = "Ada Lovelace";

fn text(text: &str) -> Option<AnyValue> {
    Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) })
}

fn marked() -> KeyValue {
    KeyValue { key: "user.name".to_owned(), value: text(MARK), ..KeyValue::default() }
}

fn events() -> ExportLogsServiceRequest {
    let event = Simulated::Feature(FeatureUsed { feature: Task::Report });
    let records = [Record::new(&event, Coarse::from_steps(START)).unwrap(); 2];
    ExportLogsServiceRequest::decode(sent(Signal::Logs, &records).as_slice()).unwrap()
}

fn counts() -> ExportMetricsServiceRequest {
    let delta = |metric, cell| Delta {
        metric,
        cell,
        count: 3,
        start: Coarse::from_steps(START),
        end: Coarse::from_steps(START + 1),
    };
    let records = [Record::from_delta(&delta(0, 1)), Record::from_delta(&delta(1, 2))];
    ExportMetricsServiceRequest::decode(sent(Signal::Metrics, &records).as_slice()).unwrap()
}

/// What is taken of `request` after `change`, and what goes on: the mark never does.
fn logs_with(change: impl FnOnce(&mut ExportLogsServiceRequest)) -> Taken {
    let mut request = events();
    change(&mut request);
    let taken = take(Signal::Logs, Form::Protobuf, &request.encode_to_vec());
    assert_eq!(take(Signal::Logs, Form::Json, &serde_json::to_vec(&request).unwrap()), taken);
    let is_in = |bytes: &[u8]| bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes());
    assert!(!is_in(&taken.held) && !is_in(&forwarded(Signal::Logs, &taken)));
    taken
}

fn first(request: &mut ExportLogsServiceRequest) -> &mut LogRecord {
    &mut request.resource_logs[0].scope_logs[0].log_records[0]
}

#[test]
fn a_string_at_any_place_of_a_log_record_is_refused_and_the_record_beside_it_is_taken() {
    type Change = fn(&mut LogRecord);
    let changes: [(RecordRefusal, Change); 10] = [
        (RecordRefusal::More, |log| log.body = text(MARK)),
        (RecordRefusal::More, |log| log.severity_text = MARK.to_owned()),
        (RecordRefusal::More, |log| log.trace_id = MARK.into()),
        (RecordRefusal::More, |log| log.span_id = MARK.into()),
        (RecordRefusal::UnknownName, |log| log.event_name = MARK.to_owned()),
        (RecordRefusal::OutOfDomain, |log| log.attributes.push(marked())),
        (RecordRefusal::OutOfDomain, |log| log.attributes[0].value = text(MARK)),
        (RecordRefusal::OutOfDomain, |log| log.attributes[0].key = MARK.to_owned()),
        (RecordRefusal::OutOfDomain, |log| log.attributes.push(log.attributes[0].clone())),
        (RecordRefusal::OutOfDomain, |log| log.severity_number = 17),
    ];
    for (number, (refusal, change)) in changes.into_iter().enumerate() {
        let taken = logs_with(|request| change(first(request)));
        assert_eq!((taken.records, taken.refused().0), (1, 1), "{number}");
        assert_eq!(taken.refused[refusal as usize], 1, "{number}");
    }
}

#[test]
fn a_string_of_a_resource_or_a_scope_that_is_in_no_manifest_is_refused() {
    type Change = fn(&mut ExportLogsServiceRequest);
    fn attributes(request: &mut ExportLogsServiceRequest) -> &mut Vec<KeyValue> {
        &mut request.resource_logs[0].resource.as_mut().unwrap().attributes
    }
    fn set(request: &mut ExportLogsServiceRequest, key: &str) {
        attributes(request).iter_mut().find(|attribute| attribute.key == key).unwrap().value = text(MARK);
    }
    fn scope(request: &mut ExportLogsServiceRequest) -> &mut InstrumentationScope {
        request.resource_logs[0].scope_logs[0].scope.as_mut().unwrap()
    }
    let changes: [(RecordRefusal, Change); 9] = [
        (RecordRefusal::Origin, |request| attributes(request).push(marked())),
        (RecordRefusal::Origin, |request| set(request, "os.type")),
        (RecordRefusal::Origin, |request| set(request, "host.arch")),
        (RecordRefusal::Origin, |request| set(request, "app.installation.id")),
        (RecordRefusal::Origin, |request| set(request, "telemetry.sdk.name")),
        (RecordRefusal::Origin, |request| scope(request).name = MARK.to_owned()),
        (RecordRefusal::Origin, |request| scope(request).attributes.push(marked())),
        (RecordRefusal::UnknownProgram, |request| set(request, "service.name")),
        (RecordRefusal::UnknownProgram, |request| request.resource_logs[0].resource = None),
    ];
    for (number, (refusal, change)) in changes.into_iter().enumerate() {
        let taken = logs_with(change);
        assert_eq!((taken.records, taken.refused().0), (0, 2), "{number}");
        assert_eq!(taken.refused[refusal as usize], 2, "{number}");
    }
}

#[test]
fn what_names_the_software_of_the_sender_is_replaced_by_the_gateways_own() {
    for change in [
        (|request| request.resource_logs[0].schema_url = MARK.to_owned())
            as fn(&mut ExportLogsServiceRequest),
        |request| request.resource_logs[0].scope_logs[0].schema_url = MARK.to_owned(),
        |request| {
            request.resource_logs[0].scope_logs[0].scope.as_mut().unwrap().version = MARK.to_owned();
        },
        // A version that has no manifest: what it says is, and its name is not told.
        |request| {
            let attributes = &mut request.resource_logs[0].resource.as_mut().unwrap().attributes;
            attributes.iter_mut().find(|attribute| attribute.key == "service.version").unwrap().value =
                text(MARK);
        },
    ] {
        let taken = logs_with(change);
        assert_eq!((taken.records, taken.refused().0), (2, 0));
    }
}

#[test]
fn a_point_that_says_more_than_its_manifest_is_refused() {
    type Change = fn(&mut ExportMetricsServiceRequest);
    fn data(request: &mut ExportMetricsServiceRequest, at: usize) -> &mut Data {
        request.resource_metrics[0].scope_metrics[0].metrics[at].data.as_mut().unwrap()
    }
    fn exemplar() -> Exemplar {
        Exemplar { filtered_attributes: vec![marked()], ..Exemplar::default() }
    }
    let changes: [Change; 11] = [
        |request| request.resource_metrics[0].scope_metrics[0].metrics[0].name = MARK.to_owned(),
        |request| request.resource_metrics[0].scope_metrics[0].metrics[0].unit = MARK.to_owned(),
        |request| request.resource_metrics[0].scope_metrics[0].metrics[0].description = MARK.to_owned(),
        |request| request.resource_metrics[0].scope_metrics[0].metrics[0].metadata.push(marked()),
        |request| {
            let Data::Sum(sum) = data(request, 0) else { panic!() };
            sum.data_points[0].attributes.push(marked());
        },
        |request| {
            let Data::Sum(sum) = data(request, 0) else { panic!() };
            sum.data_points[0].attributes[0].value = text(MARK);
        },
        |request| {
            let Data::Sum(sum) = data(request, 0) else { panic!() };
            sum.data_points[0].exemplars.push(exemplar());
        },
        |request| {
            let Data::Sum(sum) = data(request, 0) else { panic!() };
            sum.aggregation_temporality = 2;
        },
        |request| {
            let Data::Histogram(histogram) = data(request, 1) else { panic!() };
            histogram.data_points[0].exemplars.push(exemplar());
        },
        |request| {
            let Data::Histogram(histogram) = data(request, 1) else { panic!() };
            histogram.data_points[0].explicit_bounds[3] += 0.5;
        },
        |request| {
            let Data::Histogram(histogram) = data(request, 1) else { panic!() };
            histogram.data_points[0].sum = Some(1.5);
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut request = counts();
        change(&mut request);
        let taken = take(Signal::Metrics, Form::Protobuf, &request.encode_to_vec());
        assert_eq!((taken.records, taken.refused().0), (1, 1), "{number}");
    }
}

#[test]
fn a_time_that_is_finer_than_the_manifests_goes_no_further() {
    let taken = logs_with(|request| first(request).time_unix_nano += 17_123_456_789);
    let forwarded = forwarded(Signal::Logs, &taken);
    let request = ExportLogsServiceRequest::decode(forwarded.as_slice()).unwrap();
    let logs = &request.resource_logs[0].scope_logs[0].log_records;
    assert!(logs.iter().all(|log| log.time_unix_nano == u64::from(START) * 60_000_000_000));
}

#[test]
fn what_unpacks_to_more_than_a_request_may_have_is_refused() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![0; 4 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    let taken = request::take(Signal::Logs, Form::Protobuf, true, &packed, manifests(), NOW);
    assert_eq!(taken, Err(request::Error::TooLarge));
}

const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
const JSON: &str = "content-type: application/json; charset=utf-8\r\n";

#[test]
fn a_desktop_program_speaks_through_a_gateway_that_has_its_manifest_and_the_collector_sees_no_address() {
    let (collector, home) = (Receiver::start(), tempfile::tempdir().unwrap());
    let operator = Operator::new(&collector);
    let written = at_home(home.path(), omni()).args(["telemetry", "inventory", "--cbor"]).output().unwrap();
    assert!(written.status.success(), "{written:?}");
    operator.write("manifests/omni.cbor", &written.stdout);
    let gateway = operator.start(&["--http", "127.0.0.1:0"]);
    let ran = at_home(home.path(), omni())
        .args(["instance", "list"])
        .env("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .env("AUTOMAGIK_TELEMETRY_ENDPOINT", format!("http://{}", gateway.http()))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert!(collector.wait_for_logs(PATIENCE, 1));
    let request = ExportLogsServiceRequest::decode(collector.requests()[0].body.as_slice()).unwrap();
    let attributes = &request.resource_logs[0].resource.as_ref().unwrap().attributes;
    let keys: Vec<&str> = attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert!(keys.contains(&"os.type") && keys.contains(&"service.version"), "{keys:?}");
    // The collector may hear of it before it is counted.
    let counted = || gateway.metric("telemetry_gateway_records_total");
    eventually("what was taken is counted", || counted() == collector.logs().len() as u64);
    let said = gateway.stop();
    assert!(said.iter().all(|line| !line.contains("127.0.0.1")), "{said:?}");
}

#[test]
fn a_program_is_told_what_was_refused_and_the_operator_is_told_why() {
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    let gateway = operator.start(&["--http", "127.0.0.1:0"]);
    let mut request = events();
    first(&mut request).body = text(MARK);
    let answer = post(gateway.http(), "/v1/logs", JSON, &serde_json::to_vec(&request).unwrap());
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("application/json"), "{answer}");
    assert!(answer.contains("rejectedLogRecords") && answer.contains("nothing else"), "{answer}");
    assert!(collector.wait_for_logs(PATIENCE, 1));
    let name = "telemetry_gateway_program_records_refused_total{reason=\"more_than_a_record\"}";
    assert_eq!(gateway.metric(name), 1);
    eventually("the reason is said", || gateway.metric("telemetry_gateway_records_delivered_total") == 1);
    std::thread::sleep(Duration::from_millis(1_200));
    let said = gateway.stop();
    assert!(
        said.iter().any(|line| line.contains("1 records of programs refused: more_than_a_record")),
        "{said:?}"
    );
    assert!(said.iter().all(|line| !line.contains(MARK)), "{said:?}");
}

#[test]
fn what_is_no_request_is_answered_with_what_to_do() {
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    let gateway = operator.start(&["--http", "127.0.0.1:0"]);
    for (path, headers, body, status, part) in [
        (
            "/v1/logs",
            "content-type: text/plain\r\n",
            vec![],
            415,
            "application/x-protobuf or application/json",
        ),
        ("/v1/logs", "", vec![], 415, "application/x-protobuf or application/json"),
        ("/v1/logs", &*format!("{PROTOBUF}content-encoding: br\r\n"), vec![], 415, "send gzip"),
        ("/v1/logs", PROTOBUF, vec![0xff; 9], 400, "no such request"),
        ("/v1/metrics", JSON, b"{".to_vec(), 400, "no such request"),
        ("/v1/logs", PROTOBUF, vec![0; 2 << 20], 413, "at most 1 MiB"),
        ("/v1/traces", PROTOBUF, vec![], 404, ""),
    ] {
        let answer = post(gateway.http(), path, headers, &body);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(part),
            "{path} {headers} {answer}"
        );
    }
    assert_eq!(collector.requests().len(), 0);
}

#[test]
fn where_the_operator_trusts_no_disk_a_program_hears_the_collectors_own_answer() {
    let collector = Receiver::answering(|number| match number {
        0 => Answer::status(503).header("retry-after", "7"),
        1 => Answer::status(413),
        _ => Answer::status(200),
    });
    let operator = Operator::new(&collector);
    let gateway = operator.start(&["--http", "127.0.0.1:0", "--acknowledge", "collector"]);
    let body = events().encode_to_vec();
    let answer = post(gateway.http(), "/v1/logs", PROTOBUF, &body);
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 7"), "{answer}");
    let answer = post(gateway.http(), "/v1/logs", PROTOBUF, &body);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(gateway.metric("telemetry_gateway_store_bytes"), 0);
    let answer = post(gateway.http(), "/v1/logs", PROTOBUF, &body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let logs = ExportLogsServiceRequest::decode(collector.requests()[2].body.as_slice()).unwrap();
    assert_eq!(logs.resource_logs[0].scope_logs[0].log_records.len(), 2);
    assert_eq!(gateway.metric("telemetry_gateway_records_delivered_total"), 2);
}

#[test]
fn a_store_that_is_full_says_when_to_come_back() {
    let collector = Receiver::answering(|_| Answer::status(503));
    let operator = Operator::new(&collector);
    let gateway = operator.start_with("http = ['127.0.0.1:0']\n[store]\nbytes = 200\n");
    let body = events().encode_to_vec();
    let answers: Vec<String> = (0..4).map(|_| post(gateway.http(), "/v1/logs", PROTOBUF, &body)).collect();
    assert!(answers[0].starts_with("HTTP/1.1 200"), "{answers:?}");
    assert!(answers[3].starts_with("HTTP/1.1 503") && answers[3].contains("retry-after: 10"), "{answers:?}");
    let message = ExportLogsServiceResponse::default().encode_to_vec();
    assert_eq!(message.len(), 0, "an empty body is all of an answer");
}
