//! What the peers need to be driven.

use crate::Command;
use fast_telemetry::LabelEnum;
use metrics::{Key, KeyName, Metadata, SharedString, Unit};
use metrics_util::registry::{AtomicStorage, Registry};
use std::hint::black_box;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// A layer of tracing that looks at every field, and keeps none.
#[derive(Debug)]
pub struct Look;

impl tracing::field::Visit for Look {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        black_box((field.name(), value as *const _ as *const ()));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Look {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut Look);
    }
}

/// A label of fast-telemetry.
#[derive(Clone, Copy, Debug)]
pub struct Word(pub Command);

impl LabelEnum for Word {
    const CARDINALITY: usize = 5;
    const LABEL_NAME: &'static str = "command";

    #[inline]
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

/// The usual recorder of the `metrics` crate: its registry of atomics.
pub struct Recorder(Registry<Key, AtomicStorage>);

impl Default for Recorder {
    fn default() -> Self {
        Self(Registry::atomic())
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        self.0.get_or_create_counter(key, |counter| counter.clone().into())
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        self.0.get_or_create_gauge(key, |gauge| gauge.clone().into())
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        self.0.get_or_create_histogram(key, |histogram| histogram.clone().into())
    }
}
