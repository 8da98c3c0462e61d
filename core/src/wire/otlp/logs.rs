//! `ExportLogsServiceRequest`: events as log records. Field numbers are in the parent module's tree.

use super::envelope::{self, Items, Pieces};
use super::room::{Counting, Room, Stop, any_value, key_value};
use super::{Body, Error};
use crate::events::event::EventDescriptor;
use crate::events::field::{Value, Values};
use crate::records::record::{Cursor, Record, Records};
use crate::schemas::schema::SchemaDescriptor;
use crate::wire::resource::Resource;

mod log_record {
    pub(super) const TIME: u8 = 1;
    pub(super) const SEVERITY: u8 = 2;
    pub(super) const ATTRIBUTES: u8 = 6;
    pub(super) const OBSERVED_TIME: u8 = 11;
    pub(super) const EVENT_NAME: u8 = 12;
}

/// A logs request: its records are measured when it is made, and read again as it is pulled.
///
/// A record that is not of the schema (from a store that another program wrote, say) is left out and counted
/// ([`Logs::left_out`]).
#[derive(Clone)]
pub struct Logs<'a> {
    resource: &'a Resource,
    records: &'a dyn Records,
    pieces: Pieces<Cursor>,
}

impl<'a> Logs<'a> {
    /// The request that tells `records` from `resource`.
    #[must_use]
    pub fn new(resource: &'a Resource, records: &'a dyn Records) -> Self {
        let pieces = Pieces::new(resource, records.first(), item(resource, records));
        Self { resource, records, pieces }
    }

    /// Writes the whole request to the end of `buffer`, and gives it: the bytes that [`read`](Body::read) gives, for who has
    /// room for all of them. Nothing is measured, so it takes less than half the time.
    ///
    /// ```
    /// # use automagik_telemetry_core::consent::{Answer, Signals, decide};
    /// # use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
    /// # use automagik_telemetry_core::{Pseudonym, Record, Schema, Secret};
    /// # use automagik_telemetry_core::{loss::Reason, otlp::Logs, resource::Resource, schema::Checked, time::Coarse};
    /// # struct Omni;
    /// # impl Schema for Omni {
    /// #     const ORGANIZATION: &'static str = "automagik";
    /// #     const PROJECT: &'static str = "omni";
    /// #     const VERSION: &'static str = "1.0.0";
    /// #     const EVENTS: &'static [EventDescriptor] = &[];
    /// #     fn position(&self) -> (u16, Ordinals) { (0, Ordinals::new([])) }
    /// # }
    /// # let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    /// # let pseudonym = Pseudonym::new(&Secret::new([7; 32], consent), "omni", 0);
    /// let resource = Resource::new(Checked::<Omni>::DESCRIPTOR, pseudonym);
    /// let records = [Record::dropped(Reason::QueueFull, 3, Coarse::from_steps(29_350_800))];
    /// let mut buffer = [0; 1024];
    /// let request = Logs::encode(&resource, &records, &mut buffer)?;
    /// assert_eq!(request[0], 1 << 3 | 2); // the field resource_logs, of known length
    /// # Ok::<(), automagik_telemetry_core::otlp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] with the length of the request. What stands in `buffer` then is unspecified.
    pub fn encode<'b>(
        resource: &Resource,
        records: &[Record],
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], Error> {
        envelope::encode(resource, buffer, &Slice { records, schema: resource.schema() })
    }

    /// Returns the number of records in the request. It reads all of them.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count_those(|record, schema| record.check(schema).is_ok())
    }

    /// Returns the number of records that were left out because they are not of the schema. Those of metrics are the other request's. It
    /// goes through all of them.
    #[must_use]
    pub fn left_out(&self) -> u32 {
        self.count_those(|record, schema| !record.is_delta() && record.check(schema).is_err())
    }

    fn count_those(&self, holds: impl Fn(&Record, &SchemaDescriptor) -> bool) -> u32 {
        let (mut count, mut at) = (0_u32, self.records.first());
        while let Some(record) = self.records.next(&mut at) {
            count = count.wrapping_add(u32::from(holds(&record, self.resource.schema())));
        }
        count
    }

    /// A buffer of this many bytes holds any piece of any request of `schema`.
    #[must_use]
    pub fn piece_len_max(schema: &SchemaDescriptor) -> usize {
        schema.events().map(record_len_max).fold(envelope::PIECE_LEN_MAX, usize::max)
    }
}

