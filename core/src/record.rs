//! A record: which event, which members of its fields' domains, and when. Nothing else.
//!
//! | part | in memory | encoded (postcard) |
//! |---|---|---|
//! | event's index in the schema | `u16` | varint, 1 to 3 bytes |
//! | [`Coarse`] time | `u32` | varint, 1 to 5 bytes |
//! | the fields' ordinals, packed, first field lowest | `u64` | varint, 1 to 10 bytes |
//!
//! An ordinal takes [`Domain::bits`](crate::field::Domain::bits) bits. An event's fields fit in 64
//! ([`EVENT_BITS_MAX`](crate::event::EVENT_BITS_MAX)), so a record is 16 bytes of memory and mostly 6 to 8 encoded.

mod encoding;

pub(crate) use encoding::VARINTS;
pub use encoding::{Encoded, RECORD_LEN_MAX};

use crate::event::{EventDescriptor, FieldDescriptor};
use crate::field::Field;
use crate::loss::{DROPPED_INDEX, DroppedCount, Reason};
use crate::schema::{self, Checked, Schema, SchemaDescriptor};
use crate::time::Coarse;

/// Why something is not a record of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The schema has no event of that index.
    UnknownEvent,
    /// The event has more or fewer fields.
    FieldCount,
    /// An ordinal lies outside its field's domain.
    OutOfDomain,
    /// The bytes end inside a record, or are none.
    Malformed,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::UnknownEvent => "the schema has no event of that index",
            Self::FieldCount => "the event has a different number of fields",
            Self::OutOfDomain => "a field's value lies outside its domain",
            Self::Malformed => "the bytes are not a record",
        })
    }
}

impl core::error::Error for Error {}

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

/// Layout of a delta's bits.
mod delta {
    pub(super) const CELL_BITS: u32 = 16;
    pub(super) const COUNT_BITS: u32 = 32;
    /// Steps from the start to the end.
    pub(super) const STEPS_MAX: u32 = 0xFFFF;
}

/// One event that happened, as ordinals. 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
struct Wire {
    event: u16,
    time: u32,
    bits: u64,
}

/// One event that happened: 16 bytes in memory, [`RECORD_LEN_MAX`] encoded at most.
///
/// ```
/// # use automagik_telemetry_core::event::{Event, EventDescriptor, Ordinals};
/// # use automagik_telemetry_core::{ErrorCategory, ErrorOccurred, Label, Record, Schema, schema::Checked};
/// # use automagik_telemetry_core::time::Coarse;
/// # enum Code { Refused }
/// # impl Label for Code { const WORDS: &'static [&'static str] = &["OMNI-1001"]; fn ordinal(&self) -> u32 { 0 } }
/// # enum Omni { Error(ErrorOccurred<Code>) }
/// # impl Schema for Omni {
/// #     const PROJECT: &'static str = "omni";
/// #     const VERSION: &'static str = "1.0.0";
/// #     const EVENTS: &'static [EventDescriptor] = &[<ErrorOccurred<Code>>::DESCRIPTOR];
/// #     fn position(&self) -> (u16, Ordinals) { let Self::Error(event) = self; (0, event.ordinals()) }
/// # }
/// let event = Omni::Error(ErrorOccurred { code: Code::Refused, category: ErrorCategory::Network });
/// let record = Record::new(&event, Coarse::from_steps(29_350_800))?;
/// assert_eq!(record.encode().as_slice().len(), 6);
/// let encoded = record.encode();
/// let (decoded, rest) = Record::decode(Checked::<Omni>::DESCRIPTOR, encoded.as_slice())?;
/// assert_eq!((decoded, rest), (record, &[][..]));
/// # Ok::<(), automagik_telemetry_core::record::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record(Wire);

impl Record {
    /// The record of `event` at `time`.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownEvent`], [`Error::FieldCount`] or [`Error::OutOfDomain`] where an implementation written
    /// by hand hands over what its descriptor does not allow; never with derived ones.
    #[inline]
    pub fn new<S: Schema>(event: &S, time: Coarse) -> Result<Self, Error> {
        let (position, ordinals) = event.position();
        let index = schema::index(position);
        let descriptor = Checked::<S>::DESCRIPTOR.event(index).ok_or(Error::UnknownEvent)?;
        let bits = pack(descriptor, ordinals.as_slice())?;
        Ok(Self(Wire { event: index, time: time.steps(), bits }))
    }

    /// The record that `count` records were dropped for `reason`; it belongs to every schema.
    #[must_use]
    pub fn dropped(reason: Reason, count: u32, time: Coarse) -> Self {
        let count = u64::from(DroppedCount::new(count).get());
        let bits = u64::from(Field::ordinal(&reason)) | (count << Reason::DOMAIN.bits());
        Self(Wire { event: DROPPED_INDEX, time: time.steps(), bits })
    }

