//! A logs request from its end to its start: what [`Logs`] gives piece by piece, in one go.

use super::{Logs, log_record};
use crate::otlp::backward::{Room, Stop};
use crate::otlp::protobuf::{LEN, VARINT, tag};
use crate::otlp::{Body, Error, envelope};
use crate::record::Record;
use crate::resource::Resource;
use crate::schema::SchemaDescriptor;

impl Logs<'_> {
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
        let schema = resource.schema();
        envelope::encode(
            resource,
            buffer,
            |room| write_records(room, records, schema),
            || Logs::new(resource, &records).len(),
        )
    }
}

/// Writes those of `records` that are of `schema`.
#[inline]
fn write_records<'a>(
    mut room: Room<'a>,
    records: &[Record],
    schema: &SchemaDescriptor,
) -> Result<Room<'a>, Stop> {
    let mut free = room.len();
    for record in records.iter().rev() {
        match write_record(room.first(free), record, schema) {
            Ok(room) => free = room.len(),
            Err(Stop::Full) if record.check(schema).is_ok() => return Err(Stop::Full),
            // It is left out, wherever that was found out.
            Err(_) => {}
        }
    }
    Ok(room.into_first(free))
}

/// Writes `record`, where it is one of `schema`; gives the room in front of it.
#[inline(always)]
fn write_record<'a>(room: Room<'a>, record: &Record, schema: &SchemaDescriptor) -> Result<Room<'a>, Stop> {
    let event = record.descriptor(schema).map_err(|_| Stop::NotOfSchema)?;
    let time = record.time().unix_nanos(schema.resolution());
    let end = room.len();
    let name = event.name.as_bytes();
    let mut room = room.put(name)?.fixed64(
        log_record::OBSERVED_TIME,
        time,
        // A name is 64 bytes at most.
        [tag(log_record::EVENT_NAME, LEN), name.len() as u8],
    )?;
    for (field, ordinal) in record.fields_backward(event).map_err(|_| Stop::NotOfSchema)? {
        let value = field.domain.value(ordinal).ok_or(Stop::NotOfSchema)?;
        room = room.attribute(log_record::ATTRIBUTES, field.name, value)?;
    }
    room.fixed64(log_record::TIME, time, [tag(log_record::SEVERITY, VARINT), event.severity as u8])?
        .open(envelope::ITEMS, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::{Answer, Signals, decide};
    use crate::event::{EventDescriptor, Ordinals, Severity, field};
    use crate::field::Count;
    use crate::otlp::to_slice;
    use crate::schema::{Checked, Schema};
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
