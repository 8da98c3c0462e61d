//! `ExportLogsServiceRequest`: events as log records. Field numbers are in the parent module's tree.

mod backward;

use super::envelope::{self, Envelope};
use super::protobuf::{FIXED64_LEN, Piece, field_len, uint_len};
use super::{Body, Error, Progress, attribute};
use crate::event::{EventDescriptor, FIELDS_MAX};
use crate::field::{Value, Values};
use crate::record::{self, Cursor, Record, Records};
use crate::resource::Resource;
use crate::schema::SchemaDescriptor;
use crate::word::{NAME_LEN_MAX, WORD_LEN_MAX};

mod log_record {
    pub(super) const TIME: u8 = 1;
    pub(super) const SEVERITY: u8 = 2;
    pub(super) const ATTRIBUTES: u8 = 6;
    pub(super) const OBSERVED_TIME: u8 = 11;
    pub(super) const EVENT_NAME: u8 = 12;
}

/// A record is short enough for [`Piece::end`].
const _: () =
    assert!(FIELDS_MAX * attribute::text_len(NAME_LEN_MAX, WORD_LEN_MAX) + NAME_LEN_MAX + 64 < 1 << 14);

/// A logs request: its records are measured when it is made, and read again as it is pulled.
///
/// A record that is not of the schema (from a store that another program wrote, say) is left out and counted
/// ([`Logs::left_out`]).
#[derive(Clone)]
pub struct Logs<'a> {
    content: Content<'a>,
    progress: Progress<Next>,
}

#[derive(Clone)]
struct Content<'a> {
    envelope: Envelope<'a>,
    records: &'a dyn Records,
}

/// The next piece.
#[derive(Clone, Copy)]
enum Next {
    Program,
    Build,
    Record(Cursor),
    SchemaUrl,
}

impl<'a> Logs<'a> {
    /// The request that tells `records` from `resource`.
    #[must_use]
    pub fn new(resource: &'a Resource, records: &'a dyn Records) -> Self {
        let mut content = Content { envelope: Envelope::new(resource), records };
        content.envelope.items_len = content.measure_items();
        Self { content, progress: Progress::new(Next::Program) }
    }

    /// Number of records in the request. It goes through all of them.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.content.count(|record, schema| record.check(schema).is_ok())
    }

    /// Number of records that were left out because they are not of the schema. Those of metrics are the other request's. It
    /// goes through all of them.
    #[must_use]
    pub fn left_out(&self) -> u32 {
        self.content.count(|record, schema| !record.is_delta() && record.check(schema).is_err())
    }

    /// A buffer of this many bytes holds any piece of any request of `schema`.
    #[must_use]
    pub fn piece_len_max(schema: &SchemaDescriptor) -> usize {
        schema.events().map(record_len_max).fold(envelope::PIECE_LEN_MAX, usize::max)
    }
}

impl Body for Logs<'_> {
    fn len(&self) -> usize {
        self.content.envelope.len()
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let Self { content, progress } = self;
        progress.read(content.envelope.len(), buffer, |next, piece| content.write(next, piece))
    }

    fn rewind(&mut self) {
        self.progress = Progress::new(Next::Program);
    }
}

