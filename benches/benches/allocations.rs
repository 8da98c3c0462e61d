//! Allocations an event or an addition, on the caller's thread: `cargo bench --manifest-path benches/Cargo.toml --bench allocations`.

use allocation_counter::measure;
use automagik_telemetry::otlp::Logs;
use automagik_telemetry_test_support::Receiver;
use benches::event::{emit as emit_log, ran, records, resource, telemetry};
use benches::message::{EVENTS, ROOM, build, envelope, message, sdk_records, sdk_request, sdk_resource};
use benches::peers::{Look, Recorder, Word};
use benches::sdk::{Nothing, opentelemetry_counter, three_attributes};
use benches::{Command, counter, histogram};
use fast_telemetry::LabeledCounter;
use opentelemetry::KeyValue;
use opentelemetry::logs::LoggerProvider;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use prost::Message;
use std::cell::RefCell;
use std::hint::black_box;
use tracing_subscriber::layer::SubscriberExt;

/// Fewer than any queue holds.
const TIMES: u64 = 1_000;

fn say(name: &str, work: impl Fn()) {
    say_each(name, 1, work);
}

/// The same where one piece of `work` is `events` of them.
fn say_each(name: &str, events: u32, work: impl Fn()) {
    work(); // what is made once
    let found = measure(|| (0..TIMES).for_each(|_| work()));
    println!("allocations: {name}={:.2}", found.count_total as f64 / TIMES as f64 / f64::from(events));
}

fn main() {
    let home = tempfile::tempdir().expect("a folder");
    let collector = Receiver::start();
    let ours = telemetry(home.path(), &format!("http://127.0.0.1:{}", collector.port()));
    assert!(ours.is_on());
    say("ours", || ours.record(ran()));
    say("our_counter", || counter(black_box(Command::Create)));
    say("our_histogram", || histogram(black_box(Command::Create), black_box(130)));

    let provider = SdkLoggerProvider::builder().with_log_processor(Nothing).build();
    let logger = provider.logger("benches");
    say("opentelemetry_nothing_behind", || emit_log(&logger));
    let provider = SdkLoggerProvider::builder().with_batch_exporter(Nothing).build();
    let logger = provider.logger("benches");
    say("opentelemetry_batch", || emit_log(&logger));
    let (_provider, commands) = opentelemetry_counter();
    say("opentelemetry_1_attribute", || commands.add(1, &[KeyValue::new("command", "create")]));
    say("opentelemetry_3_attributes", || commands.add(1, &three_attributes()));
    let bound = commands.bind(&[KeyValue::new("command", "create")]);
    say("opentelemetry_bound", || bound.add(1));
    let sharded: LabeledCounter<Word> = LabeledCounter::new(2);
    say("fast_telemetry_sharded", || sharded.inc(Word(Command::Create)));
    metrics::set_global_recorder(Recorder::default()).unwrap_or_else(|_| panic!("a recorder"));
    say("metrics_counter", || metrics::counter!("commands", "command" => "create").increment(1));

    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(Look));
    say(
        "tracing_layer_that_looks",
        || tracing::info!(name: "bench.tool.ran", tool = "format", duration_ms = 128, success = true),
    );

    let _emit = emit::setup()
        .emit_to(emit::emitter::from_fn(|event| {
            black_box(event.props());
        }))
        .init();
    say(
        "emit_nothing_behind",
        || emit::info!("bench.tool.ran", tool: "format", duration_ms: 128, success: true),
    );

    let (resource, records, room) = (resource(), records(EVENTS), RefCell::new([0; ROOM]));
    say_each("ours_records_to_otlp", EVENTS, || {
        black_box(Logs::encode(&resource, &records, &mut *room.borrow_mut()).expect("room"));
    });
    let bytes = RefCell::new(Vec::with_capacity(ROOM));
    let encode = |request: &ExportLogsServiceRequest| {
        let mut bytes = bytes.borrow_mut();
        bytes.clear();
        request.encode(&mut *bytes).expect("room");
    };
    let (message, envelope) = (message(), envelope());
    say_each("prost_encode_ready_message", EVENTS, || encode(&message));
    say_each("prost_build_and_encode", EVENTS, || encode(&build(&envelope)));
    let kept = sdk_records();
    let batch: Vec<_> = kept.iter().map(|(record, scope)| (record, scope)).collect();
    let resource = sdk_resource();
    say_each("opentelemetry_otlp_records_to_otlp", EVENTS, || encode(&sdk_request(&batch, &resource)));
}
