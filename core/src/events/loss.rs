//! Dropped events: they are counted, and the count is reported as an event of this library.
//!
//! The event [`EVENT_DROPPED`] is the first of every schema, so that a queue can record its own losses without
//! knowing the application's events.

use crate::events::event::{EventDescriptor, Severity, field};
use crate::events::field::Count;
use crate::words::label::Label;

/// Position of [`EVENT_DROPPED`] in every schema.
pub const DROPPED_INDEX: u16 = 0;

/// Why records were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The queue in memory was full.
    QueueFull,
    /// The store on disk or in flash was full.
    StoreFull,
    /// They were kept longer than the schema allows.
    Expired,
    /// They could not be read back.
    Corrupt,
    /// The collector refused them.
    Refused,
    /// Delivery was tried as often as allowed.
    Undeliverable,
    /// A value lay outside its field's domain (an implementation written by hand is wrong).
    OutOfDomain,
}

impl Reason {
    /// All of them, in the order of their ordinals.
    pub const ALL: [Self; 7] = [
        Self::QueueFull,
        Self::StoreFull,
        Self::Expired,
        Self::Corrupt,
        Self::Refused,
        Self::Undeliverable,
        Self::OutOfDomain,
    ];
}

impl Label for Reason {
    const WORDS: &'static [&'static str] =
        &["queue_full", "store_full", "expired", "corrupt", "refused", "undeliverable", "out_of_domain"];

    fn ordinal(&self) -> u32 {
        *self as u32
    }
}

/// Most losses that one record can report: 2^20 - 1. More take several records.
pub const DROPPED_COUNT_MAX: u32 = 0xF_FFFF;

/// How many were dropped, 1 to [`DROPPED_COUNT_MAX`].
pub type DroppedCount = Count<DROPPED_COUNT_MAX>;

/// `automagik.telemetry.dropped`: `count` records were dropped for `reason`.
pub const EVENT_DROPPED: EventDescriptor = EventDescriptor {
    name: "automagik.telemetry.dropped",
    severity: Severity::Warn,
    fields: &[field::<Reason>("reason"), field::<DroppedCount>("count")],
};

/// How much was dropped for each reason and not yet reported: events, and additions of metrics. 28 bytes.
///
/// ```
/// use automagik_telemetry_core::loss::{Losses, Reason};
/// let mut losses = Losses::new();
/// losses.add(Reason::Refused, 3);
/// losses.add(Reason::Refused, 1);
/// assert_eq!(losses.take().next(), Some((Reason::Refused, 4)));
/// assert!(losses.is_empty());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    counts: [u32; Reason::ALL.len()],
}

impl Losses {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [0; Reason::ALL.len()] }
    }

    /// `count` more for `reason`.
    pub fn add(&mut self, reason: Reason, count: u32) {
        for (known, sum) in Reason::ALL.iter().zip(&mut self.counts) {
            if *known == reason {
                *sum = sum.saturating_add(count);
            }
        }
    }

    /// Those of `other` too.
    pub fn add_all(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum = sum.saturating_add(*count);
        }
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// Returns the number of records, over all reasons.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Takes `most` at most of the first reason that has a count: as many as one record can report
    /// ([`DROPPED_COUNT_MAX`]), until there are none.
    ///
    /// ```
    /// use automagik_telemetry_core::loss::{Losses, Reason};
    /// let mut losses = Losses::new();
    /// losses.add(Reason::Refused, 5);
    /// assert_eq!(losses.take_some(3), Some((Reason::Refused, 3)));
    /// assert_eq!(losses.take_some(3), Some((Reason::Refused, 2)));
    /// assert_eq!(losses.take_some(3), None);
    /// ```
    pub fn take_some(&mut self, most: u32) -> Option<(Reason, u32)> {
        let (reason, sum) = Reason::ALL.into_iter().zip(&mut self.counts).find(|(_, sum)| **sum > 0)?;
        let taken = (*sum).min(most);
        *sum = sum.saturating_sub(taken);
        Some((reason, taken))
    }

    /// Each reason that has a count, and the count; afterwards there are none.
    pub fn take(&mut self) -> impl Iterator<Item = (Reason, u32)> + use<> {
        let counts = core::mem::take(&mut self.counts);
        Reason::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }
}
