//! A hundred events to an OTLP logs request: `cargo bench --manifest-path benches/Cargo.toml --bench encode`.
//!
//! Before anything is measured, prost's bytes are compared with ours, and the message that is built with the one decoded.

use automagik_telemetry::Record;
use automagik_telemetry::otlp::{Body, Logs, to_slice};
use automagik_telemetry::resource::Resource;
use benches::event::{records, resource};
use divan::{Bencher, black_box};
use flate2::{Compression, write::GzEncoder};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message;
use std::io::Write;

const EVENTS: usize = 100;

fn ours(resource: &Resource, records: &[Record], bytes: &mut Vec<u8>) -> usize {
    let mut body = Logs::new(resource, &records);
    bytes.resize(body.len(), 0);
    to_slice(&mut body, bytes).unwrap()
}

fn message() -> ExportLogsServiceRequest {
    let mut bytes = Vec::new();
    ours(&resource().unwrap(), &records(EVENTS), &mut bytes);
    ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap()
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// The message, made anew as a program would for every request; the resource is kept ready.
fn build(envelope: &ExportLogsServiceRequest) -> ExportLogsServiceRequest {
    let time = 1_795_000_000_000_000_000 / 60_000_000_000 * 60_000_000_000;
    let mut message = envelope.clone();
    message.resource_logs[0].scope_logs[0].log_records = (0..EVENTS)
        .map(|_| LogRecord {
            time_unix_nano: time,
            severity_number: 9,
            attributes: vec![
                attribute("tool", Value::StringValue("format".to_owned())),
                attribute("duration_ms", Value::IntValue(128)),
                attribute("success", Value::BoolValue(true)),
            ],
            observed_time_unix_nano: time,
            event_name: "bench.tool.ran".to_owned(),
            ..LogRecord::default()
        })
        .collect();
    message
}

fn envelope() -> ExportLogsServiceRequest {
    let mut envelope = message();
    envelope.resource_logs[0].scope_logs[0].log_records.clear();
    envelope
}

#[divan::bench]
fn ours_records_to_otlp(bencher: Bencher<'_, '_>) {
    let (resource, records, mut bytes) = (resource().unwrap(), records(EVENTS), Vec::new());
    bencher.bench_local(|| ours(black_box(&resource), black_box(&records), black_box(&mut bytes)));
}

#[divan::bench]
fn prost_encode_ready_message(bencher: Bencher<'_, '_>) {
    let (message, mut bytes) = (message(), Vec::new());
    bencher.bench_local(|| {
        bytes.clear();
        black_box(&message).encode(black_box(&mut bytes)).unwrap();
    });
}

#[divan::bench]
fn prost_build_and_encode(bencher: Bencher<'_, '_>) {
    let (envelope, mut bytes) = (envelope(), Vec::new());
    bencher.bench_local(|| {
        bytes.clear();
        build(black_box(&envelope)).encode(black_box(&mut bytes)).unwrap();
    });
}

#[divan::bench]
fn serde_json_ready_message(bencher: Bencher<'_, '_>) {
    let (message, mut bytes) = (message(), Vec::new());
    bencher.bench_local(|| {
        bytes.clear();
        serde_json::to_writer(black_box(&mut bytes), black_box(&message)).unwrap();
    });
}

#[divan::bench]
fn copy_of_the_bytes(bencher: Bencher<'_, '_>) {
    let bytes = message().encode_to_vec();
    let mut copy = vec![0; bytes.len()];
    bencher.bench_local(|| black_box(&mut copy).copy_from_slice(black_box(&bytes)));
}

fn gzip(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().len()
}

fn main() {
    let (message, mut bytes) = (message(), Vec::new());
    let len = ours(&resource().unwrap(), &records(EVENTS), &mut bytes);
    assert!(message.encode_to_vec() == bytes, "prost writes other bytes");
    assert_eq!(build(&envelope()), message, "another message");
    let json = serde_json::to_vec(&message).unwrap();
    let postcard: usize = records(EVENTS).iter().map(|record| record.encode().as_slice().len()).sum();
    let (gzipped, gzipped_json) = (gzip(&bytes), gzip(&json));
    println!(
        "bytes: postcard={postcard} otlp={len} otlp_gzip={gzipped} json={} json_gzip={gzipped_json}",
        json.len()
    );
    divan::main();
}