    /// The reason and the count, where this is the record of a loss.
    ///
    /// ```
    /// use automagik_telemetry_core::{Record, loss::Reason, time::Coarse};
    /// let record = Record::dropped(Reason::Refused, 7, Coarse::from_steps(1));
    /// assert_eq!(record.loss(), Some((Reason::Refused, 7)));
    /// ```
    #[must_use]
    pub fn loss(&self) -> Option<(Reason, u32)> {
        if self.0.event != DROPPED_INDEX {
            return None;
        }
        let width = Reason::DOMAIN.bits();
        let reason = usize::try_from(self.0.bits & mask(width)).ok()?;
        Some((*Reason::ALL.get(reason)?, u32::try_from(self.0.bits.checked_shr(width)?).ok()?))
    }

    /// The record that the cell `cell` of the metric at position `metric` counted `count` from `start` to `end`. What does not
    /// fit (2^16 cells, 2^16 steps of time) is no record of any schema.
    pub(crate) fn delta(metric: usize, cell: usize, count: u32, start: Coarse, end: Coarse) -> Self {
        let steps = end.steps().saturating_sub(start.steps()).min(delta::STEPS_MAX);
        let above = delta::CELL_BITS.saturating_add(delta::COUNT_BITS);
        let bits = u64::try_from(cell).unwrap_or(u64::MAX) & mask(delta::CELL_BITS)
            | (u64::from(count) << delta::CELL_BITS)
            | (u64::from(steps) << above);
        let event = u16::try_from(metric).unwrap_or(u16::MAX).saturating_add(METRIC_INDEX);
        Self(Wire { event, time: end.steps(), bits })
    }

    /// Whether this is a record of a metric and not of an event.
    #[inline]
    pub(crate) const fn is_delta(&self) -> bool {
        self.0.event >= METRIC_INDEX
    }

    /// Position of the metric, where this is a record of one.
    #[inline]
    pub(crate) fn metric(&self) -> Option<usize> {
        self.0.event.checked_sub(METRIC_INDEX).map(usize::from)
    }

    /// What was counted, where this is a record of a metric and not of an event.
    #[must_use]
    pub fn as_delta(&self) -> Option<Delta> {
        let metric = self.metric()?;
        let cell = usize::try_from(self.0.bits & mask(delta::CELL_BITS)).ok()?;
        let count = u32::try_from((self.0.bits >> delta::CELL_BITS) & mask(delta::COUNT_BITS)).ok()?;
        let steps = self.0.bits >> delta::CELL_BITS.saturating_add(delta::COUNT_BITS);
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

    /// The event's index in the schema.
    #[must_use]
    pub const fn event(&self) -> u16 {
        self.0.event
    }

    /// When it happened.
    #[must_use]
    pub const fn time(&self) -> Coarse {
        Coarse::from_steps(self.0.time)
    }

    /// The fields of this record of `event`, in order, and their ordinals, which may lie outside their domains.
    #[inline]
    pub(crate) fn fields(&self, event: &'static EventDescriptor) -> Fields {
        Fields { rest: self.0.bits, fields: event.fields.iter() }
    }

    /// The same, last field first; nothing where bits are left.
    #[inline]
    pub(crate) fn fields_backward(
        &self,
        event: &'static EventDescriptor,
    ) -> Result<impl Iterator<Item = (&'static FieldDescriptor, u32)> + use<>, Error> {
        let bits = self.0.bits;
        // 64 at most: checked when the schema is compiled.
        let mut above = event.fields.iter().map(|field| field.domain.bits()).fold(0_u32, u32::wrapping_add);
        if bits.checked_shr(above).unwrap_or(0) != 0 {
            return Err(Error::OutOfDomain);
        }
        Ok(event.fields.iter().rev().map(move |field| {
            let width = field.domain.bits();
            above = above.wrapping_sub(width);
            let ordinal = (bits >> (above & 63)) as u32 & (1_u32 << (width & 31)).wrapping_sub(1);
            (field, ordinal)
        }))
    }

    /// Whether this is a record of `schema`: checked before anything of it leaves.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownEvent`] or [`Error::OutOfDomain`].
    pub fn check(&self, schema: &SchemaDescriptor) -> Result<&'static EventDescriptor, Error> {
        let event = self.descriptor(schema)?;
        let mut fields = self.fields(event);
        if fields.any(|(field, ordinal)| ordinal >= field.domain.cardinality()) || !fields.is_spent() {
            return Err(Error::OutOfDomain);
        }
        Ok(event)
    }

    /// The event of `schema` that this could be a record of, if all its fields have a value and no bits are left.
    #[inline]
    pub(crate) fn descriptor(&self, schema: &SchemaDescriptor) -> Result<&'static EventDescriptor, Error> {
        schema.event(self.0.event).ok_or(Error::UnknownEvent)
    }

    /// The record of `schema` at the start of `bytes`, and what follows it. Bytes of any origin are safe to
    /// give: they are a record of the schema, or an error.
    ///
    /// # Errors
    ///
    /// Any [`Error`] but [`Error::FieldCount`].
    pub fn decode<'a>(schema: &SchemaDescriptor, bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let (record, rest) = Self::read(bytes)?;
        if record.is_delta() {
            record.check_delta(schema)?;
        } else {
            record.check(schema)?;
        }
        Ok((record, rest))
    }
}

