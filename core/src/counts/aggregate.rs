//! Aggregates: counters and histograms in static memory. An addition is one atomic instruction, from any thread or interrupt; there
//! is nothing to initialise, no queue, and no event.
//!
//! ```
//! use automagik_telemetry_core::aggregate::{Counted, Counter};
//! use automagik_telemetry_core::Label;
//! # use automagik_telemetry_core::cell::Cells;
//!
//! enum Command { List, Create }
//! # impl Label for Command {
//! #     const WORDS: &'static [&'static str] = &["list", "create"];
//! #     fn ordinal(&self) -> u32 { match self { Self::List => 0, Self::Create => 1 } }
//! # }
//! // The derive of `Label` writes this:
//! impl Counted for Command { type Of<T: Cells> = [T; 2]; }
//!
//! static COMMANDS: Counter<Command> = Counter::new();
//! COMMANDS.add(Command::Create);
//! ```
//!
//! A cell is 4 bytes and stops at 2^32 - 1. A host has each metric's cells sixteen times, its shards, so that threads rarely meet
//! in one; a shard that no thread has added to is untouched memory. Differences are taken by exchanging a cell for 0, so an addition
//! counts in one of two neighbouring differences and is never lost.

use crate::events::bucket;
use crate::events::cell::{Cell, Cells, SHARDS, Shards};
use crate::events::field::{Bytes, Domain, Field, Milliseconds};
use crate::events::metric::{Kind, MetricDescriptor};
use crate::events::time::Coarse;
use crate::records::record::{Delta, Record};
use crate::schemas::schema::{Checked, Schema};
use crate::words::label::Label;
use core::marker::PhantomData;

/// A label whose number of words is known to the type system; the derive of [`Label`] writes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a label that can be counted by",
    label = "this needs an enum without data and with `#[derive(Label)]`"
)]
pub trait Counted: Label {
    /// A `T` for each word: `[T; WORDS.len()]`.
    type Of<T: Cells>: Cells;
}

/// What a metric is counted by: nothing (`()`), a label, or a pair of labels.
pub trait Labels: 'static {
    /// The labels' words.
    const DOMAINS: &'static [Domain];

    /// A `T` for each combination of words.
    type Of<T: Cells>: Cells;

    /// The position of this combination among all, the last label changing fastest.
    fn position(&self) -> usize;
}

impl Labels for () {
    const DOMAINS: &'static [Domain] = &[];
    type Of<T: Cells> = [T; 1];

    #[inline]
    fn position(&self) -> usize {
        0
    }
}

impl<L: Counted> Labels for L {
    const DOMAINS: &'static [Domain] = &[L::DOMAIN];
    type Of<T: Cells> = L::Of<T>;

    #[inline]
    fn position(&self) -> usize {
        Label::ordinal(self) as usize
    }
}

impl<A: Counted, B: Counted> Labels for (A, B) {
    const DOMAINS: &'static [Domain] = &[A::DOMAIN, B::DOMAIN];
    type Of<T: Cells> = A::Of<B::Of<T>>;

    #[inline]
    fn position(&self) -> usize {
        let (a, b) = (Label::ordinal(&self.0) as usize, Label::ordinal(&self.1) as usize);
        a.saturating_mul(B::Of::<Cell>::COUNT).saturating_add(b)
    }
}

/// What a histogram measures: whole numbers of a unit.
pub trait Measure: 'static {
    /// The unit in UCUM.
    const UNIT: &'static str;

    /// The class of [`bucket::half`].
    fn class(&self) -> u32;
}

impl Measure for Milliseconds {
    const UNIT: &'static str = "ms";

    #[inline]
    fn class(&self) -> u32 {
        bucket::half_of(Field::ordinal(self))
    }
}

impl Measure for Bytes {
    const UNIT: &'static str = "By";

    #[inline]
    fn class(&self) -> u32 {
        bucket::half_of(Field::ordinal(self))
    }
}

/// What a schema needs to know of a counter or histogram.
pub trait Metric: Sync {
    /// What its cells count.
    const KIND: Kind;
    /// The unit in UCUM.
    const UNIT: &'static str;
    /// The labels' words.
    const DOMAINS: &'static [Domain];
    /// All cells 0.
    const ZERO: Self;

    /// The cell at `index`; behind those of the first shard stand the next one's, of which there is none before a thread adds to it.
    fn cell(&self, index: usize) -> Option<&Cell>;
}

/// Whether a distribution leaves telemetry out of all programs that it builds: then nobody would take the counts.
const LEFT_OUT: bool = cfg!(automagik_telemetry_off);

/// Counts how often something happened, by the labels `L`. 4 bytes for each combination of words on a device; on a host sixteen times
/// as many, each time rounded up to 128.
pub struct Counter<L: Labels>(Shards<L::Of<Cell>>, PhantomData<fn(L)>);

