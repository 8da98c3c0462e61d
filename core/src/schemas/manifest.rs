//! The manifest: all that a program could ever send, in CBOR ([RFC 8949](https://www.rfc-editor.org/rfc/rfc8949)).
//!
//! A person reads it as a table; a gateway refuses what is not in it. A device writes it without allocation
//! ([`encode`]); a reader takes it from anybody, checks all of it, and looks at it in place ([`Manifest::decode`]).
//!
//! ```text
//! manifest = [2, organization: tstr, project: tstr, version: tstr, resolution-seconds: uint, fingerprint: uint,
//!             [* event], [* metric]]
//! event    = [name: tstr, severity-number: uint, [* field]]
//! field    = [name: tstr, optional: bool, harmless: tstr / null, values]
//! metric   = [name: tstr, unit: tstr, kind: 0 / 1, [* field]]                    counter, histogram; labels as fields of words
//! values   = [0, [+ word: tstr]] / [1] / [2, first: uint, last: uint] / [3] / [4] / [5]
//!            words, bool, range, bucket, code location, stack
//! ```
//!
//! Events stand in the order of their indices in records: `automagik.telemetry.dropped` first, then the program's own, then those of
//! libraries. Two may have the same name, where they have the same severity and fields of the same names: one of a library is the
//! other with words of its own.
//!
//! # What an older reader survives
//!
//! Records name their events and values by position, so they are read with the manifest of the same fingerprint. A
//! reader that has only an older manifest of the project reads the newer records rightly where the newer schema
//!
//! | change | the older reader |
//! |---|---|
//! | appends an event | reads the others; refuses the new one (its index is unknown) |
//! | appends a word to a label, and the field's bits stay the same | reads the others; refuses the new word |
//! | appends a word, and the field's bits grow | **misreads** the fields behind it: not safe |
//! | renames, removes or reorders anything; changes a range or an `Option`; adds a field | **misreads**: not safe |
//!
//! So a gateway takes records of a fingerprint that it knows, and no others.

mod check;
mod decode;
mod view;

use crate::events::event::FieldDescriptor;
use crate::events::field::Values;
use crate::schemas::schema::SchemaDescriptor;
use crate::words::word::Rule;
use minicbor::Encoder;
use minicbor::encode::Write;

pub use view::{
    Events, Fields, Manifest, ManifestEvent, ManifestField, ManifestMetric, ManifestValues, Metrics, Words,
};

/// The version of the form above.
pub const FORMAT: u32 = 2;

/// Longest manifest that a reader takes, in bytes.
pub const MANIFEST_LEN_MAX: usize = 1 << 16;

mod kind {
    pub(super) const WORDS: u32 = 0;
    pub(super) const BOOL: u32 = 1;
    pub(super) const RANGE: u32 = 2;
    pub(super) const BUCKET: u32 = 3;
    pub(super) const CODE_LOCATION: u32 = 4;
    pub(super) const STACK: u32 = 5;
}

/// Why bytes are not a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// They are not CBOR of the form above, or end too early.
    Malformed,
    /// They are longer than [`MANIFEST_LEN_MAX`].
    TooLong,
    /// Something follows the manifest.
    Trailing,
    /// The form has another version than [`FORMAT`].
    Format,
    /// A word or a name breaks a rule.
    Rule(Rule),
    /// The version is not letters, digits, `.` and `-`.
    Version,
    /// There is no such resolution or severity.
    Number,
    /// Two events, two fields of one event, or two words of one label are the same.
    Duplicate,
    /// There are more events, fields or words than a schema may have, or a label has none.
    Count,
    /// A field ranges over no value, or over more than 2^20.
    Cardinality,
    /// An event takes more than 64 bits.
    Bits,
    /// The plain numbers of an event take more than 20 bits, without a reason why that is harmless.
    NumberBits,
    /// A metric has a label that is no set of words, another unit or kind than there are, or too many cells.
    Metric,
    /// The fingerprint is not that of the content.
    Fingerprint,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the bytes are not a manifest",
            Self::TooLong => "the manifest is longer than 65536 bytes",
            Self::Trailing => "something follows the manifest",
            Self::Format => "the manifest has a form of another version",
            Self::Rule(rule) => return write!(f, "a word or name of the manifest {}", rule.sentence()),
            Self::Version => "the version is not letters, digits, `.` and `-`",
            Self::Number => "there is no such resolution or severity",
            Self::Duplicate => "two events, fields or words are the same",
            Self::Count => "there are too many events, fields or words, or a label has none",
            Self::Cardinality => "a field ranges over no value, or over more than 2^20",
            Self::Metric => {
                "a metric has a label that is no set of words, an unknown unit, or too many cells"
            }
            Self::Bits => "an event takes more than 64 bits",
            Self::NumberBits => "the plain numbers of an event take more than 20 bits, without a reason",
            Self::Fingerprint => "the fingerprint is not that of the content",
        })
    }
}

