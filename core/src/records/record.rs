//! A record: which event, which members of its fields' domains, and when. Nothing else.
//!
//! | part | in memory | encoded (postcard) |
//! |---|---|---|
//! | event's index in the schema | `u16` | varint, 1 to 3 bytes |
//! | [`Coarse`] time | `u32` | varint, 1 to 5 bytes |
//! | the fields' ordinals, packed, first field lowest | `u64` | varint, 1 to 10 bytes |
//!
//! An ordinal takes [`Domain::bits`](crate::events::field::Domain::bits) bits. An event's fields fit in 64
//! ([`EVENT_BITS_MAX`](crate::events::event::EVENT_BITS_MAX)), so a record is 16 bytes of memory and mostly 6 to 8 encoded.

mod delta;
mod encoding;

pub use delta::Delta;
pub(crate) use encoding::VARINTS;
pub use encoding::{Encoded, RECORD_LEN_MAX};

#[cfg(target_os = "none")]
use crate::events::event::FIELDS_MAX;
use crate::events::event::{EventDescriptor, FieldDescriptor};
use crate::events::field::Field;
use crate::events::loss::{DROPPED_COUNT_MAX, DROPPED_INDEX, DroppedCount, Losses, Reason};
use crate::events::time::Coarse;
use crate::schemas::schema::{self, Checked, Library, Schema, SchemaDescriptor};

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

