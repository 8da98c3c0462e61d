//! Records as a stream of bits.
//!
//! ```text
//! stream   = base, record, *(later, record), zeros to the end of the byte
//! base     = steps since the boot began to the first record: a varint, 7 bits a byte, the lowest first
//! later    = steps from the record before to this one: signed; all are below 2^31
//! record   = selector, (loss / event / delta)
//! selector = a position among the schema's events, then its metrics: the bits of the last position
//! loss     = reason: 3 bits; count: universal                               where the selector is 0
//! event    = the fields' ordinals, each in the bits of its domain, the first field first
//! delta    = cell: the bits of the metric's last cell; count - 1: universal; steps from its start to its end: universal
//! ```
//!
//! Times are steps of the schema's resolution since the boot began, so a device need not know what day it is.

use super::Error;
use super::bits;
use crate::events::field::Field;
use crate::events::loss::{DROPPED_COUNT_MAX, DROPPED_INDEX, Reason};
use crate::events::time::Coarse;
use crate::records::record::{Delta, Record};
use crate::schemas::schema::SchemaDescriptor;

/// What a reader or a writer of a stream knows of a schema: how many events and metrics there are, and what their values range over.
pub trait Shape {
    /// How many events there are, that of losses among them, and how many metrics.
    fn counts(&self) -> (u32, u32);

    /// How many bits the fields of `event` take: 64 at most.
    fn event_bits(&self, event: u16) -> Option<u32>;

    /// How many cells `metric` has.
    fn cells(&self, metric: usize) -> Option<u32>;

    /// Whether all of the record's ordinals lie in their domains.
    fn admits(&self, record: &Record) -> bool;
}

impl Shape for SchemaDescriptor {
    fn counts(&self) -> (u32, u32) {
        // 256 and 64 at most.
        (self.event_count() as u32, self.metrics().len() as u32)
    }

    fn event_bits(&self, event: u16) -> Option<u32> {
        let fields = self.event(event)?.fields.iter();
        Some(fields.fold(0, |sum, field| field.domain.bits().wrapping_add(sum)))
    }

    fn cells(&self, metric: usize) -> Option<u32> {
        u32::try_from(self.metrics().get(metric)?.cells()).ok()
    }

    fn admits(&self, record: &Record) -> bool {
        if record.is_delta() { record.check_delta(self).is_ok() } else { record.check(self).is_ok() }
    }
}

/// Bits that tell `count` things apart.
const fn bits_of(count: u32) -> u32 {
    u32::BITS.wrapping_sub(count.saturating_sub(1).leading_zeros())
}

fn selector_bits(shape: &(impl Shape + ?Sized)) -> u32 {
    let (events, metrics) = shape.counts();
    bits_of(events.wrapping_add(metrics))
}

/// Writes a stream.
pub(super) struct Writer<'a> {
    shape: &'a SchemaDescriptor,
    /// When the boot began, where that is known.
    start: Option<Coarse>,
    bits: bits::Writer<'a>,
    before: Option<u32>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(shape: &'a SchemaDescriptor, start: Option<Coarse>, bytes: &'a mut [u8]) -> Self {
        Self { shape, start, bits: bits::Writer::new(bytes), before: None }
    }

    /// How many bytes it takes.
    pub(super) const fn len(&self) -> usize {
        self.bits.len()
    }

    /// Writes `record`, or nothing where it does not fit or is not of the schema.
    pub(super) fn put(&mut self, record: &Record) -> Result<(), Error> {
        let at = self.bits.at();
        let time = since_boot(record.time(), self.start);
        self.put_time(time);
        let written = match self.put_what(record, time) {
            None => Err(Error::OutOfDomain),
            Some(()) if self.bits.is_full() => Err(Error::BufferTooSmall),
            Some(()) => Ok(()),
        };
        match written {
            Ok(()) => self.before = Some(time),
            Err(_) => self.bits.back_to(at),
        }
        written
    }

    fn put_time(&mut self, time: u32) {
        if let Some(before) = self.before {
            return self.bits.put_signed(time.wrapping_sub(before) as i32);
        }
        let mut rest = time;
        while rest > 0x7F {
            self.bits.put(rest | 0x80, 8);
            rest >>= 7;
        }
        self.bits.put(rest, 8);
    }

    /// `None` where it is not of the schema.
    fn put_what(&mut self, record: &Record, time: u32) -> Option<()> {
        let (events, metrics) = self.shape.counts();
        let width = bits_of(events.wrapping_add(metrics));
        if let Some(delta) = record.as_delta() {
            let metric = self.shape.metrics().get(delta.metric)?;
            let (cell, cells) = (delta.cell as u32, metric.cells() as u32);
            if cell >= cells || delta.count == 0 {
                return None;
            }
            self.bits.put(events.wrapping_add(delta.metric as u32), width);
            self.bits.put(cell, bits_of(cells));
            self.bits.put_universal(delta.count.wrapping_sub(1));
            // Nothing was counted before the boot.
            let steps = delta.end.steps().wrapping_sub(delta.start.steps());
            self.bits.put_universal(steps.min(time));
            return Some(());
        }
        self.bits.put(u32::from(record.event()), width);
        if record.event() == DROPPED_INDEX {
            let reason = Reason::DOMAIN.bits();
            self.bits.put(record.bits() as u32, reason);
            self.bits.put_universal((record.bits() >> reason) as u32);
            return Some(());
        }
        let mut fields = record.fields(self.shape.event(record.event())?);
        for (field, ordinal) in &mut fields {
            if ordinal >= field.domain.cardinality() {
                return None;
            }
            self.bits.put(ordinal, field.domain.bits());
        }
        fields.is_spent().then_some(())
    }
}

