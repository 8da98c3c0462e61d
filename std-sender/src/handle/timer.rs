//! How long something takes: for a histogram, or for an event.

use automagik_telemetry_core::aggregate::Labels;
use automagik_telemetry_core::{Histogram, Milliseconds};
use std::time::Instant;

/// Measures a duration for an event.
///
/// ```
/// use automagik_telemetry_std::Stopwatch;
/// let started = Stopwatch::start();
/// // the work
/// let duration = started.elapsed(); // a field of an event
/// # let _: automagik_telemetry_core::Milliseconds = duration;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the time since the start, in its size class.
    #[must_use]
    pub fn elapsed(&self) -> Milliseconds {
        Milliseconds::from(self.0.elapsed())
    }
}

/// Measures the time until it is dropped, and adds it to a histogram.
///
/// ```
/// use automagik_telemetry_core::{Histogram, Milliseconds};
/// use automagik_telemetry_std::Timer;
///
/// static WORK: Histogram<(), Milliseconds> = Histogram::new();
/// {
///     let _timer = Timer::start(&WORK, ());
///     // the work
/// } // recorded here
/// ```
#[must_use = "it measures until it is dropped"]
pub struct Timer<L: Labels> {
    histogram: &'static Histogram<L, Milliseconds>,
    labels: Option<L>,
    started: Instant,
}

impl<L: Labels> Timer<L> {
    /// Starts to measure.
    pub fn start(histogram: &'static Histogram<L, Milliseconds>, labels: L) -> Self {
        Self { histogram, labels: Some(labels), started: Instant::now() }
    }

    /// Counts under `labels` instead, if you learn the outcome only at the end.
    pub fn set(&mut self, labels: L) {
        self.labels = Some(labels);
    }

    /// Records nothing.
    pub fn discard(mut self) {
        self.labels = None;
    }
}

impl<L: Labels> Drop for Timer<L> {
    fn drop(&mut self) {
        if let Some(labels) = self.labels.take() {
            self.histogram.record(labels, Milliseconds::from(self.started.elapsed()));
        }
    }
}

impl<L: Labels> std::fmt::Debug for Timer<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timer").field("started", &self.started).finish_non_exhaustive()
    }
}
