//! Frames against a decoder in another language, which was written from `docs/FRAMES.md` alone; the vectors of that page; the sizes that are promised.

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::event::EventDescriptor;
use automagik_telemetry::field::Value as FieldValue;
use automagik_telemetry::record::{Cursor, Delta};
use automagik_telemetry::schema::{Checked, SchemaDescriptor};
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{
    ApiRequest, CommandExecuted, Count, Counter, ErrorCategory, ErrorOccurred, Event, FeatureUsed,
    HealthStatus, Histogram, HttpStatus, Label, Metrics, Milliseconds, OperationLatency, Pseudonym, Record,
    Schema, Secret, ServiceHealth, manifest,
};
use automagik_telemetry_core::frames::{
    Boot, HELLO_LEN_MAX, Hello, Key, MTU_MAX, MTU_MIN, Sealed, Session, ask, version_mark,
};
use automagik_telemetry_core::loss::Reason;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(Label, Clone, Copy, Debug)]
enum Order {
    List,
    Create,
    Remove,
    Start,
    Stop,
}

#[derive(Label, Clone, Copy, Debug)]
enum Route {
    #[label("GET /contacts")]
    Contacts,
    #[label("GET /contacts/{id}")]
    Contact,
    #[label("POST /messages")]
    Messages,
}

#[derive(Label, Clone, Copy, Debug)]
enum Code {
    Timeout,
    Refused,
}

#[derive(Event, Clone, Copy, Debug)]
#[event(name = "pump.stopped")]
struct Stopped {
    attempts: Option<Count<15>>,
    by_hand: bool,
}

#[derive(Metrics)]
struct PumpMetrics {
    #[metric(name = "pump.runs", by = "command")]
    runs: Counter<Order>,
    #[metric(name = "pump.run", by = "command")]
    run: Histogram<Order, Milliseconds>,
}

/// Events of all the policy's kinds, one of its own, and metrics.
#[derive(Schema)]
#[schema(organization = "automagik", project = "pump", version = "1.2.3", metrics = PumpMetrics)]
enum Pump {
    Feature(FeatureUsed<Order>),
    Api(ApiRequest<Route>),
    Command(CommandExecuted<Order>),
    Latency(OperationLatency<Order>),
    Error(ErrorOccurred<Code>),
    Health(ServiceHealth<Route>),
    Stopped(Stopped),
}

fn schema() -> &'static SchemaDescriptor {
    Checked::<Pump>::DESCRIPTOR
}

fn pseudonym() -> Pseudonym {
    let decision = decide(&Signals { variable: Answer::Yes, ..Signals::default() });
    Pseudonym::new(&Secret::new([7; 32], decision.consent().unwrap()), "pump", 0)
}

const BOOT: Boot = Boot::random([1, 2, 3, 4, 5, 6, 7, 8]);
const KEY: [u8; 16] = *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF";

fn command(number: u32) -> Order {
    [Order::List, Order::Create, Order::Remove, Order::Start, Order::Stop][number as usize % 5]
}

fn route(number: u32) -> Route {
    [Route::Contacts, Route::Contact, Route::Messages][number as usize % 3]
}

/// One event of the policy's kinds or another; a number says which, and what it holds.
fn event(number: u32) -> Pump {
    let duration = Milliseconds::new(number % 5_000);
    match number % 7 {
        0 => Pump::Feature(FeatureUsed { feature: command(number / 7) }),
        1 => Pump::Api(ApiRequest {
            route: route(number / 7),
            status: HttpStatus::new((200 + number % 300) as u16),
            duration,
        }),
        2 => Pump::Command(CommandExecuted {
            command: command(number / 7),
            success: number & 8 == 0,
            duration,
        }),
        3 => Pump::Latency(OperationLatency { operation: command(number / 7), duration }),
        4 => Pump::Error(ErrorOccurred {
            code: if number & 8 == 0 { Code::Timeout } else { Code::Refused },
            category: ErrorCategory::Network,
        }),
        5 => Pump::Health(ServiceHealth { service: route(number / 7), status: HealthStatus::Degraded }),
        _ => Pump::Stopped(Stopped {
            attempts: (number & 8 == 0).then(|| Count::new(number / 16 % 16)),
            by_hand: number & 16 == 0,
        }),
    }
}

