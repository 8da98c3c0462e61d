//! `ExportLogsServiceRequest`: events as log records. Field numbers are in the parent module's tree.

use super::envelope::{self, Envelope, Head};
use super::protobuf::{FIXED64_LEN, Piece, field_len, uint_len};
use super::{Body, Error, attribute};
use crate::event::EventDescriptor;
use crate::field::{Value, Values};
use crate::record::{self, Cursor, Record, Records};
use crate::resource::Resource;
use crate::schema::SchemaDescriptor;

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
    envelope: Envelope<'a>,
    records: &'a dyn Records,
    left_out: u32,
    count: u32,
    next: Next,
    /// Records written so far, to find out whether they are still those that were measured.
    written: u32,
}

/// The next piece.
#[derive(Clone, Copy)]
enum Next {
    Head(Head),
    Record(Cursor),
    SchemaUrl,
    End,
}

impl<'a> Logs<'a> {
    /// The request that tells `records` from `resource`.
    #[must_use]
    pub fn new(resource: &'a Resource, records: &'a dyn Records) -> Self {
        let mut envelope = Envelope::new(resource);
        let (mut count, mut left_out) = (0_u32, 0_u32);
        let mut at = records.first();
        while let Some((record, next)) = records.read(at) {
            match measure(&record, resource.schema()) {
                Ok(len) => {
                    envelope.add(len);
                    count = count.saturating_add(1);
                }
                // A metric's record is the other request's.
                Err(_) if record.check_delta(resource.schema()).is_ok() => {}
                Err(_) => left_out = left_out.saturating_add(1),
            }
            at = next;
        }
        Self { envelope, records, left_out, count, next: Next::Head(Head::Start), written: 0 }
    }

    /// Number of records in the request.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Number of records that were left out because they are not of the schema.
    #[must_use]
    pub const fn left_out(&self) -> u32 {
        self.left_out
    }

    /// A buffer of this many bytes holds any piece of any request of `schema`.
    #[must_use]
    pub fn piece_len_max(schema: &SchemaDescriptor) -> usize {
        schema.events().map(record_len_max).fold(envelope::PIECE_LEN_MAX, usize::max)
    }

    /// Writes the piece at `next`, and says which follows; `None` where there was nothing to write.
    fn write(&self, piece: &mut Piece<'_>) -> (Next, Option<Record>) {
        let schema = self.envelope.resource.schema();
        match self.next {
            Next::Head(head) => match self.envelope.write_head(head, piece) {
                Some(head) => (Next::Head(head), None),
                None => (Next::Record(self.records.first()), None),
            },
            Next::Record(at) => match self.records.read(at) {
                Some((record, following)) => {
                    let start = piece.begin();
                    if write_record(piece, &record, schema).is_err() {
                        piece.cancel(start);
                        return (Next::Record(following), None);
                    }
                    piece.end(start, envelope::ITEMS);
                    (Next::Record(following), Some(record))
                }
                None => (Next::SchemaUrl, None),
            },
            Next::SchemaUrl => {
                Envelope::write_tail(piece);
                (Next::End, None)
            }
            Next::End => (Next::End, None),
        }
    }
}

impl Body for Logs<'_> {
    fn len(&self) -> usize {
        self.envelope.len()
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut piece = Piece::new(buffer);
        while !matches!(self.next, Next::End) {
            let before = piece.len();
            let (next, record) = self.write(&mut piece);
            if !piece.fits() {
                // What did not fit comes with the next call.
                return if before > 0 { Ok(before) } else { Err(Error::BufferTooSmall(piece.len())) };
            }
            let written = self.written.saturating_add(u32::from(record.is_some()));
            if written > self.count || (matches!(next, Next::SchemaUrl) && written < self.count) {
                return Err(Error::Changed);
            }
            (self.next, self.written) = (next, written);
        }
        Ok(piece.len())
    }

    fn rewind(&mut self) {
        (self.next, self.written) = (Next::Head(Head::Start), 0);
    }
}

impl core::fmt::Debug for Logs<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Logs").field("count", &self.count).field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Length of a record without its attributes.
const fn bare_record_len(event: &EventDescriptor) -> usize {
    (2 * FIXED64_LEN).wrapping_add(uint_len(event.severity as u32)).wrapping_add(field_len(event.name.len()))
}

/// The length of `record`, where it is one of `schema`.
#[inline]
fn measure(record: &Record, schema: &SchemaDescriptor) -> Result<usize, record::Error> {
    let event = record.descriptor(schema)?;
    let mut len = bare_record_len(event);
    let mut fields = record.fields(event);
    for (field, value) in &mut fields {
        len = len.wrapping_add(attribute::len(field.name, value.ok_or(record::Error::OutOfDomain)?));
    }
    if fields.is_spent() { Ok(len) } else { Err(record::Error::OutOfDomain) }
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

/// Writes `record`, where it is one of `schema`.
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
    for (field, value) in &mut fields {
        let value = value.ok_or(record::Error::OutOfDomain)?;
        attribute::write(piece, log_record::ATTRIBUTES, field.name, value);
    }
    if !fields.is_spent() {
        return Err(record::Error::OutOfDomain);
    }
    // Observed when it happened: nobody stands between the event and this library.
    piece.fixed64(log_record::OBSERVED_TIME, time);
    piece.text(log_record::EVENT_NAME, event.name.as_bytes());
    Ok(())
}
