//! A hundred events to an OTLP logs request: `cargo bench --manifest-path benches/Cargo.toml --bench encode`.
//!
//! Before anything is measured, prost's bytes are compared with ours, and the message that is built with the one decoded.

use automagik_telemetry::otlp::{Body, Logs, Metrics, to_slice};
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{Record, aggregate};
use benches::event::{Bench, count, records, resource};
use benches::message::{EVENTS, ROOM, build, envelope, message, sdk_records, sdk_request, sdk_resource};
use benches::quick;
use divan::{Bencher, black_box};
use flate2::{Compression, write::GzEncoder};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use quick_protobuf::{MessageWrite, Writer};
use std::io::Write;

#[divan::bench]
fn ours_records_to_otlp(bencher: Bencher<'_, '_>) {
    let (resource, records, mut room) = (resource(), records(EVENTS), [0; ROOM]);
    bencher.bench_local(|| {
        Logs::encode(black_box(&resource), black_box(&records), black_box(&mut room)).unwrap().len()
    });
}

/// The same as a device does it, whose memory holds a piece of a request at a time.
#[divan::bench]
fn ours_in_pieces(bencher: Bencher<'_, '_>) {
    let (resource, records, mut bytes) = (resource(), records(EVENTS), Vec::new());
    bencher.bench_local(|| {
        let records = black_box(records.as_slice());
        let mut body = Logs::new(black_box(&resource), &records);
        bytes.resize(body.len(), 0);
        to_slice(&mut body, black_box(&mut bytes)).unwrap()
    });
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
fn quick_protobuf_ready_message(bencher: Bencher<'_, '_>) {
    let message = message();
    let (request, mut bytes) = (quick::request(&message), Vec::new());
    bencher.bench_local(|| quick_protobuf(black_box(&request), black_box(&mut bytes)));
}

fn quick_protobuf(request: &quick::Request<'_>, bytes: &mut Vec<u8>) {
    bytes.clear();
    request.write_message(&mut Writer::new(bytes)).unwrap();
}

/// What the reference SDK's exporter does with a batch: messages are built from its records, and encoded.
#[divan::bench]
fn opentelemetry_otlp_records_to_otlp(bencher: Bencher<'_, '_>) {
    let (records, mut bytes) = (sdk_records(), Vec::new());
    let batch: Vec<_> = records.iter().map(|(record, scope)| (record, scope)).collect();
    let resource = sdk_resource();
    bencher.bench_local(|| {
        bytes.clear();
        sdk_request(black_box(&batch), &resource).encode(black_box(&mut bytes)).unwrap();
    });
}

/// Counts of five words and durations of five, as a minute makes them.
fn deltas() -> Vec<Record> {
    (0..5).for_each(|n| (0..20).for_each(|_| count(n)));
    let (start, end) = (Coarse::from_steps(29_916_666), Coarse::from_steps(29_916_667));
    let mut records = Vec::new();
    aggregate::drain::<Bench>(start, end, |record| {
        records.push(record);
        true
    });
    records
}

#[divan::bench]
fn our_metrics_to_otlp(bencher: Bencher<'_, '_>) {
    let (resource, records, mut room) = (resource(), deltas(), [0; ROOM]);
    bencher.bench_local(|| {
        Metrics::encode(black_box(&resource), black_box(&records), black_box(&mut room)).unwrap().len()
    });
}

/// The same as a device does it, whose memory holds a piece of a request at a time.
#[divan::bench]
fn our_metrics_in_pieces(bencher: Bencher<'_, '_>) {
    let (resource, records, mut bytes) = (resource(), deltas(), Vec::new());
    bencher.bench_local(|| {
        let records = black_box(records.as_slice());
        let mut body = Metrics::new(black_box(&resource), &records);
        bytes.resize(body.len(), 0);
        to_slice(&mut body, black_box(&mut bytes)).unwrap()
    });
}

fn metrics_message() -> ExportMetricsServiceRequest {
    let mut room = [0; ROOM];
    let bytes = Metrics::encode(&resource(), &deltas(), &mut room).unwrap();
    let message = ExportMetricsServiceRequest::decode(bytes).unwrap();
    assert!(message.encode_to_vec() == bytes, "prost writes other bytes");
    message
}

#[divan::bench]
fn prost_metrics_ready_message(bencher: Bencher<'_, '_>) {
    let (message, mut bytes) = (metrics_message(), Vec::new());
    bencher.bench_local(|| {
        bytes.clear();
        black_box(&message).encode(black_box(&mut bytes)).unwrap();
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
    let (message, mut room) = (message(), [0; ROOM]);
    let bytes = Logs::encode(&resource(), &records(EVENTS), &mut room).unwrap().to_vec();
    let len = bytes.len();
    assert!(message.encode_to_vec() == bytes, "prost writes other bytes");
    assert_eq!(build(&envelope()), message, "another message");
    let mut quick = Vec::new();
    quick_protobuf(&quick::request(&message), &mut quick);
    assert!(quick == bytes, "quick-protobuf writes other bytes");
    assert!(!metrics_message().resource_metrics.is_empty(), "nothing counted");
    let kept = sdk_records();
    let batch: Vec<_> = kept.iter().map(|(record, scope)| (record, scope)).collect();
    let theirs = sdk_request(&batch, &sdk_resource());
    let theirs = &theirs.resource_logs[0].scope_logs[0].log_records;
    for (theirs, ours) in theirs.iter().zip(&message.resource_logs[0].scope_logs[0].log_records) {
        assert_eq!((&theirs.event_name, &theirs.attributes), (&ours.event_name, &ours.attributes));
    }
    assert_eq!(theirs.len(), EVENTS as usize);
    let json = serde_json::to_vec(&message).unwrap();
    let postcard: usize = records(EVENTS).iter().map(|record| record.encode().as_slice().len()).sum();
    let (gzipped, gzipped_json) = (gzip(&bytes), gzip(&json));
    let values = Checked::<Bench>::DESCRIPTOR.event(1).unwrap().fields.iter();
    let bits: f64 = values.map(|field| f64::from(field.domain.cardinality()).log2()).sum();
    let bound = (bits * f64::from(EVENTS) / 8.0).ceil();
    println!(
        "bytes: bound={bound} postcard={postcard} otlp={len} otlp_gzip={gzipped} json={} json_gzip={gzipped_json}",
        json.len()
    );
    divan::main();
}
