//! Manifests for people: what a program can say, and what it could say more than before.

use crate::known::vocabulary::Value;
use automagik_telemetry_core::manifest::{Manifest, ManifestField, ManifestValues};
use automagik_telemetry_core::metric::Kind;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// All that the program of `manifest` can say, a line each: what a review reads, and what [`difference`] compares.
#[must_use]
pub fn lines(manifest: &Manifest<'_>) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    lines.insert(format!("times in steps of {} s", manifest.resolution().seconds()));
    for event in manifest.events() {
        lines.insert(format!("event {}", event.name));
        for field in event.fields() {
            describe(&mut lines, &format!("event {}, {}", event.name, field.name), &field);
        }
    }
    for metric in manifest.metrics() {
        let kind = if metric.kind == Kind::Counter { "counter" } else { "histogram" };
        lines.insert(format!("{kind} {} in {}", metric.name, metric.unit));
        for label in metric.labels() {
            describe(&mut lines, &format!("{kind} {}, {}", metric.name, label.name), &label);
        }
    }
    lines
}

fn describe(lines: &mut BTreeSet<String>, of: &str, field: &ManifestField<'_>) {
    if field.optional {
        lines.insert(format!("{of}: absent"));
    }
    match &field.values {
        ManifestValues::Words(words) => lines.extend((*words).map(|word| format!("{of}: {word}"))),
        ManifestValues::Bool => {
            lines.insert(format!("{of}: true or false"));
        }
        ManifestValues::Range { first, last } => {
            lines.insert(format!("{of}: {first} to {last}"));
        }
        ManifestValues::CodeLocation => {
            lines.insert(format!("{of}: a place in the program"));
        }
        ManifestValues::Stack => {
            lines.insert(format!("{of}: the stack of a crash"));
        }
        ManifestValues::Bucket => {
            lines.insert(format!("{of}: one of 124 classes of size"));
        }
    }
}

/// The manifest, as a page of text.
#[must_use]
pub fn print(manifest: &Manifest<'_>) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} {} of {}\nfingerprint {:016x}, times in steps of {} s",
        manifest.project(),
        manifest.version(),
        manifest.organization(),
        manifest.fingerprint(),
        manifest.resolution().seconds()
    );
    for event in manifest.events() {
        let _ = writeln!(text, "\n{} ({} bits)", event.name, event.bits());
        for field in event.fields() {
            let _ = writeln!(text, "  {}: {}", field.name, values(&field));
        }
    }
    for metric in manifest.metrics() {
        let kind = if metric.kind == Kind::Counter { "counter" } else { "histogram" };
        let _ = writeln!(text, "\n{} ({kind}, in {}, {} cells)", metric.name, metric.unit, metric.cells());
        for label in metric.labels() {
            let _ = writeln!(text, "  {}: {}", label.name, values(&label));
        }
    }
    text
}

fn values(field: &ManifestField<'_>) -> String {
    let absent = if field.optional { ", or absent" } else { "" };
    let values = match &field.values {
        ManifestValues::Words(words) => (*words).collect::<Vec<_>>().join(" | "),
        ManifestValues::Bool => "true | false".to_owned(),
        ManifestValues::Range { first, last } => format!("{first} to {last}"),
        ManifestValues::CodeLocation => "a place in the program".to_owned(),
        ManifestValues::Stack => "up to 16 return addresses in the file of the program".to_owned(),
        ManifestValues::Bucket => match Value::of(field, field.cardinality() - 1) {
            Some(Value::Number(last)) => format!("one of 124 classes from 0 to {last}"),
            _ => "one of 124 classes".to_owned(),
        },
    };
    format!("{values}{absent}")
}

/// What the program of `new` can say that that of `old` can't, and the other way round.
#[must_use]
pub fn difference(old: &Manifest<'_>, new: &Manifest<'_>) -> (Vec<String>, Vec<String>) {
    let (old, new) = (lines(old), lines(new));
    (new.difference(&old).cloned().collect(), old.difference(&new).cloned().collect())
}