impl core::error::Error for Error {}

/// Writes the manifest of `schema`.
///
/// ```
/// # use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
/// # use automagik_telemetry_core::{Schema, schema::Checked};
/// # struct Omni;
/// # impl Schema for Omni {
/// #     const ORGANIZATION: &'static str = "automagik";
/// #     const PROJECT: &'static str = "omni";
/// #     const VERSION: &'static str = "1.0.0";
/// #     const EVENTS: &'static [EventDescriptor] = &[];
/// #     fn position(&self) -> (u16, Ordinals) { (0, Ordinals::new([])) }
/// # }
/// use automagik_telemetry_core::manifest::{self, Manifest};
/// let schema = Checked::<Omni>::DESCRIPTOR;
/// let mut bytes = [0; 256];
/// let len = manifest::len(schema);
/// manifest::encode(schema, &mut bytes[..len]).unwrap();
/// let manifest = Manifest::decode(&bytes[..len])?;
/// assert_eq!((manifest.project(), manifest.fingerprint()), ("omni", schema.fingerprint()));
/// # Ok::<(), manifest::Error>(())
/// ```
///
/// # Errors
///
/// Those of the writer.
pub fn encode<W: Write>(
    schema: &SchemaDescriptor,
    writer: W,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    let mut encoder = Encoder::new(writer);
    encoder.array(8)?.u32(FORMAT)?;
    encoder.str(schema.organization())?.str(schema.project())?.str(schema.version())?;
    encoder.u32(schema.resolution().seconds())?.u64(schema.fingerprint())?;
    encoder.array(schema.event_count() as u64)?;
    for event in schema.events() {
        encoder.array(3)?.str(event.name)?.u32(event.severity as u32)?.array(event.fields.len() as u64)?;
        for field in event.fields {
            encode_field(&mut encoder, field)?;
        }
    }
    encoder.array(schema.metrics().len() as u64)?;
    for metric in schema.metrics() {
        encoder.array(4)?.str(metric.name)?.str(metric.unit)?.u32(metric.kind as u32)?;
        encoder.array(metric.labels.len() as u64)?;
        for (name, domain) in metric.labels.iter().zip(metric.domains) {
            encode_field(&mut encoder, &FieldDescriptor { name, domain: *domain, harmless: None })?;
        }
    }
    Ok(())
}

fn encode_field<W: Write>(
    encoder: &mut Encoder<W>,
    field: &FieldDescriptor,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    encoder.array(4)?.str(field.name)?.bool(field.domain.optional)?;
    match field.harmless {
        Some(reason) => encoder.str(reason)?,
        None => encoder.null()?,
    };
    match field.domain.values {
        Values::Words(words) => {
            encoder.array(2)?.u32(kind::WORDS)?.array(words.len() as u64)?;
            for word in words {
                encoder.str(word)?;
            }
        }
        Values::Bool => {
            encoder.array(1)?.u32(kind::BOOL)?;
        }
        Values::Range { first, last } => {
            encoder.array(3)?.u32(kind::RANGE)?.u32(first)?.u32(last)?;
        }
        Values::Bucket => {
            encoder.array(1)?.u32(kind::BUCKET)?;
        }
        Values::CodeLocation => {
            encoder.array(1)?.u32(kind::CODE_LOCATION)?;
        }
        Values::Stack => {
            encoder.array(1)?.u32(kind::STACK)?;
        }
    }
    Ok(())
}

/// Returns the length of the manifest of `schema`, in bytes.
#[must_use]
pub fn len(schema: &SchemaDescriptor) -> usize {
    struct Counter(usize);
    impl Write for &mut Counter {
        type Error = core::convert::Infallible;
        fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // A counter takes everything.
    let _ = encode(schema, &mut counter);
    counter.0
}