fn record(number: u32, time: u32) -> Record {
    Record::new(&event(number), Coarse::from_steps(time)).unwrap()
}

fn arbitrary() -> impl Strategy<Value = Record> {
    let time = prop_oneof![3 => 0_u32..9, 1 => 0_u32..1 << 20];
    prop_oneof![
        8 => (any::<u32>(), time.clone()).prop_map(|(number, time)| record(number, time)),
        1 => (0_usize..7, 1_u32..1 << 20, time.clone())
            .prop_map(|(reason, count, time)| Record::dropped(Reason::ALL[reason], count, Coarse::from_steps(time))),
        2 => (0_usize..2, 0_usize..220, 1_u32..5_000, time, 0_u32..70).prop_map(|(metric, cell, count, end, steps)| {
            let start = Coarse::from_steps(end.saturating_sub(steps));
            let cell = if metric == 0 { cell % 5 } else { cell };
            Record::from_delta(&Delta { metric, cell, count, start, end: Coarse::from_steps(end) })
        }),
    ]
}

/// What another decoder should say of a record, from the schema and not from the frame.
fn said(record: &Record) -> Value {
    let mut said = json!({ "time": record.time().steps() });
    if let Some(delta) = record.as_delta() {
        let metric = schema().metrics()[delta.metric];
        said["metric"] = json!(metric.name);
        let combination = if delta.metric == 1 {
            said["class"] = json!(delta.cell % 44);
            delta.cell / 44
        } else {
            delta.cell
        };
        said["command"] = json!(["list", "create", "remove", "start", "stop"][combination]);
        said["count"] = json!(delta.count);
        said["steps"] = json!(delta.end.steps() - delta.start.steps());
        return said;
    }
    let event: &EventDescriptor = schema().event(record.event()).unwrap();
    said["event"] = json!(event.name);
    let mut rest = record.bits();
    for field in event.fields {
        let ordinal = rest & ((1 << field.domain.bits()) - 1);
        rest >>= field.domain.bits();
        match field.domain.value(u32::try_from(ordinal).unwrap()).unwrap() {
            FieldValue::Absent => {}
            FieldValue::Word(word) => said[field.name] = json!(word),
            FieldValue::Bool(flag) => said[field.name] = json!(flag),
            FieldValue::Int(number) => said[field.name] = json!(number),
        }
    }
    said
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A conversation, line by line, and what a decoder should say of each frame.
#[derive(Default)]
struct Spoken {
    lines: Vec<String>,
    expected: Vec<Value>,
}

impl Spoken {
    fn new() -> Self {
        let mut bytes = vec![0; manifest::len(schema())];
        manifest::encode(schema(), bytes.as_mut_slice()).unwrap();
        Self {
            lines: vec![format!("key {}", hex(&KEY)), format!("manifest {}", hex(&bytes))],
            expected: Vec::new(),
        }
    }

    fn frame(&mut self, frame: &[u8], says: Value) {
        self.lines.push(format!("frame {}", hex(frame)));
        self.expected.push(says);
    }
}

fn statement(kind: &str, boot: Boot, start: Option<u32>) -> Value {
    json!({
        "kind": kind, "boot": hex(&boot.bytes()), "sequence": 0, "project": "pump", "version": "1.2.3",
        "pseudonym": String::from_utf8(pseudonym().hex().to_vec()).unwrap(), "start": start,
    })
}

/// What a device of another boot each time says of `records`, in frames of `mtu` bytes.
fn speak(spoken: &mut Spoken, boot: Boot, records: &[Record], mtu: usize) {
    let key = Key::new(KEY);
    let hint = key.hint(boot);
    let mut session = Session::new(key, boot, Some(hint));
    let hello = Hello::new(schema(), pseudonym(), None);
    let mut buffer = vec![0; mtu];
    let sealed = session.hello(&hello, &mut buffer).unwrap();
    spoken.frame(&buffer[..sealed.len], statement("hello", boot, None));
    let mut at = Cursor::default();
    let mut left = records;
    while let Some(sealed) = session.data(&hello, &records, &mut at, &mut buffer).unwrap() {
        let (these, others) = left.split_at(sealed.records as usize);
        left = others;
        let says: Vec<Value> = these.iter().map(said).collect();
        let says = json!({ "kind": "data", "boot": hex(&boot.bytes()), "sequence": sealed.sequence, "records": says });
        spoken.frame(&buffer[..sealed.len], says);
    }
    assert!(left.is_empty());
}

/// What the decoder in Python says; `None`, and a word about it, where there is no Python.
fn decoded(lines: &[String]) -> Option<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frames.py");
    let spawned = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut python) = spawned else {
        // Not `eprintln!`, which a passing test hides.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: there is no python3, in which the other decoder is written"
        );
        return None;
    };
    let mut stdin = python.stdin.take().unwrap();
    let lines = lines.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn once(key: Key, start: u32, records: &[Record], buffer: &mut [u8]) -> Sealed {
    let mut session = Session::new(key, Boot::random([9; 8]), None);
    let hello = Hello::new(schema(), pseudonym(), Some(Coarse::from_steps(start)));
    session.once(&hello, &records, &mut Cursor::default(), buffer).unwrap().unwrap()
}

