//! Counting, beside an atomic addition and peers: `cargo bench --manifest-path benches/Cargo.toml --bench count`.

use benches::{Command, bare, counter, histogram};
use divan::{Bencher, black_box};
use fast_telemetry::{LabelEnum, LabeledCounter};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, MeterProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
struct Word(Command);

impl LabelEnum for Word {
    const CARDINALITY: usize = 5;
    const LABEL_NAME: &'static str = "command";

    fn as_index(self) -> usize {
        self.0 as usize
    }

    fn from_index(_: usize) -> Self {
        Self(Command::List)
    }

    fn variant_name(self) -> &'static str {
        "list"
    }
}

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

/// Exports to nowhere, once a minute.
#[derive(Debug)]
struct Nowhere;

impl PushMetricExporter for Nowhere {
    async fn export(&self, _: &ResourceMetrics) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

/// The reference SDK's counter, behind its periodic reader.
fn opentelemetry_counter() -> (SdkMeterProvider, Counter<u64>) {
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(Nowhere).build()).build();
    let counter = provider.meter("benches").u64_counter("commands").build();
    (provider, counter)
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
            let attributes = [
                KeyValue::new("command", "create"),
                KeyValue::new("outcome", "ok"),
                KeyValue::new("interactive", true),
            ];
            counter.add(1, black_box(&attributes));
        });
    });
}

fn main() {
    divan::main();
}