impl Content<'_> {
    /// Length of all records: by writing them nowhere, which takes no code that is not there already.
    #[cfg(target_os = "none")]
    fn measure_items(&self) -> usize {
        let mut items = Piece::new(&mut []);
        let mut at = self.records.first();
        while self.write_item(&mut at, &mut items) {}
        items.len()
    }

    /// Length of all records: by adding up, three times faster than writing them nowhere.
    #[cfg(not(target_os = "none"))]
    fn measure_items(&self) -> usize {
        let (mut len, mut at) = (0_usize, self.records.first());
        while let Some(record) = self.records.next(&mut at) {
            len = len.wrapping_add(measure(&record, self.envelope.resource.schema()).map_or(0, field_len));
        }
        len
    }

    fn count(&self, holds: impl Fn(&Record, &SchemaDescriptor) -> bool) -> u32 {
        let (mut count, mut at) = (0_u32, self.records.first());
        while let Some(record) = self.records.next(&mut at) {
            count = count.wrapping_add(u32::from(holds(&record, self.envelope.resource.schema())));
        }
        count
    }

    /// Writes the piece `next` and says which follows.
    fn write(&self, next: Next, piece: &mut Piece<'_>) -> Option<Next> {
        Some(match next {
            Next::Program => {
                self.envelope.write_program(piece);
                Next::Build
            }
            Next::Build => {
                self.envelope.write_build(piece);
                Next::Record(self.records.first())
            }
            Next::Record(mut at) => {
                if self.write_item(&mut at, piece) {
                    Next::Record(at)
                } else {
                    Next::SchemaUrl
                }
            }
            Next::SchemaUrl => {
                Envelope::write_tail(piece);
                return None;
            }
        })
    }

    /// Writes the record at `at`, where it is one of the schema, and moves on to the next one; says whether there was one.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline)]
    fn write_item(&self, at: &mut Cursor, piece: &mut Piece<'_>) -> bool {
        let Some(record) = self.records.next(at) else { return false };
        let start = piece.begin();
        if write_record(piece, &record, self.envelope.resource.schema()).is_ok() {
            piece.end(start, envelope::ITEMS);
        } else {
            piece.cancel(start);
        }
        true
    }
}

impl core::fmt::Debug for Logs<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Logs").field("count", &self.count()).field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The longest that a record of `event` can be, its own length in front of it included.
fn record_len_max(event: &'static EventDescriptor) -> usize {
    let attributes = event.fields.iter().map(|field| {
        let value = match field.domain.values {
            Values::Words(words) => {
                Value::Word(words.iter().max_by_key(|word| word.len()).copied().unwrap_or(""))
            }
            Values::Bool => Value::Bool(true),
            Values::Range { last, .. } => Value::Int(last),
            Values::Bucket => Value::Int(u32::MAX),
        };
        attribute::len(field.name, value)
    });
    field_len(attributes.fold(bare_record_len(event), usize::wrapping_add))
}

/// Length of a record without its attributes.
const fn bare_record_len(event: &EventDescriptor) -> usize {
    (2 * FIXED64_LEN).wrapping_add(uint_len(event.severity as u32)).wrapping_add(field_len(event.name.len()))
}

/// Length of [`write_record`], where `record` is one of `schema`.
#[cfg(not(target_os = "none"))]
#[inline]
fn measure(record: &Record, schema: &SchemaDescriptor) -> Option<usize> {
    let event = record.descriptor(schema).ok()?;
    let mut len = bare_record_len(event);
    let mut fields = record.fields(event);
    for (field, ordinal) in &mut fields {
        len = len.wrapping_add(attribute::len(field.name, field.domain.value(ordinal)?));
    }
    fields.is_spent().then_some(len)
}

/// Writes the fields of `record`, where it is one of `schema`.
#[inline]
fn write_record(
    piece: &mut Piece<'_>,
    record: &Record,
    schema: &SchemaDescriptor,
) -> Result<(), record::Error> {
    let event = record.descriptor(schema)?;
    let time = record.time().unix_nanos(schema.resolution());
    piece.fixed64(log_record::TIME, time);
    piece.uint(log_record::SEVERITY, event.severity as u32);
    let mut fields = record.fields(event);
    for (field, ordinal) in &mut fields {
        if !attribute::write(piece, log_record::ATTRIBUTES, field.name, &field.domain, ordinal) {
            return Err(record::Error::OutOfDomain);
        }
    }
    if !fields.is_spent() {
        return Err(record::Error::OutOfDomain);
    }
    // Observed when it happened: nobody stands between the event and this library.
    piece.fixed64(log_record::OBSERVED_TIME, time);
    piece.text(log_record::EVENT_NAME, event.name.as_bytes());
    Ok(())
}