/// The fields of a record and their ordinals.
pub(crate) struct Fields {
    rest: u64,
    fields: core::slice::Iter<'static, FieldDescriptor>,
}

impl Fields {
    /// Whether nothing is left of the record's bits.
    pub(crate) const fn is_spent(&self) -> bool {
        self.rest == 0
    }
}

impl Iterator for Fields {
    type Item = (&'static FieldDescriptor, u32);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let field = self.fields.next()?;
        // 20 at most: a domain is checked when its schema is compiled.
        let width = field.domain.bits() & 31;
        let ordinal = self.rest as u32 & (1_u32 << width).wrapping_sub(1);
        self.rest >>= width;
        Some((field, ordinal))
    }
}

/// The ordinals of `event`'s fields in one number, first field lowest.
#[inline]
fn pack(event: &EventDescriptor, ordinals: &[u32]) -> Result<u64, Error> {
    if event.fields.len() != ordinals.len() {
        return Err(Error::FieldCount);
    }
    let mut bits = 0_u64;
    for (field, ordinal) in event.fields.iter().zip(ordinals).rev() {
        if *ordinal >= field.domain.cardinality() {
            return Err(Error::OutOfDomain);
        }
        // 20 at most: a domain is checked when its schema is compiled.
        bits = bits << (field.domain.bits() & 31) | u64::from(*ordinal);
    }
    Ok(bits)
}

/// The lowest `bits` bits set.
#[inline]
const fn mask(bits: u32) -> u64 {
    match 1_u64.checked_shl(bits) {
        Some(above) => above.wrapping_sub(1),
        None => u64::MAX,
    }
}

/// Records that an encoder reads twice: once to measure, once to write.
///
/// Both readings must give the same records; a queue's pinned batch and a slice do.
pub trait Records {
    /// Where the first record stands.
    fn first(&self) -> Cursor;

    /// The record at `at`, which moves on to the next one; `None` behind the last.
    fn next(&self, at: &mut Cursor) -> Option<Record>;
}

/// A place among [`Records`]. Its meaning is its maker's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// A sequence number.
    pub sequence: u32,
    /// An offset in bytes.
    pub offset: u32,
}

impl Records for &[Record] {
    fn first(&self) -> Cursor {
        Cursor::default()
    }

    #[inline]
    fn next(&self, at: &mut Cursor) -> Option<Record> {
        let record = self.get(usize::try_from(at.sequence).ok()?)?;
        at.sequence = at.sequence.checked_add(1)?;
        Some(*record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Count, Value};
    use crate::testing::{Everything, Word, everything, schema};
    use proptest::prelude::*;

    #[test]
    fn a_record_is_16_bytes() {
        assert_eq!(size_of::<Record>(), 16);
    }

    #[test]
    fn an_ordinal_outside_its_domain_is_not_recorded() {
        const EVENT: EventDescriptor = EventDescriptor {
            name: "app.started",
            severity: crate::event::Severity::Info,
            fields: &[crate::event::field::<Count<9>>("files")],
        };
        assert_eq!(pack(&EVENT, &[9]), Ok(9));
        assert_eq!(pack(&EVENT, &[10]), Err(Error::OutOfDomain));
        assert_eq!(pack(&EVENT, &[]), Err(Error::FieldCount));
        assert_eq!(pack(&EVENT, &[1, 1]), Err(Error::FieldCount));
    }

    #[test]
    fn a_loss_belongs_to_every_schema() {
        let record = Record::dropped(Reason::OutOfDomain, u32::MAX, Coarse::from_steps(7));
        let event = record.check(schema()).unwrap();
        let values: Vec<_> =
            record.fields(event).map(|(field, ordinal)| field.domain.value(ordinal).unwrap()).collect();
        assert_eq!(values, [Value::Word("out_of_domain"), Value::Int(0xF_FFFF)]);
    }

    proptest! {
        #[test]
        fn a_record_reads_back_as_what_it_was(event in everything(), time: u32) {
            let Everything { word, flag, count, .. } = event;
            let record = Record::new(&crate::testing::Testing::Everything(event), Coarse::from_steps(time)).unwrap();
            let encoded = record.encode();
            let (decoded, rest) = Record::decode(schema(), encoded.as_slice()).unwrap();
            prop_assert_eq!(decoded, record);
            prop_assert!(rest.is_empty());
            let fields = decoded.fields(decoded.check(schema()).unwrap());
            let values: Vec<_> = fields.map(|(field, ordinal)| field.domain.value(ordinal).unwrap()).collect();
            prop_assert_eq!(values[0], Value::Word(Word::WORDS_OF_TEST[word as usize]));
            prop_assert_eq!(values[1], flag.map_or(Value::Absent, Value::Bool));
            prop_assert_eq!(values[2], Value::Int(count.get()));
        }

        #[test]
        fn any_bytes_are_a_record_of_the_schema_or_an_error(bytes: Vec<u8>) {
            if let Ok((record, rest)) = Record::decode(schema(), &bytes) {
                prop_assert!(record.check(schema()).is_ok());
                prop_assert!(rest.len() < bytes.len());
            }
        }
    }
}