/// The conversation of `docs/FRAMES.md`.
fn vectors() -> Spoken {
    let mut spoken = Spoken::new();
    let delta = |metric, cell, count| {
        let (start, end) = (Coarse::from_steps(3), Coarse::from_steps(5));
        Record::from_delta(&Delta { metric, cell, count, start, end })
    };
    let records: Vec<Record> = (0..7)
        .map(|number| record(number + 7 * number, 2 + number / 3))
        .chain([
            delta(0, 3, 300),
            delta(1, 44 + 9, 1),
            Record::dropped(Reason::QueueFull, 7, Coarse::from_steps(4)),
        ])
        .collect();
    speak(&mut spoken, BOOT, &records, MTU_MIN);
    let start = 29_934_720;
    let (mut buffer, known) = ([0; MTU_MAX], record(1, start + 1));
    let sealed = once(Key::new(KEY), start, &[known], &mut buffer);
    let mut says = statement("once", Boot::random([9; 8]), Some(start & 0xFF_FFFF));
    says["records"] = json!([said(&known.at(Coarse::from_steps(1)))]);
    spoken.frame(&buffer[..sealed.len], says);
    let ack = Key::new(KEY).acknowledge(BOOT, 1);
    spoken.frame(&ack, json!({ "kind": "ack", "boot": hex(&BOOT.bytes()), "sequence": 1 }));
    spoken.frame(&ask(BOOT.session()), json!({ "kind": "ask", "session": "0102" }));
    spoken
}

