//! A record of what a metric counted, instead of an event. Its bits:
//!
//! | bits | what |
//! |---|---|
//! | 0 to 15 | the cell |
//! | 16 to 47 | how many |
//! | 48 to 63 | steps of time from the start to the record's time, which is the end |

use super::{Error, Record, Wire};
use crate::events::time::Coarse;
use crate::schemas::schema::SchemaDescriptor;

/// What a metric's cell counted in a time, as a record says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Position of the metric in the schema.
    pub metric: usize,
    /// Index of the cell in the metric.
    pub cell: usize,
    /// How many; never 0.
    pub count: u32,
    /// From when.
    pub start: Coarse,
    /// Until when.
    pub end: Coarse,
}

/// Index of the first metric in records: above those of events, of which there are 256 at most.
const METRIC_INDEX: u16 = 1 << 8;

const CELL_BITS: u32 = 16;
const COUNT_BITS: u32 = 32;

/// Most steps of time from the start to the end.
const STEPS_MAX: u32 = 0xFFFF;

impl Record {
    /// The record of `delta`. What does not fit (2^16 cells, 2^16 steps of time) is no record of any schema.
    ///
    /// ```
    /// use automagik_telemetry_core::{Record, record::Delta, time::Coarse};
    /// let (start, end) = (Coarse::from_steps(7), Coarse::from_steps(8));
    /// let delta = Delta { metric: 0, cell: 2, count: 300, start, end };
    /// assert_eq!(Record::from_delta(&delta).as_delta(), Some(delta));
    /// ```
    #[must_use]
    pub fn from_delta(delta: &Delta) -> Self {
        let steps = delta.end.steps().saturating_sub(delta.start.steps()).min(STEPS_MAX);
        let above = CELL_BITS.saturating_add(COUNT_BITS);
        let bits = u64::try_from(delta.cell).unwrap_or(u64::MAX) & super::mask(CELL_BITS)
            | (u64::from(delta.count) << CELL_BITS)
            | (u64::from(steps) << above);
        let event = u16::try_from(delta.metric).unwrap_or(u16::MAX).saturating_add(METRIC_INDEX);
        Self(Wire { event, time: delta.end.steps(), bits })
    }

    /// Whether this is a record of a metric and not of an event.
    #[inline]
    pub(crate) const fn is_delta(&self) -> bool {
        self.0.event >= METRIC_INDEX
    }

    /// How many were counted, where this is a record of a metric.
    pub(super) const fn delta_count(&self) -> u32 {
        (self.0.bits >> CELL_BITS) as u32
    }

    /// Position of the metric, where this is a record of one.
    #[inline]
    pub(crate) fn metric(&self) -> Option<usize> {
        self.0.event.checked_sub(METRIC_INDEX).map(usize::from)
    }

    /// Returns what was counted if this is a record of a metric and not of an event.
    #[must_use]
    pub fn as_delta(&self) -> Option<Delta> {
        let metric = self.metric()?;
        let cell = usize::try_from(self.0.bits & super::mask(CELL_BITS)).ok()?;
        let count = u32::try_from((self.0.bits >> CELL_BITS) & super::mask(COUNT_BITS)).ok()?;
        let steps = self.0.bits >> CELL_BITS.saturating_add(COUNT_BITS);
        let start = self.0.time.saturating_sub(u32::try_from(steps).ok()?);
        Some(Delta { metric, cell, count, start: Coarse::from_steps(start), end: self.time() })
    }

    /// What was counted, where this is a record of one of `schema`'s metrics: checked before anything of it leaves.
    pub(crate) fn check_delta(&self, schema: &SchemaDescriptor) -> Result<Delta, Error> {
        let delta = self.as_delta().ok_or(Error::UnknownEvent)?;
        let metric = schema.metrics().get(delta.metric).ok_or(Error::UnknownEvent)?;
        if delta.cell >= metric.cells() || delta.count == 0 {
            return Err(Error::OutOfDomain);
        }
        Ok(delta)
    }
}