impl Body for Logs<'_> {
    fn len(&self) -> usize {
        self.pieces.len()
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let Self { resource, records, pieces } = self;
        pieces.read(resource, buffer, item(resource, *records))
    }

    fn rewind(&mut self) {
        self.pieces.rewind();
    }
}

impl core::fmt::Debug for Logs<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Logs").field("count", &self.count()).field("len", &self.len()).finish_non_exhaustive()
    }
}

/// What writes the record at a place, and says where the next one is.
fn item(resource: &Resource, records: &dyn Records) -> impl Fn(Cursor, &mut Counting<'_>) -> Option<Cursor> {
    let schema = resource.schema();
    move |mut at, piece| {
        let _ = write_record(piece, &records.next(&mut at)?, schema);
        Some(at)
    }
}

/// Records in memory, of which those of `schema` are written.
struct Slice<'a> {
    records: &'a [Record],
    schema: &'a SchemaDescriptor,
}

impl Items for Slice<'_> {
    #[inline]
    fn write<const COUNTING: bool>(&self, room: &mut Room<'_, COUNTING>) -> Result<(), Stop> {
        // In a room of its own, which the compiler keeps in registers.
        room.attempt(|room| {
            self.records.iter().rev().try_for_each(|record| write_record(room, record, self.schema))
        })
    }
}

/// Writes `record`, where it is one of `schema`.
#[cfg_attr(not(target_os = "none"), inline(always))]
fn write_record<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    record: &Record,
    schema: &SchemaDescriptor,
) -> Result<(), Stop> {
    match room.attempt(|room| write_fields(room, record, schema)) {
        Err(Stop::Full) if record.check(schema).is_ok() => Err(Stop::Full),
        // One of another schema is left out, wherever that was found out.
        _ => Ok(()),
    }
}

/// Writes `record`; stops where it turns out not to be of `schema`.
#[inline(always)]
fn write_fields<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    record: &Record,
    schema: &SchemaDescriptor,
) -> Result<(), Stop> {
    let event = record.descriptor(schema).map_err(|_| Stop::NotOfSchema)?;
    let (end, time) = (room.at(), record.time().unix_nanos(schema.resolution()));
    write_behind(room, event, time)?;
    for (field, ordinal) in record.fields_backward(event).map_err(|_| Stop::NotOfSchema)? {
        let value = field.domain.value(ordinal).ok_or(Stop::NotOfSchema)?;
        room.attribute(log_record::ATTRIBUTES, field.name, value)?;
    }
    write_before(room, event, time, end)
}

/// Writes what stands behind the attributes.
#[inline(always)]
pub(super) fn write_behind<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    event: &EventDescriptor,
    time: u64,
) -> Result<(), Stop> {
    // Observed when it happened: nobody stands between the event and this library. A name is 64 bytes at most.
    room.fixed64_text(log_record::OBSERVED_TIME, time, log_record::EVENT_NAME, event.name.as_bytes())
}

/// Writes what stands in front of the attributes of the record that ends at `end`.
#[inline(always)]
pub(super) fn write_before<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    event: &EventDescriptor,
    time: u64,
    end: usize,
) -> Result<(), Stop> {
    room.fixed64_uint(log_record::TIME, time, log_record::SEVERITY, event.severity as u8)?;
    room.open(envelope::ITEMS, end)
}

/// Writes an attribute of a record.
pub(super) fn write_value<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    key: &str,
    value: Value,
) -> Result<(), Stop> {
    room.attribute(log_record::ATTRIBUTES, key, value)
}

