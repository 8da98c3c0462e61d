//! The rules of a schema, for a manifest that may come from anybody.

use super::Error;
use super::view::{self, ManifestEvent, ManifestField, ManifestMetric, ManifestValues};
use crate::events::event::{EVENT_BITS_MAX, NUMBER_BITS_MAX};
use crate::events::field::CARDINALITY_MAX;
use crate::events::metric::CELLS_MAX;
use crate::schemas::fingerprint::{Fingerprint, Shape};
use crate::words::word;
use minicbor::Decoder;

/// An event and its fields, every rule checked, added to the fingerprint.
pub(super) fn check_event<'a>(
    decoder: &mut Decoder<'a>,
    found: &mut Fingerprint,
) -> Result<ManifestEvent<'a>, Error> {
    let event = view::event(decoder)?;
    word::check_name(event.name).map_or(Ok(()), |rule| Err(Error::Rule(rule)))?;
    *found = found.event(event.name, event.severity as u32, event.fields.count);
    for index in 0..event.fields.count {
        let field = view::field(decoder)?;
        if event.fields().take(index).any(|earlier| earlier.name == field.name) {
            return Err(Error::Duplicate);
        }
        check_field(&field, found)?;
    }
    if event.bits() > EVENT_BITS_MAX {
        return Err(Error::Bits);
    }
    if event.number_bits() > NUMBER_BITS_MAX {
        return Err(Error::NumberBits);
    }
    Ok(event)
}

/// A metric and its labels, every rule checked, added to the fingerprint.
pub(super) fn check_metric<'a>(
    decoder: &mut Decoder<'a>,
    found: &mut Fingerprint,
) -> Result<ManifestMetric<'a>, Error> {
    let metric = view::metric(decoder)?;
    word::check_name(metric.name).map_or(Ok(()), |rule| Err(Error::Rule(rule)))?;
    *found = found.metric(metric.name, metric.unit, metric.kind, metric.labels.count);
    for index in 0..metric.labels.count {
        let label = view::field(decoder)?;
        if metric.labels().take(index).any(|earlier| earlier.name == label.name) {
            return Err(Error::Duplicate);
        }
        if label.optional || label.harmless.is_some() || !matches!(label.values, ManifestValues::Words(_)) {
            return Err(Error::Metric);
        }
        check_field(&label, found)?;
    }
    if metric.cells() > CELLS_MAX as u64 {
        return Err(Error::Metric);
    }
    Ok(metric)
}

fn check_field(field: &ManifestField<'_>, found: &mut Fingerprint) -> Result<(), Error> {
    let is_bool = matches!(field.values, ManifestValues::Bool);
    if let Some(rule) = word::check_field_name(field.name, field.harmless, is_bool) {
        return Err(Error::Rule(rule));
    }
    let is_place = matches!(field.values, ManifestValues::CodeLocation);
    if field.cardinality() == 0 || field.cardinality() > u64::from(CARDINALITY_MAX) && !is_place {
        return Err(Error::Cardinality);
    }
    let shape = match &field.values {
        ManifestValues::Words(words) => Shape::words(words.0.count as u32, field.optional),
        ManifestValues::Bool => Shape::bool(field.optional),
        ManifestValues::Range { first, last } => Shape::range(*first, *last, field.optional),
        ManifestValues::Bucket => Shape::bucket(field.optional),
        ManifestValues::CodeLocation => Shape::code_location(field.optional),
        ManifestValues::Stack => Shape::stack(field.optional),
    };
    *found = found.field(field.name, shape);
    if let ManifestValues::Words(words) = field.values {
        for (index, text) in words.enumerate() {
            word::check(text).map_or(Ok(()), |rule| Err(Error::Rule(rule)))?;
            if words.take(index).any(|earlier| earlier == text) {
                return Err(Error::Duplicate);
            }
            *found = found.text(text);
        }
    }
    Ok(())
}
