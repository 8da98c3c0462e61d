//! From the caller's side: `cargo bench --manifest-path benches/Cargo.toml --bench record`.
//!
//! Every sample of ours and of the batch processor starts after a flush, with its thread at rest: dropping is cheaper than queueing,
//! and a request that is still being sent takes the processor from whoever is measured. A few events go before those that are
//! measured, as the samples of the others do.

use automagik_telemetry_test_support::Receiver;
use benches::event::{emit as emit_log, ran, telemetry};
use benches::peers::Look;
use benches::sdk::Nothing;
use divan::{Bencher, black_box};
use opentelemetry::logs::LoggerProvider;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use std::time::{Duration, Instant, SystemTime};
use tracing_subscriber::layer::SubscriberExt;

/// Events a sample and thread: with eight threads, and with those that go before, no more than fit in the batch processor's queue of
/// 2,048.
const TIMES: usize = 200;

/// Events that go before those that are measured.
const BEFORE: usize = 20;

/// How long the thread behind a queue has to come to rest.
const REST: Duration = Duration::from_millis(1);

/// Keeps a processor awake while others come to rest, as it is where nothing is waited for.
fn rest() {
    let start = Instant::now();
    while start.elapsed() < REST {
        std::hint::spin_loop();
    }
}

#[divan::bench(threads = [1, 2, 8], sample_size = 1, sample_count = 300)]
fn ours(bencher: Bencher<'_, '_>) {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let telemetry = telemetry(home.path(), &format!("http://127.0.0.1:{}", collector.port()));
    assert!(telemetry.decision().enabled());
    bencher
        .counter(TIMES)
        .with_inputs(|| {
            telemetry.flush(Duration::from_secs(10)).unwrap();
            rest();
            (0..BEFORE).for_each(|_| telemetry.record(ran()));
        })
        .bench_refs(|()| (0..TIMES).for_each(|_| telemetry.record(ran())));
}

#[divan::bench(threads = [1, 2, 8], sample_size = 1, sample_count = 300)]
fn ours_without_consent(bencher: Bencher<'_, '_>) {
    let home = tempfile::tempdir().unwrap();
    let telemetry = automagik_telemetry::Telemetry::<benches::event::Bench>::builder()
        .environment(automagik_telemetry::Environment::at(home.path()))
        .start();
    assert!(!telemetry.decision().enabled());
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| telemetry.record(ran())));
}

#[divan::bench(threads = [1, 2, 8], sample_size = 1, sample_count = 300)]
fn opentelemetry_nothing_behind(bencher: Bencher<'_, '_>) {
    let provider = SdkLoggerProvider::builder().with_log_processor(Nothing).build();
    let logger = provider.logger("benches");
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| emit_log(black_box(&logger))));
}

#[divan::bench(threads = [1, 2, 8], sample_size = 1, sample_count = 300)]
fn opentelemetry_batch(bencher: Bencher<'_, '_>) {
    let provider = SdkLoggerProvider::builder().with_batch_exporter(Nothing).build();
    let logger = provider.logger("benches");
    bencher
        .counter(TIMES)
        .with_inputs(|| {
            provider.force_flush().unwrap();
            rest();
            (0..BEFORE).for_each(|_| emit_log(&logger));
        })
        .bench_refs(|()| (0..TIMES).for_each(|_| emit_log(black_box(&logger))));
}

#[divan::bench(threads = [1, 2, 8], sample_size = 1, sample_count = 300)]
fn tracing_layer_that_looks(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| {
        (0..TIMES).for_each(|_| {
            tracing::info!(name: "bench.tool.ran", tool = black_box("format"), duration_ms = black_box(128), success = black_box(true));
        });
    });
}

#[divan::bench(threads = [1, 2, 8], sample_size = 1, sample_count = 300)]
fn emit_nothing_behind(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| {
        (0..TIMES).for_each(|_| {
            emit::info!("bench.tool.ran", tool: black_box("format"), duration_ms: black_box(128), success: black_box(true));
        });
    });
}

#[divan::bench(sample_size = 1, sample_count = 300)]
fn coarse_clock(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| {
        (0..TIMES).for_each(|_| {
            black_box(rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec);
        })
    });
}

#[divan::bench(sample_size = 1, sample_count = 300)]
fn system_clock(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| {
        (0..TIMES).for_each(|_| {
            black_box(SystemTime::now());
        })
    });
}

fn main() {
    let _emit = emit::setup()
        .emit_to(emit::emitter::from_fn(|event| {
            black_box(event.props());
        }))
        .init();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Look)).unwrap();
    divan::main();
}