/// Writes an attribute of a record whose text `write` writes.
pub(super) fn write_text<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    key: &str,
    write: impl FnOnce(&mut Room<'_, COUNTING>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let end = room.at();
    write(room)?;
    room.open(any_value::STRING, end)?;
    room.open(key_value::VALUE, end)?;
    room.text(key_value::KEY, key.as_bytes())?;
    room.open(log_record::ATTRIBUTES, end)
}

/// The longest that a record of `event` can be, its own length in front of it included.
fn record_len_max(event: &'static EventDescriptor) -> usize {
    let (mut room, time) = (Counting::nowhere(), 0);
    let end = room.at();
    let _ = write_behind(&mut room, event, time);
    for field in event.fields {
        let longest = match field.domain.values {
            Values::Words(words) => {
                Value::Word(words.iter().max_by_key(|word| word.len()).copied().unwrap_or(""))
            }
            Values::Bool => Value::Bool(true),
            Values::Range { last, .. } => Value::Int(last),
            Values::Bucket | Values::CodeLocation => Value::Int(u32::MAX),
            Values::Stack => Value::Absent,
        };
        let _ = room.attribute(log_record::ATTRIBUTES, field.name, longest);
    }
    let _ = write_before(&mut room, event, time, end);
    room.measured()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::{EventDescriptor, Ordinals, Severity, field};
    use crate::events::field::Count;
    use crate::person::consent::{Answer, Signals, decide};
    use crate::schemas::schema::{Checked, Schema};
    use crate::wire::otlp::to_slice;
    use crate::{Pseudonym, Secret};

    /// Its event is longer than what stands around the records.
    struct Long;

    impl Schema for Long {
        const ORGANIZATION: &'static str = "automagik";
        const PROJECT: &'static str = "long";
        const VERSION: &'static str = "1.0.0";
        const EVENTS: &'static [EventDescriptor] = &[EventDescriptor {
            name: "long.event",
            severity: Severity::Info,
            fields: &[
                field::<Count<2>>("count"),
                field::<bool>("the_first_flag_whose_name_is_as_long_as_the_rules_of_ours_let_it"),
                field::<bool>("the_second_flag_whose_name_is_as_long_as_the_rules_of_ours_let_i"),
                field::<bool>("the_third_flag_whose_name_is_as_long_as_the_rules_of_ours_let_it"),
                field::<bool>("the_fourth_flag_whose_name_is_as_long_as_the_rules_of_ours_let_i"),
                field::<bool>("the_fifth_flag_whose_name_is_as_long_as_the_rules_of_ours_let_it"),
                field::<bool>("the_sixth_flag_whose_name_is_as_long_as_the_rules_of_ours_let_it"),
            ],
        }];

        fn position(&self) -> (u16, Ordinals) {
            (0, Ordinals::new([0; 7]))
        }
    }

    #[test]
    fn a_record_that_is_left_out_needs_no_room() {
        let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
        let pseudonym = Pseudonym::new(&Secret::new([7; 32], consent), "long", 0);
        let resource = Resource::new(Checked::<Long>::DESCRIPTOR, pseudonym);
        // Of a count of two bits, the highest is outside the domain; it is looked at last.
        let record = |count| Record::take(&mut [1, 1, 0xFC_u8 | count, 1].into_iter());
        for counts in [[3, 0], [0, 3], [3, 3], [2, 1]] {
            let records = counts.map(record);
            let slice = records.as_slice();
            let mut body = Logs::new(&resource, &slice);
            let mut whole = [0; 4_096];
            let len = to_slice(&mut body, &mut whole).unwrap();
            assert_eq!(Logs::encode(&resource, &records, &mut [0; 4_096][..len]), Ok(&whole[..len]));
            let mut short = [0; 4_096];
            let too_short = Logs::encode(&resource, &records, &mut short[..len - 1]);
            assert_eq!(too_short, Err(Error::BufferTooSmall(len)));
        }
    }
}