/// One event that happened, as ordinals. 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
/// #     const ORGANIZATION: &'static str = "automagik";
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
/// With the feature `serde` it is read and written by `serde`, as [`encode`](Record::encode) does through `postcard`. Like
/// [`read`](Record::read), that checks nothing against a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

    /// The record of `event` of a library at `time`, for a program whose `schema` has the library's first event at the position `first`.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Record::new).
    #[inline]
    pub fn of_library<L: Library>(
        event: &L,
        first: u16,
        schema: &SchemaDescriptor,
        time: Coarse,
    ) -> Result<Self, Error> {
        let (position, ordinals) = event.position();
        let index = schema::index(first.saturating_add(position));
        let descriptor = schema.event(index).ok_or(Error::UnknownEvent)?;
        let bits = pack(descriptor, ordinals.as_slice())?;
        Ok(Self(Wire { event: index, time: time.steps(), bits }))
    }

    /// The record that `count` records were dropped for `reason`; it belongs to every schema. It tells
    /// [`DROPPED_COUNT_MAX`] at most: [`of_losses`](Record::of_losses) makes as many records as it takes.
    #[must_use]
    pub fn dropped(reason: Reason, count: u32, time: Coarse) -> Self {
        let count = u64::from(DroppedCount::new(count).get());
        let bits = u64::from(Field::ordinal(&reason)) | (count << Reason::DOMAIN.bits());
        Self(Wire { event: DROPPED_INDEX, time: time.steps(), bits })
    }

    /// Returns the reason and the count if this is the record of a loss.
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

    /// Records that tell all of `losses`, at `time`, and take each count out of it as they are given.
    ///
    /// ```
    /// use automagik_telemetry_core::{Record, loss::{Losses, Reason}, time::Coarse};
    /// let mut losses = Losses::new();
    /// losses.add(Reason::QueueFull, 3_000_000);
    /// let told: u32 = Record::of_losses(&mut losses, Coarse::from_steps(1)).map(|record| record.stands_for()).sum();
    /// assert_eq!(told, 3_000_000);
    /// ```
    pub fn of_losses(losses: &mut Losses, time: Coarse) -> impl Iterator<Item = Self> {
        core::iter::from_fn(move || {
            let (reason, count) = losses.take_some(DROPPED_COUNT_MAX)?;
            Some(Self::dropped(reason, count, time))
        })
    }

    /// For how many this record stands: one event; as many as it tells, where it is of a loss; as many additions as were counted,
    /// where it is of a metric.
    #[must_use]
    pub fn stands_for(&self) -> u32 {
        self.lost_for(Reason::Corrupt).1
    }

    /// Returns what to report if this record is dropped for `reason`: the reason, and for how many it
    /// [stands](Record::stands_for). One that tells of a loss keeps its own reason. Everything that loses records counts them by this.
    ///
    /// ```
    /// use automagik_telemetry_core::{Record, loss::Reason, time::Coarse};
    /// let told = Record::dropped(Reason::QueueFull, 700_000, Coarse::from_steps(1));
    /// assert_eq!(told.lost_for(Reason::Expired), (Reason::QueueFull, 700_000));
    /// ```
    #[must_use]
    pub fn lost_for(&self, reason: Reason) -> (Reason, u32) {
        if self.is_delta() { (reason, self.delta_count()) } else { self.loss().unwrap_or((reason, 1)) }
    }

    /// Returns the event's index in the schema.
    #[must_use]
    pub const fn event(&self) -> u16 {
        self.0.event
    }

    /// When it happened.
    #[must_use]
    pub const fn time(&self) -> Coarse {
        Coarse::from_steps(self.0.time)
    }

    /// Returns the ordinals of the event's fields, the first field lowest, each in the [bits](crate::field::Domain::bits) of its domain. Of a metric's
    /// record, [`as_delta`](Record::as_delta) says what they are.
    #[must_use]
    pub const fn bits(&self) -> u64 {
        self.0.bits
    }

    /// Returns this record at another time: a receiver that knows when the sender's clock began says when it was.
    #[must_use]
    pub const fn at(self, time: Coarse) -> Self {
        Self(Wire { time: time.steps(), ..self.0 })
    }

    /// Returns the record of `event` that has these [`bits`](Record::bits), for who receives records. Like [`read`](Record::read), that checks nothing
    /// against a schema.
    ///
    /// ```
    /// use automagik_telemetry_core::{Record, loss::Reason, time::Coarse};
    /// let record = Record::dropped(Reason::Refused, 7, Coarse::from_steps(1));
    /// assert_eq!(Record::of_bits(record.event(), record.time(), record.bits()), record);
    /// ```
    #[cfg(feature = "frames")]
    #[must_use]
    pub const fn of_bits(event: u16, time: Coarse, bits: u64) -> Self {
        Self(Wire { event, time: time.steps(), bits })
    }

    /// The fields of this record of `event`, in order, and their ordinals, which may lie outside their domains.
    #[inline]
    pub(crate) fn fields(&self, event: &'static EventDescriptor) -> Fields {
        Fields { rest: self.0.bits, fields: event.fields.iter() }
    }

    /// The same, last field first; nothing where bits are left. Taken apart forwards first, which is smaller.
    #[cfg(target_os = "none")]
    #[inline]
    pub(crate) fn fields_backward(
        &self,
        event: &'static EventDescriptor,
    ) -> Result<impl Iterator<Item = (&'static FieldDescriptor, u32)> + use<>, Error> {
        let (mut ordinals, mut fields) = ([0; FIELDS_MAX], self.fields(event));
        for (slot, (_, ordinal)) in ordinals.iter_mut().zip(&mut fields) {
            *slot = ordinal;
        }
        if !fields.is_spent() {
            return Err(Error::OutOfDomain);
        }
        let mut at = event.fields.len();
        Ok(core::iter::from_fn(move || {
            at = at.checked_sub(1)?;
            Some((event.fields.get(at)?, *ordinals.get(at)?))
        }))
    }

    /// The same, last field first; nothing where bits are left.
    #[cfg(not(target_os = "none"))]
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

    /// Returns whether this is a record of `schema`: checked before anything of it leaves.
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

    /// Returns the record of `schema` at the start of `bytes`, and what follows it. Bytes of any origin are safe to
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
    use crate::events::field::{Count, Value};
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
            severity: crate::events::event::Severity::Info,
            fields: &[crate::events::event::field::<Count<9>>("files")],
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
