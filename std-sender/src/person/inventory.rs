//! The inventory: all that a program could ever send, for people. Rendered from the manifest, and nothing else.

use automagik_telemetry_core::Schema;
use automagik_telemetry_core::bucket::HALVES;
use automagik_telemetry_core::crashes::stack::STACK_MAX;
use automagik_telemetry_core::field::STACK_BITS;
use automagik_telemetry_core::manifest::{
    self, Error, Manifest, ManifestEvent, ManifestField, ManifestMetric, ManifestValues,
};
use automagik_telemetry_core::metric::Kind;
use automagik_telemetry_core::resource::INSTALLATION_ID;
use automagik_telemetry_core::schema::{Checked, SchemaDescriptor};
use core::fmt::{self, Write};
use serde_json::{Value, json};

/// All that a program could ever send. `Display` is a table for a terminal.
///
/// ```
/// # use automagik_telemetry_core::{FeatureUsed, Label};
/// # use automagik_telemetry_derive::{Label, Schema};
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// # #[derive(Label, Clone, Copy)]
/// # enum Feature { ListContacts }
/// # #[derive(Schema)]
/// # #[schema(organization = "automagik", project = "omni")]
/// # enum Omni { FeatureUsed(FeatureUsed<Feature>) }
/// use automagik_telemetry_std::Inventory;
/// let inventory = Inventory::of::<Omni>();
/// assert!(inventory.to_string().contains("list_contacts"));
/// ```
#[derive(Clone, Debug)]
pub struct Inventory {
    cbor: Vec<u8>,
}

impl Inventory {
    /// That of the program of this schema.
    #[must_use]
    pub fn of<S: Schema>() -> Self {
        Self::of_schema(Checked::<S>::DESCRIPTOR)
    }

    pub(crate) fn of_schema(schema: &'static SchemaDescriptor) -> Self {
        let mut cbor = vec![0; manifest::len(schema)];
        // The buffer has the length that was measured.
        let _ = manifest::encode(schema, cbor.as_mut_slice());
        Self { cbor }
    }

    /// That of a manifest, from anybody.
    ///
    /// # Errors
    ///
    /// Where it is none, or breaks a rule.
    pub fn from_cbor(cbor: Vec<u8>) -> Result<Self, Error> {
        Manifest::decode(&cbor)?;
        Ok(Self { cbor })
    }

    /// Returns the manifest in CBOR.
    #[must_use]
    pub fn cbor(&self) -> &[u8] {
        &self.cbor
    }

    /// Returns the manifest.
    ///
    /// # Errors
    ///
    /// Where it is longer than a reader takes.
    pub fn manifest(&self) -> Result<Manifest<'_>, Error> {
        Manifest::decode(&self.cbor)
    }

    /// Returns the inventory as JSON, for programs.
    ///
    /// # Errors
    ///
    /// Where the manifest is longer than a reader takes.
    pub fn json(&self) -> Result<Value, Error> {
        let manifest = self.manifest()?;
        let events: Vec<Value> = manifest.events().map(event_json).collect();
        let metrics: Vec<Value> = manifest.metrics().map(metric_json).collect();
        Ok(json!({
            "organization": manifest.organization(),
            "project": manifest.project(),
            "version": manifest.version(),
            "resolution_seconds": manifest.resolution().seconds(),
            "fingerprint": format!("{:016x}", manifest.fingerprint()),
            "events": events,
            "metrics": metrics,
        }))
    }

    /// Each field of each event, and each label of each metric: its event or metric, its name, what it may say, and how many bits or cells that are.
    pub(crate) fn rows(&self) -> Result<Vec<[String; 4]>, Error> {
        let manifest = self.manifest()?;
        let mut rows = Vec::new();
        for event in manifest.events() {
            if event.fields().next().is_none() {
                rows.push([
                    event.name.to_owned(),
                    String::new(),
                    "only that it happened".to_owned(),
                    "0".to_owned(),
                ]);
            }
            for field in event.fields() {
                let (said, bits) = (description(&field, ""), field.bits().to_string());
                rows.push([event.name.to_owned(), field.name.to_owned(), said, bits]);
            }
        }
        for metric in manifest.metrics() {
            let cells = format!("{} cells", metric.cells());
            rows.push([metric.name.to_owned(), String::new(), counted(&metric), cells]);
            for label in metric.labels() {
                let said = description(&label, "");
                rows.push([metric.name.to_owned(), label.name.to_owned(), said, String::new()]);
            }
        }
        Ok(rows)
    }

    /// Returns the events as a table in Markdown, for a privacy notice.
    ///
    /// # Errors
    ///
    /// Where the manifest is longer than a reader takes.
    pub fn markdown(&self) -> Result<String, Error> {
        let mut text = String::from("| event | field | what it may say | bits |\n|---|---|---|---|\n");
        for event in self.manifest()?.events() {
            let mut name = format!("`{}`", event.name);
            if event.fields().next().is_none() {
                let _ = writeln!(text, "| {name} | | only that it happened | 0 |");
            }
            for field in event.fields() {
                let said = description(&field, "`");
                let _ = writeln!(text, "| {name} | `{}` | {said} | {} |", field.name, field.bits());
                name.clear();
            }
        }
        if self.manifest()?.metrics().next().is_some() {
            text.push_str("\n| metric | by | what it counts | cells |\n|---|---|---|---|\n");
        }
        for metric in self.manifest()?.metrics() {
            let (cells, counted) = (metric.cells(), counted(&metric));
            if metric.labels().next().is_none() {
                let _ = writeln!(text, "| `{}` | | {counted} | {cells} |", metric.name);
            }
            let mut front = format!("`{}`", metric.name);
            let mut end = format!("; {counted} | {cells}");
            for label in metric.labels() {
                let said = description(&label, "`");
                let _ = writeln!(text, "| {front} | `{}` | {said}{end} |", label.name);
                front.clear();
                " | ".clone_into(&mut end);
            }
        }
        Ok(text)
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest = match self.manifest() {
            Ok(manifest) => manifest,
            Err(error) => return writeln!(f, "The manifest can't be shown: {error}."),
        };
        writeln!(
            f,
            "All that {} {} of {} can send (fingerprint {:016x}, times in steps of {} s):",
            manifest.project(),
            manifest.version(),
            manifest.organization(),
            manifest.fingerprint(),
            manifest.resolution().seconds()
        )?;
        for event in manifest.events() {
            writeln!(f, "\n{} ({:?}, {} bits)", event.name, event.severity, event.bits())?;
            for field in event.fields() {
                writeln!(f, "  {:<16} {}", field.name, description(&field, ""))?;
            }
        }
        for metric in manifest.metrics() {
            writeln!(f, "\n{} ({})", metric.name, counted(&metric))?;
            for label in metric.labels() {
                writeln!(f, "  {:<16} {}", label.name, description(&label, ""))?;
            }
        }
        writeln!(
            f,
            "\nAnd with every request: the project and its version, this library's name and version,"
        )?;
        writeln!(
            f,
            "the operating system, the processor's kind, and {INSTALLATION_ID}: 32 random-looking digits"
        )?;
        writeln!(f, "that say nothing of this machine or its user and are another for every project.")
    }
}

