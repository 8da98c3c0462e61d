//! Counting, beside an atomic addition and peers: `cargo bench --manifest-path benches/Cargo.toml --bench count`.

use benches::peers::{Recorder, Word};
use benches::sdk::{opentelemetry_counter, three_attributes};
use benches::{Command, bare, counter, histogram};
use divan::{Bencher, black_box};
use fast_telemetry::LabeledCounter;
use opentelemetry::KeyValue;
use otel_arrow_dfe_expohisto::HistogramNN;

const TIMES: usize = 10_000;

#[divan::bench(threads = [1, 2])]
fn bare_fetch_add(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| bare(black_box(Command::Create))));
}

#[divan::bench(threads = [1, 2])]
fn our_counter(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| counter(black_box(Command::Create))));
}

#[divan::bench(threads = [1, 2])]
fn our_histogram(bencher: Bencher<'_, '_>) {
    bencher
        .counter(TIMES)
        .bench(|| (0..TIMES).for_each(|_| histogram(black_box(Command::Create), black_box(130))));
}

#[divan::bench(threads = [1, 2])]
fn fast_telemetry_sharded(bencher: Bencher<'_, '_>) {
    let sharded: LabeledCounter<Word> = LabeledCounter::new(2);
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| sharded.inc(black_box(Word(Command::Create)))));
}

#[divan::bench(threads = [1, 2])]
fn opentelemetry_1_attribute(bencher: Bencher<'_, '_>) {
    let (_provider, counter) = opentelemetry_counter();
    bencher.counter(TIMES).bench(|| {
        (0..TIMES).for_each(|_| counter.add(1, black_box(&[KeyValue::new("command", "create")])));
    });
}

#[divan::bench(threads = [1, 2])]
fn opentelemetry_3_attributes(bencher: Bencher<'_, '_>) {
    let (_provider, counter) = opentelemetry_counter();
    bencher.counter(TIMES).bench(|| {
        (0..TIMES).for_each(|_| {
            let attributes = three_attributes();
            counter.add(1, black_box(&attributes));
        });
    });
}

/// Experimental in 0.33: the attributes are looked up once.
#[divan::bench(threads = [1, 2])]
fn opentelemetry_bound(bencher: Bencher<'_, '_>) {
    let (_provider, counter) = opentelemetry_counter();
    let bound = counter.bind(&[KeyValue::new("command", "create")]);
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| black_box(&bound).add(1)));
}

#[divan::bench(threads = [1, 2])]
fn metrics_counter(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| {
        (0..TIMES).for_each(|_| metrics::counter!("commands", "command" => "create").increment(black_box(1)));
    });
}

/// An exponential histogram for one word, not shared: each thread has its own.
#[divan::bench(threads = [1, 2])]
fn expohisto_not_shared(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).with_inputs(HistogramNN::<16>::new).bench_refs(|histogram| {
        (0..TIMES).for_each(|_| histogram.update(black_box(130.0)).unwrap());
    });
}

fn main() {
    metrics::set_global_recorder(Recorder::default()).unwrap_or_else(|_| panic!("a recorder"));
    divan::main();
}