#[test]
fn the_vectors_of_the_specification_are_what_is_sent() {
    let spoken = vectors();
    let mut text = String::new();
    let mut expected = spoken.expected.iter();
    for line in &spoken.lines {
        let line = line.replacen("key ", "K ", 1);
        writeln!(text, "{line}").unwrap();
        if line.starts_with("frame") {
            writeln!(text, "  {}", expected.next().unwrap()).unwrap();
        }
    }
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FRAMES.md")).unwrap();
    let (_, block) = page.split_once("```vectors\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert!(block == text, "docs/FRAMES.md should have these vectors:\n{text}");
}

#[test]
fn a_decoder_written_from_the_specification_alone_says_the_same() {
    let mut spoken = vectors();
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    for number in 0_u64..60 {
        let records = prop::collection::vec(arbitrary(), 1..60).new_tree(&mut runner).unwrap().current();
        let mtu = MTU_MIN + (number as usize * 37) % 300;
        speak(
            &mut spoken,
            Boot::random(number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()),
            &records,
            mtu,
        );
    }
    // One that was changed, and one cut off.
    let last = spoken.lines.last().unwrap().clone();
    let changed = last.replace(char::is_numeric, "a");
    spoken.lines.extend([changed, last[..last.len() - 2].to_owned()]);
    let Some(decoded) = decoded(&spoken.lines) else { return };
    assert_eq!(decoded.len(), spoken.expected.len() + 2);
    for (said, expected) in decoded.iter().zip(&spoken.expected) {
        assert_eq!(said, expected);
    }
    assert!(decoded.iter().rev().take(2).all(|said| said.get("refused").is_some()));
    assert!(decoded.len() > 150, "{}", decoded.len());
}

/// Ten events of the policy's kinds within a minute, as a device has them that does not know the time.
fn ten() -> Vec<Record> {
    (0..10).map(|number| record(number * 101, 200 + number / 7)).collect()
}

#[test]
fn ten_events_of_the_policys_kinds_take_36_bytes_and_68_alone() {
    let mut session = Session::new(Key::new(KEY), BOOT, None);
    let hello = Hello::new(schema(), pseudonym(), None);
    let (records, mut buffer) = (ten(), [0; MTU_MAX]);
    let sealed =
        session.data(&hello, &records.as_slice(), &mut Cursor::default(), &mut buffer).unwrap().unwrap();
    assert!(sealed.records == 10 && sealed.len <= 36, "{sealed:?}");
    let sealed = once(Key::new(KEY), 0, &records, &mut buffer);
    assert!(sealed.records == 10 && sealed.len <= 68, "{sealed:?}");
    const { assert!(HELLO_LEN_MAX <= MTU_MIN) };
}

#[derive(Label, Clone, Copy, Debug)]
enum Tool {
    Compile,
    Format,
}

/// That of `benches/src/event.rs`.
#[derive(Event, Clone, Copy, Debug)]
#[event(name = "bench.tool.ran")]
struct Ran {
    tool: Tool,
    duration_ms: Milliseconds,
    success: bool,
}

#[derive(Metrics)]
struct BenchMetrics {
    #[metric(name = "bench.commands", by = "command")]
    commands: Counter<Order>,
    #[metric(name = "bench.command.duration", by = "command")]
    durations: Histogram<Order, Milliseconds>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "bench", metrics = BenchMetrics)]
enum Bench {
    Ran(Ran),
}

#[test]
fn a_hundred_events_take_at_most_half_more_than_the_information_in_their_values() {
    let ran = |number: u32| Ran {
        tool: if number & 1 == 0 { Tool::Compile } else { Tool::Format },
        duration_ms: Milliseconds::new(1 << (number % 31)),
        success: number & 2 == 0,
    };
    let records: Vec<Record> = (0..100)
        .map(|number| Record::new(&Bench::Ran(ran(number)), Coarse::from_steps(1)).unwrap())
        .collect();
    let hello = Hello::new(Checked::<Bench>::DESCRIPTOR, pseudonym(), None);
    let mut session = Session::new(Key::new(KEY), BOOT, None);
    let mut buffer = [0; MTU_MAX];
    let sealed =
        session.data(&hello, &records.as_slice(), &mut Cursor::default(), &mut buffer).unwrap().unwrap();
    assert_eq!(sealed.records, 100);
    // Two words, 124 classes, a flag.
    let information = 100.0 * (2_f64 * 124.0 * 2.0).log2();
    let bits = f64::from(u32::try_from((sealed.len - 13) * 8).unwrap());
    assert!(bits <= 1.5 * information, "{bits} of {information}: {}", bits / information);
}

#[test]
fn the_mark_of_a_version_tells_versions_apart() {
    assert_ne!(version_mark("1.0.0"), version_mark("1.0.1"));
}