impl<L: Labels> Counter<L> {
    /// Creates one whose counts are 0, for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self(Shards::new(), PhantomData)
    }

    /// Adds one.
    #[inline]
    pub fn add(&self, labels: L) {
        if !LEFT_OUT {
            self.0.add(labels.position());
        }
    }
}

impl<L: Labels> Default for Counter<L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<L: Labels> core::fmt::Debug for Counter<L> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Counter").finish_non_exhaustive()
    }
}

impl<L: Labels> Metric for Counter<L> {
    const KIND: Kind = Kind::Counter;
    const UNIT: &'static str = "1";
    const DOMAINS: &'static [Domain] = L::DOMAINS;
    const ZERO: Self = Self::new();

    fn cell(&self, index: usize) -> Option<&Cell> {
        self.0.cell(index)
    }
}

/// Counts how often a measurement fell into each size class, by the labels `L`. 176 bytes for each combination of words on a device; on a host sixteen
/// times as many, each time rounded up to 128.
pub struct Histogram<L: Labels, M>(Shards<L::Of<[Cell; bucket::HALVES as usize]>>, PhantomData<fn(L, M)>);

impl<L: Labels, M: Measure> Histogram<L, M> {
    /// Creates one whose counts are 0, for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self(Shards::new(), PhantomData)
    }

    /// Adds one, of size `measured`.
    #[inline]
    pub fn record(&self, labels: L, measured: M) {
        let class = measured.class() as usize;
        let first = labels.position().saturating_mul(bucket::HALVES as usize);
        if !LEFT_OUT {
            self.0.add(first.saturating_add(class));
        }
    }
}

impl<L: Labels, M: Measure> Default for Histogram<L, M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<L: Labels, M> core::fmt::Debug for Histogram<L, M> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Histogram").finish_non_exhaustive()
    }
}

impl<L: Labels, M: Measure> Metric for Histogram<L, M> {
    const KIND: Kind = Kind::Histogram;
    const UNIT: &'static str = M::UNIT;
    const DOMAINS: &'static [Domain] = L::DOMAINS;
    const ZERO: Self = Self::new();

    fn cell(&self, index: usize) -> Option<&Cell> {
        self.0.cell(index)
    }
}

/// The counters and histograms of a program; derive it on a struct of them.
pub trait Metrics: Sync + 'static {
    /// The metrics, in the order of their positions.
    const DESCRIPTORS: &'static [MetricDescriptor];

    /// The one value that there is, in static memory.
    fn global() -> &'static Self;

    /// The cell at `index` of the metric at `position`, as [`Metric::cell`] counts them.
    fn cell(&self, position: usize, index: usize) -> Option<&Cell>;
}

/// A program without metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMetrics;

impl Metrics for NoMetrics {
    const DESCRIPTORS: &'static [MetricDescriptor] = &[];

    fn global() -> &'static Self {
        &Self
    }

    fn cell(&self, _: usize, _: usize) -> Option<&Cell> {
        None
    }
}

/// Takes all counts of `S` since the last call, and gives each that is not 0 to `each` as a record: so many from `start` to
/// `end`. If `each` has no room, the count goes back to its cell and the call returns: nothing is lost.
///
/// ```
/// # use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
/// # use automagik_telemetry_core::{Queue, Schema, aggregate, time::Coarse};
/// # struct Omni;
/// # impl Schema for Omni {
/// #     const ORGANIZATION: &'static str = "automagik";
/// #     const PROJECT: &'static str = "omni";
/// #     const VERSION: &'static str = "1.0.0";
/// #     const EVENTS: &'static [EventDescriptor] = &[];
/// #     fn position(&self) -> (u16, Ordinals) { (0, Ordinals::new([])) }
/// # }
/// static QUEUE: Queue<1024> = Queue::new();
/// let (start, end) = (Coarse::from_steps(29_350_800), Coarse::from_steps(29_350_801));
/// aggregate::drain::<Omni>(start, end, |record| QUEUE.offer(&record).is_ok());
/// ```
pub fn drain<S: Schema>(start: Coarse, end: Coarse, mut each: impl FnMut(Record) -> bool) {
    for (position, metric) in Checked::<S>::DESCRIPTOR.metrics().iter().enumerate() {
        let cells = metric.cells();
        let cell = |shard: usize, index| S::cell(position, shard.saturating_mul(cells).saturating_add(index));
        let used = (0..SHARDS).fold(0_u32, |used, shard| used | u32::from(cell(shard, 0).is_some()) << shard);
        if used == 0 {
            continue;
        }
        for index in 0..cells {
            let (mut count, mut last) = (0_u32, None);
            for cell in
                (0..SHARDS).filter(|shard| used & 1 << shard != 0).filter_map(|shard| cell(shard, index))
            {
                count = count.saturating_add(cell.take());
                last = Some(cell);
            }
            if count > 0
                && !each(Record::from_delta(&Delta { metric: position, cell: index, count, start, end }))
            {
                if let Some(cell) = last {
                    cell.put_back(count);
                }
                return;
            }
        }
    }
}
