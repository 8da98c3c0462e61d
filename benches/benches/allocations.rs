//! Allocations an event or an addition, on the caller's thread: `cargo bench --manifest-path benches/Cargo.toml --bench allocations`.

use allocation_counter::measure;
use automagik_telemetry_test_support::Receiver;
use benches::event::{emit as emit_log, ran, telemetry};
use benches::sdk::{Nothing, opentelemetry_counter};
use benches::{Command, counter};
use opentelemetry::KeyValue;
use opentelemetry::logs::LoggerProvider;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use std::hint::black_box;

/// Fewer than any queue holds.
const TIMES: u64 = 1_000;

fn say(name: &str, work: impl Fn()) {
    work(); // what is made once
    let found = measure(|| (0..TIMES).for_each(|_| work()));
    println!("allocations: {name}={:.2} bytes={:.0}", per(found.count_total), per(found.bytes_total));
}

fn per(count: u64) -> f64 {
    count as f64 / TIMES as f64
}

fn main() {
    let home = tempfile::tempdir().expect("a folder");
    let collector = Receiver::start();
    let ours = telemetry(home.path(), &format!("http://127.0.0.1:{}", collector.port()));
    assert!(ours.is_on());
    say("ours", || ours.record(black_box(ran())));
    say("our_counter", || counter(black_box(Command::Create)));

    let provider = SdkLoggerProvider::builder().with_log_processor(Nothing).build();
    let logger = provider.logger("benches");
    say("opentelemetry_nothing_behind", || emit_log(&logger));
    let provider = SdkLoggerProvider::builder().with_batch_exporter(Nothing).build();
    let logger = provider.logger("benches");
    say("opentelemetry_batch", || emit_log(&logger));
    let (_provider, commands) = opentelemetry_counter();
    say("opentelemetry_1_attribute", || commands.add(1, &[KeyValue::new("command", "create")]));

    let _emit = emit::setup()
        .emit_to(emit::emitter::from_fn(|event| {
            black_box(event.props());
        }))
        .init();
    say(
        "emit_nothing_behind",
        || emit::info!("bench.tool.ran", tool: "format", duration_ms: 128, success: true),
    );
}
