//! What was lost: counted, and told as an event of ours.
//!
//! The event [`EVENT_DROPPED`] is the first of every schema, so that a queue can record its own losses without
//! knowing the application's events.

use crate::event::{EventDescriptor, Severity, field};
use crate::field::Count;
use crate::label::Label;

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

impl Label for Reason {
    const WORDS: &'static [&'static str] =
        &["queue_full", "store_full", "expired", "corrupt", "refused", "undeliverable", "out_of_domain"];

    fn ordinal(&self) -> u32 {
        *self as u32
    }
}

/// How many records were dropped, 1 to 2^20 - 1; more are told as that.
pub type DroppedCount = Count<0xF_FFFF>;

/// `automagik.telemetry.dropped`: `count` records were dropped for `reason`.
pub const EVENT_DROPPED: EventDescriptor = EventDescriptor {
    name: "automagik.telemetry.dropped",
    severity: Severity::Warn,
    fields: &[field::<Reason>("reason"), field::<DroppedCount>("count")],
};
