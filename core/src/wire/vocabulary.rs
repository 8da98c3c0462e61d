//! The vocabulary: every string that a program can send.

use crate::events::field::Values;
use crate::schemas::schema::SchemaDescriptor;
use crate::wire::resource::{self, INSTALLATION_ID, SCHEMA_URL, SDK_NAME, SDK_VERSION};

/// Returns every string that a program of `schema` can send, some of them more than once: names of events, fields and metrics, units, words,
/// and what the resource and the scope say. All of them are constants of the program. The one other text that
/// leaves is the value of [`INSTALLATION_ID`]: 32 hexadecimal digits.
///
/// ```
/// # use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
/// # use automagik_telemetry_core::Schema;
/// # struct Omni;
/// # impl Schema for Omni {
/// #     const ORGANIZATION: &'static str = "automagik";
/// #     const PROJECT: &'static str = "omni";
/// #     const VERSION: &'static str = "1.0.0";
/// #     const EVENTS: &'static [EventDescriptor] = &[];
/// #     fn position(&self) -> (u16, Ordinals) { (0, Ordinals::new([])) }
/// # }
/// use automagik_telemetry_core::{schema::Checked, vocabulary::strings};
/// assert!(strings(Checked::<Omni>::DESCRIPTOR).any(|text| text == "omni"));
/// assert!(strings(Checked::<Omni>::DESCRIPTOR).all(|text| text != "alice"));
/// ```
pub fn strings(schema: &SchemaDescriptor) -> impl Iterator<Item = &'static str> {
    let of_the_resource = resource::constants(schema).flat_map(|(key, word)| [key, word]);
    let of_the_envelope = [INSTALLATION_ID, SDK_NAME, SDK_VERSION, SCHEMA_URL];
    let of_the_events = schema.events().flat_map(|event| {
        let of_the_fields = event.fields.iter().flat_map(|field| {
            let words: &[&str] = if let Values::Words(words) = field.domain.values { words } else { &[] };
            core::iter::once(field.name).chain(words.iter().copied())
        });
        core::iter::once(event.name).chain(of_the_fields)
    });
    let of_the_metrics = schema.metrics().iter().flat_map(|metric| {
        let words = metric.domains.iter().flat_map(|domain| {
            let words: &[&str] = if let Values::Words(words) = domain.values { words } else { &[] };
            words.iter().copied()
        });
        [metric.name, metric.unit].into_iter().chain(metric.labels.iter().copied()).chain(words)
    });
    of_the_resource.chain(of_the_envelope).chain(of_the_events).chain(of_the_metrics)
}