/// What a field may say, in words; each word between `quotes`.
fn description(field: &ManifestField<'_>, quotes: &str) -> String {
    let mut text = match field.values {
        ManifestValues::Words(words) => {
            let words: Vec<String> = words.map(|word| format!("{quotes}{word}{quotes}")).collect();
            match words.as_slice() {
                [word] => format!("always {word}"),
                words => format!("one of {}: {}", words.len(), words.join(", ")),
            }
        }
        ManifestValues::Bool => "true or false".to_owned(),
        ManifestValues::Range { first, last } => format!("a whole number from {first} to {last}"),
        ManifestValues::Bucket => {
            "a size class: 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, ... (124 of them)".to_owned()
        }
        ManifestValues::CodeLocation => {
            "a place in the program, as a number: file and line to who has the program's own file".to_owned()
        }
        ManifestValues::Stack => format!(
            "up to 16 return addresses in the program's own file, 32 bits each, with their depth: {STACK_BITS} bits beside the others"
        ),
    };
    if field.optional {
        text.push_str("; or nothing");
    }
    if let Some(reason) = field.harmless {
        let _ = write!(text, " (harmless: {reason})");
    }
    text
}

/// What a metric counts, in words.
fn counted(metric: &ManifestMetric<'_>) -> String {
    match metric.kind {
        Kind::Counter => "how often".to_owned(),
        Kind::Histogram => format!("how often in each of {HALVES} size classes, in {}", metric.unit),
    }
}

fn metric_json(metric: ManifestMetric<'_>) -> Value {
    let labels: Vec<Value> = metric.labels().map(|label| field_json(&label)).collect();
    json!({
        "name": metric.name,
        "unit": metric.unit,
        "kind": match metric.kind {
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        },
        "cells": metric.cells(),
        "labels": labels,
    })
}

fn event_json(event: ManifestEvent<'_>) -> Value {
    let fields: Vec<Value> = event.fields().map(|field| field_json(&field)).collect();
    json!({
        "name": event.name,
        "severity_number": event.severity as u8,
        "bits": event.bits(),
        "fields": fields,
    })
}

fn field_json(field: &ManifestField<'_>) -> Value {
    let values = match field.values {
        ManifestValues::Words(words) => json!({ "words": words.collect::<Vec<&str>>() }),
        ManifestValues::Bool => json!("bool"),
        ManifestValues::Range { first, last } => json!({ "first": first, "last": last }),
        ManifestValues::Bucket => json!("bucket"),
        ManifestValues::CodeLocation => json!("code_location"),
        ManifestValues::Stack => json!({ "stack": { "addresses_max": STACK_MAX, "bits": STACK_BITS } }),
    };
    json!({
        "name": field.name,
        "optional": field.optional,
        "harmless": field.harmless,
        "cardinality": field.cardinality(),
        "bits": field.bits(),
        "values": values,
    })
}
