//! How long a gateway takes to make OTLP of frames, against prost, which builds the official types of the same records and encodes them. Both in one
//! run, in turns.
//!
//! usage: cargo run --release -p automagik-telemetry-gateway --example encode

use automagik_telemetry_core::frames::{Boot, Clear, Hello, Key, MTU_MAX, Reader, Session};
use automagik_telemetry_core::record::Cursor;
use automagik_telemetry_core::resource::{INSTALLATION_ID, SCHEMA_URL, SDK_NAME, SDK_VERSION};
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{CommandExecuted, Label as _, Milliseconds, Pseudonym, Record, bucket};
use automagik_telemetry_gateway::forward::request::Devices;
use automagik_telemetry_gateway::intake::held::Held;
use automagik_telemetry_gateway::known::backward::Backward;
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::known::vocabulary::Vocabulary;
use automagik_telemetry_gateway::tools::simulate::{Simulated, Task, manifest, schema};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use std::time::{Duration, Instant};

const START: u32 = 29_900_000;
const FRAMES: usize = 200;
const EVENTS: u32 = 50;

fn key_value(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, text: &str) -> KeyValue {
    key_value(key, Value::StringValue(text.to_owned()))
}

/// What a program would do that has records and the official types.
fn by_prost(frames: &[Held<'_>], vocabulary: &Vocabulary) -> Vec<u8> {
    let resource_logs = frames.iter().map(|held| {
        let records = Reader::new(vocabulary, held.stream).map(Result::unwrap).map(|record| {
            let nanos = u64::from(START + record.time().steps()) * 60_000_000_000;
            let bits = record.bits();
            LogRecord {
                time_unix_nano: nanos,
                observed_time_unix_nano: nanos,
                severity_number: 9,
                event_name: "automagik.cli.command".to_owned(),
                attributes: vec![
                    text("command", Task::WORDS[(bits & 3) as usize]),
                    key_value("success", Value::BoolValue(bits >> 2 & 1 == 1)),
                    key_value("duration_ms", Value::IntValue(bucket::lower_bound((bits >> 3) as u32).into())),
                ],
                ..LogRecord::default()
            }
        });
        ResourceLogs {
            resource: Some(Resource {
                attributes: vec![
                    text("service.name", "simulated"),
                    text("service.version", "1.0.0"),
                    text("telemetry.sdk.name", SDK_NAME),
                    text("telemetry.sdk.language", "rust"),
                    text("telemetry.sdk.version", SDK_VERSION),
                    text(
                        INSTALLATION_ID,
                        &held.pseudonym.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
                    ),
                ],
                ..Resource::default()
            }),
            scope_logs: vec![ScopeLogs {
                scope: Some(InstrumentationScope {
                    name: SDK_NAME.to_owned(),
                    version: SDK_VERSION.to_owned(),
                    ..InstrumentationScope::default()
                }),
                log_records: records.collect(),
                ..ScopeLogs::default()
            }],
            schema_url: SCHEMA_URL.to_owned(),
        }
    });
    ExportLogsServiceRequest { resource_logs: resource_logs.collect() }.encode_to_vec()
}

fn main() {
    let key = Key::new([7; 16]);
    let hello = Hello::new(schema(), Pseudonym::NOBODY, None);
    let streams: Vec<Vec<u8>> = (0..FRAMES as u64)
        .map(|device| {
            let boot = Boot::random(device.to_le_bytes());
            let mut session = Session::new(key.clone(), boot, None);
            let records: Vec<Record> = (0..EVENTS)
                .map(|number| {
                    let command =
                        [Task::Measure, Task::Report, Task::Calibrate, Task::Sleep][number as usize % 4];
                    let (success, duration) = (number % 3 > 0, Milliseconds::new(number * 97));
                    let event = Simulated::Ran(CommandExecuted { command, success, duration });
                    Record::new(&event, Coarse::from_steps(number / 10)).unwrap()
                })
                .collect();
            let (records, mut frame) = (records.as_slice(), [0; MTU_MAX]);
            let sealed = session.data(&hello, &records, &mut Cursor::default(), &mut frame).unwrap().unwrap();
            let clear = Clear::parse(&frame[..sealed.len]).unwrap();
            key.open(&clear, boot, 0, &mut [0; MTU_MAX]).unwrap().to_vec()
        })
        .collect();
    let vocabulary = Vocabulary::read(&manifest()).unwrap();
    let frames: Vec<Held<'_>> = (0_u8..=255)
        .zip(&streams)
        .map(|(device, stream)| Held {
            mark: vocabulary.mark(),
            version: vocabulary.version_mark,
            pseudonym: [device; 16],
            start: START,
            arrived: u64::from(START + 60) * 60,
            counts_start: START,
            stream,
            ..Held::default()
        })
        .collect();
    let mut manifests = Manifests::default();
    manifests.add(Vocabulary::read(&manifest()).unwrap()).unwrap();
    let mut out = Backward::with_room(4 << 20);
    // They say the same.
    Devices::of(frames.iter().copied(), &manifests, false).logs(&mut out);
    assert!(out.as_slice() == by_prost(&frames, &vocabulary), "the bytes differ");
    let (mut ours, mut records_of_ours, mut theirs) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut bytes = 0;
    for _ in 0..100 {
        let started = Instant::now();
        let devices = Devices::of(frames.iter().copied(), &manifests, false);
        records_of_ours += started.elapsed();
        out.clear();
        devices.logs(&mut out);
        ours += started.elapsed();
        bytes += out.len();
        let started = Instant::now();
        bytes -= by_prost(&frames, &vocabulary).len();
        theirs += started.elapsed();
    }
    assert_eq!(bytes, 0);
    let each = |time: Duration| time.as_nanos() as f64 / (100 * frames.len() * EVENTS as usize) as f64;
    println!(
        "an event: {:.1} ns ours ({:.1} of it the bits), {:.1} ns prost: {:.1} times; the encoding alone {:.1} times",
        each(ours),
        each(records_of_ours),
        each(theirs),
        each(theirs) / each(ours),
        (each(theirs) - each(records_of_ours)) / each(ours - records_of_ours),
    );
}
