//! Log records that are events of a manifest.

use super::origin::Origin;
use super::taken::Taken;
use crate::counts::RecordRefusal as Refusal;
use crate::intake::placing::Now;
use crate::known::manifests::Manifests;
use crate::known::vocabulary::{RECORD_UID, Value, Vocabulary};
use automagik_telemetry_core::Record;
use automagik_telemetry_core::frames::Shape;
use automagik_telemetry_core::time::{Coarse, Resolution};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;

/// Takes what `request` says that is in a manifest.
#[must_use]
pub fn take(request: &ExportLogsServiceRequest, manifests: &Manifests, now: Now) -> Taken {
    let mut taken = Taken::default();
    for of_resource in &request.resource_logs {
        for of_scope in &of_resource.scope_logs {
            let origin = Origin::of(of_resource.resource.as_ref(), of_scope.scope.as_ref(), manifests);
            let origin = match origin {
                Ok(origin) => origin,
                Err(refusal) => {
                    taken.refuse(refusal, of_scope.log_records.len());
                    continue;
                }
            };
            let mut records = Vec::new();
            for log in &of_scope.log_records {
                match record(log, &origin.vocabulary) {
                    Ok(record) => records.push(record),
                    Err(refusal) => taken.refuse(refusal, 1),
                }
            }
            taken.keep(&origin, &records, now);
        }
    }
    taken
}

/// Whether `log` says what no event does.
pub(super) fn has_more(log: &LogRecord) -> bool {
    log.body.is_some()
        || !log.severity_text.is_empty()
        || log.dropped_attributes_count > 0
        || log.flags > 0
        || !log.trace_id.is_empty()
        || !log.span_id.is_empty()
}

fn record(log: &LogRecord, vocabulary: &Vocabulary) -> Result<Record, Refusal> {
    if has_more(log) {
        return Err(Refusal::More);
    }
    let (index, event) = vocabulary.event_named(&log.event_name).ok_or(Refusal::UnknownName)?;
    if log.severity_number != event.severity as i32 {
        return Err(Refusal::OutOfDomain);
    }
    let mut values: Vec<Option<Value>> = vec![None; event.fields.len()];
    // What another gateway named it by is left out: this one names its own.
    for attribute in log.attributes.iter().filter(|attribute| attribute.key != RECORD_UID) {
        let at = event.fields.iter().position(|field| field.name == attribute.key);
        let slot = at.and_then(|at| values.get_mut(at)).filter(|slot| slot.is_none());
        *slot.ok_or(Refusal::OutOfDomain)? = Some(value(attribute).ok_or(Refusal::OutOfDomain)?);
    }
    let mut bits = 0;
    for (field, value) in event.fields.iter().zip(&values).rev() {
        bits = bits << field.bits | field.ordinal(value.as_ref()).ok_or(Refusal::OutOfDomain)?;
    }
    let time = step(log.time_unix_nano, vocabulary.resolution).ok_or(Refusal::OutOfDomain)?;
    let record = Record::of_bits(index, time, bits);
    if vocabulary.admits(&record) { Ok(record) } else { Err(Refusal::OutOfDomain) }
}

/// The step that a time lies in: a finer one than the manifest's goes no further.
pub(super) fn step(unix_nanos: u64, resolution: Resolution) -> Option<Coarse> {
    let step = unix_nanos / 1_000_000_000 / u64::from(resolution.seconds());
    Some(Coarse::from_steps(u32::try_from(step).ok()?))
}

fn value(attribute: &KeyValue) -> Option<Value> {
    Some(match attribute.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Value::Word(text.clone()),
        any_value::Value::BoolValue(flag) => Value::Bool(*flag),
        any_value::Value::IntValue(number) => Value::Number(u64::try_from(*number).ok()?),
        _ => return None,
    })
}