/// Most steps since a boot began: 68 years of seconds.
const STEPS_MAX: u32 = (1 << 31) - 1;

/// A device's clock says either the time of day or, where nobody has set it, the time since its start; the two are decades apart.
fn since_boot(time: Coarse, start: Option<Coarse>) -> u32 {
    let start = start.map_or(0, Coarse::steps);
    time.steps().checked_sub(start).unwrap_or(time.steps()).min(STEPS_MAX)
}

/// The records of a stream, each checked. Their times are steps since the boot began. After an error nothing follows, and what came before
/// it must not be used: the frame is no frame.
#[derive(Clone, Debug)]
pub struct Reader<'a, S: ?Sized> {
    shape: &'a S,
    bits: bits::Reader<'a>,
    selector_bits: u32,
    before: Option<u32>,
    is_over: bool,
}

impl<'a, S: Shape + ?Sized> Reader<'a, S> {
    /// Reads the stream that `bytes` are, of records of `shape`.
    #[must_use]
    pub fn new(shape: &'a S, bytes: &'a [u8]) -> Self {
        let selector_bits = selector_bits(shape);
        Self { shape, bits: bits::Reader::new(bytes), selector_bits, before: None, is_over: false }
    }

    fn take(&mut self) -> Result<Record, Error> {
        let time = match self.before {
            None => self.take_base()?,
            Some(before) => before.wrapping_add(self.bits.take_signed()? as u32),
        };
        if time > STEPS_MAX {
            return Err(Error::Malformed);
        }
        self.before = Some(time);
        let selector = self.bits.take(self.selector_bits)? as u32;
        let record = match selector.checked_sub(self.shape.counts().0) {
            Some(metric) => self.take_delta(metric as usize, time)?,
            None if selector == 0 => {
                let reason = self.bits.take(Reason::DOMAIN.bits())? as usize;
                let reason = *Reason::ALL.get(reason).ok_or(Error::OutOfDomain)?;
                let count = self.bits.take_universal()?;
                if count > DROPPED_COUNT_MAX {
                    return Err(Error::OutOfDomain);
                }
                Record::dropped(reason, count, Coarse::from_steps(time))
            }
            None => {
                let event = selector as u16;
                let width = self.shape.event_bits(event).ok_or(Error::OutOfDomain)?;
                Record::of_bits(event, Coarse::from_steps(time), self.bits.take(width)?)
            }
        };
        if self.shape.admits(&record) { Ok(record) } else { Err(Error::OutOfDomain) }
    }

    fn take_base(&mut self) -> Result<u32, Error> {
        let (mut base, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.bits.take(8)?;
            base |= (byte & 0x7F) << shift;
            shift = shift.wrapping_add(7);
            if byte < 0x80 {
                // One form a number: the last byte of a longer one is not zero.
                let is_shortest = byte != 0 || shift == 7;
                return u32::try_from(base).ok().filter(|_| is_shortest).ok_or(Error::Malformed);
            }
            if shift > 28 {
                return Err(Error::Malformed);
            }
        }
    }

    fn take_delta(&mut self, metric: usize, end: u32) -> Result<Record, Error> {
        let cells = self.shape.cells(metric).ok_or(Error::OutOfDomain)?;
        let cell = self.bits.take(bits_of(cells))? as usize;
        let count = self.bits.take_universal()?.wrapping_add(1);
        let start = end.checked_sub(self.bits.take_universal()?).ok_or(Error::OutOfDomain)?;
        let delta =
            Delta { metric, cell, count, start: Coarse::from_steps(start), end: Coarse::from_steps(end) };
        let record = Record::from_delta(&delta);
        // What a record has no bits for is not of it.
        if record.as_delta() == Some(delta) { Ok(record) } else { Err(Error::OutOfDomain) }
    }
}

impl<S: Shape + ?Sized> Iterator for Reader<'_, S> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        // There is one record at least.
        if self.is_over || (self.before.is_some() && self.bits.is_over()) {
            return None;
        }
        let record = self.take();
        self.is_over = record.is_err();
        Some(record)
    }
}
