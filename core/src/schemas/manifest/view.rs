//! A manifest read in place: checked once, as a whole, then looked at without allocation.

use super::{Error, kind};
use crate::events::bucket;
use crate::events::event::{FIELDS_MAX, Severity};
use crate::events::field::{CODE_LOCATIONS, is_plain_range};
use crate::events::metric::{Kind, LABELS_MAX};
use crate::events::time::Resolution;
use crate::words::label::LABEL_WORDS_MAX;
use minicbor::Decoder;
use minicbor::data::Type;

/// A manifest whose every word and number was checked.
#[derive(Clone, Copy, Debug)]
pub struct Manifest<'a> {
    pub(super) organization: &'a str,
    pub(super) project: &'a str,
    pub(super) version: &'a str,
    pub(super) resolution: Resolution,
    pub(super) fingerprint: u64,
    pub(super) events: Items<'a>,
    pub(super) metrics: Items<'a>,
}

/// Items of an array: CBOR that was checked, and how many items stand at its start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items<'a> {
    bytes: &'a [u8],
    pub(super) count: usize,
}

/// An event of a manifest.
#[derive(Clone, Copy, Debug)]
pub struct ManifestEvent<'a> {
    /// OTLP's `event_name`.
    pub name: &'a str,
    /// OTLP's `severity_number`.
    pub severity: Severity,
    pub(super) fields: Items<'a>,
}

/// A counter or histogram of a manifest.
#[derive(Clone, Copy, Debug)]
pub struct ManifestMetric<'a> {
    /// OTLP's `name`.
    pub name: &'a str,
    /// OTLP's `unit`.
    pub unit: &'a str,
    /// What its cells count.
    pub kind: Kind,
    pub(super) labels: Items<'a>,
}

/// A field of a manifest's event, or a label of a metric.
#[derive(Clone, Copy, Debug)]
pub struct ManifestField<'a> {
    /// The attribute's key.
    pub name: &'a str,
    /// Whether it may be absent.
    pub optional: bool,
    /// Why its values are harmless, whatever its name or its range.
    pub harmless: Option<&'a str>,
    /// What its values range over.
    pub values: ManifestValues<'a>,
}

/// What a field's values range over.
#[derive(Clone, Copy, Debug)]
pub enum ManifestValues<'a> {
    /// One of these words.
    Words(Words<'a>),
    /// False or true.
    Bool,
    /// Every whole number from `first` to `last`.
    Range {
        /// The least.
        first: u32,
        /// The greatest.
        last: u32,
    },
    /// A log-scaled bucket, reported as its lower bound.
    Bucket,
    /// A place in the program, one of [`CODE_LOCATIONS`].
    CodeLocation,
    /// The stack of a crash, which takes [`STACK_BITS`](crate::field::STACK_BITS) beside the record.
    Stack,
}

/// The events of a manifest, in the order of their positions.
#[derive(Clone, Copy, Debug)]
pub struct Events<'a>(pub(super) Items<'a>);

/// The metrics of a manifest, in the order of their positions.
#[derive(Clone, Copy, Debug)]
pub struct Metrics<'a>(pub(super) Items<'a>);

/// The fields of an event, in the order of their ordinals.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(Items<'a>);

/// The words of a label, in the order of their ordinals.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a>(pub(super) Items<'a>);

impl<'a> Manifest<'a> {
    /// Returns who publishes the program.
    #[must_use]
    pub const fn organization(&self) -> &'a str {
        self.organization
    }

    /// Returns the project's name.
    #[must_use]
    pub const fn project(&self) -> &'a str {
        self.project
    }

    /// Returns the program's version.
    #[must_use]
    pub const fn version(&self) -> &'a str {
        self.version
    }

    /// Returns how coarse times are.
    #[must_use]
    pub const fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Returns the fingerprint of the content.
    #[must_use]
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Returns the events, in the order of their indices in records: that of losses first.
    #[must_use]
    pub const fn events(&self) -> Events<'a> {
        Events(self.events)
    }

    /// Returns the counters and histograms, in the order of their positions.
    #[must_use]
    pub const fn metrics(&self) -> Metrics<'a> {
        Metrics(self.metrics)
    }
}

impl<'a> ManifestMetric<'a> {
    /// Returns the labels, each of them a set of words.
    #[must_use]
    pub const fn labels(&self) -> Fields<'a> {
        Fields(self.labels)
    }

    /// Returns the number of cells: combinations of words, times size classes.
    #[must_use]
    pub fn cells(&self) -> u64 {
        self.labels().fold(self.kind.cells() as u64, |cells, label| cells.saturating_mul(label.cardinality()))
    }
}

impl<'a> ManifestEvent<'a> {
    /// Returns the fields.
    #[must_use]
    pub const fn fields(&self) -> Fields<'a> {
        Fields(self.fields)
    }

    pub(super) fn is_shaped_like(&self, other: &ManifestEvent<'_>) -> bool {
        self.severity == other.severity
            && self.fields().map(|field| field.name).eq(other.fields().map(|field| field.name))
    }

    /// Returns how many bits the fields take together in a record: 0 to 64.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.fields().fold(0, |sum, field| sum.saturating_add(field.bits()))
    }

    /// Returns how many bits the plain numbers take together, those of fields with a reason for being harmless left out.
    #[must_use]
    pub fn number_bits(&self) -> u32 {
        let plain = |field: &ManifestField<'a>| match field.values {
            ManifestValues::Range { first, last } => field.harmless.is_none() && is_plain_range(first, last),
            _ => false,
        };
        self.fields().filter(plain).fold(0, |sum, field| sum.saturating_add(field.bits()))
    }
}

impl ManifestField<'_> {
    /// Returns how many values there are, absence included.
    #[must_use]
    pub fn cardinality(&self) -> u64 {
        let values = match &self.values {
            ManifestValues::Words(words) => words.0.count as u64,
            ManifestValues::Bool => 2,
            ManifestValues::Range { first, last } => {
                u64::from(*last).saturating_add(1).saturating_sub(u64::from(*first))
            }
            ManifestValues::Bucket => u64::from(bucket::COUNT),
            ManifestValues::CodeLocation => u64::from(CODE_LOCATIONS),
            ManifestValues::Stack => 1,
        };
        values.saturating_add(u64::from(self.optional))
    }

    /// Returns how many bits an ordinal takes in a record: 0 to 20, 28 or 29 of a place in the program.
    #[must_use]
    pub fn bits(&self) -> u32 {
        u64::BITS.saturating_sub(self.cardinality().saturating_sub(1).leading_zeros())
    }
}

impl<'a> Items<'a> {
    /// The next item, read by `read`. It was read once already, so it is there.
    fn next<T>(&mut self, read: impl FnOnce(&mut Decoder<'a>) -> Result<T, Error>) -> Option<T> {
        self.count = self.count.checked_sub(1)?;
        let mut decoder = Decoder::new(self.bytes);
        let item = read(&mut decoder).ok()?;
        self.bytes = self.bytes.get(decoder.position()..)?;
        Some(item)
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = ManifestEvent<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(|decoder| {
            let event = event(decoder)?;
            for _ in 0..event.fields.count {
                field(decoder)?;
            }
            Ok(event)
        })
    }
}

impl<'a> Iterator for Metrics<'a> {
    type Item = ManifestMetric<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(|decoder| {
            let metric = metric(decoder)?;
            for _ in 0..metric.labels.count {
                field(decoder)?;
            }
            Ok(metric)
        })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = ManifestField<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(field)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(|decoder| Ok(decoder.str()?))
    }
}

impl From<minicbor::decode::Error> for Error {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed
    }
}

/// An event; its fields are the next items of `decoder`.
pub(super) fn event<'a>(decoder: &mut Decoder<'a>) -> Result<ManifestEvent<'a>, Error> {
    array_of(decoder, 3)?;
    let name = decoder.str()?;
    let severity = Severity::from_number(decoder.u32()?).ok_or(Error::Number)?;
    let fields = items(decoder, FIELDS_MAX)?;
    Ok(ManifestEvent { name, severity, fields })
}

/// A metric; its labels are the next items of `decoder`.
pub(super) fn metric<'a>(decoder: &mut Decoder<'a>) -> Result<ManifestMetric<'a>, Error> {
    array_of(decoder, 4)?;
    let name = decoder.str()?;
    let unit = decoder.str()?;
    if !matches!(unit, "1" | "ms" | "By") {
        return Err(Error::Metric);
    }
    let kind = match decoder.u32()? {
        0 => Kind::Counter,
        1 => Kind::Histogram,
        _ => return Err(Error::Metric),
    };
    let labels = items(decoder, LABELS_MAX)?;
    Ok(ManifestMetric { name, unit, kind, labels })
}

pub(super) fn field<'a>(decoder: &mut Decoder<'a>) -> Result<ManifestField<'a>, Error> {
    array_of(decoder, 4)?;
    let name = decoder.str()?;
    let optional = decoder.bool()?;
    let harmless = if decoder.datatype()? == Type::Null {
        decoder.null()?;
        None
    } else {
        Some(decoder.str()?)
    };
    let parts = decoder.array()?.ok_or(Error::Malformed)?;
    let values = match (decoder.u32()?, parts) {
        (kind::WORDS, 2) => {
            let words = items(decoder, LABEL_WORDS_MAX)?;
            if words.count == 0 {
                return Err(Error::Count);
            }
            for _ in 0..words.count {
                decoder.str()?;
            }
            ManifestValues::Words(Words(words))
        }
        (kind::BOOL, 1) => ManifestValues::Bool,
        (kind::RANGE, 3) => ManifestValues::Range { first: decoder.u32()?, last: decoder.u32()? },
        (kind::BUCKET, 1) => ManifestValues::Bucket,
        (kind::CODE_LOCATION, 1) => ManifestValues::CodeLocation,
        (kind::STACK, 1) => ManifestValues::Stack,
        _ => return Err(Error::Malformed),
    };
    Ok(ManifestField { name, optional, harmless, values })
}

/// The head of an array of `count` items.
pub(super) fn array_of(decoder: &mut Decoder<'_>, count: u64) -> Result<(), Error> {
    if decoder.array()? == Some(count) { Ok(()) } else { Err(Error::Malformed) }
}

/// The head of an array of at most `most` items, which follow in `decoder`.
pub(super) fn items<'a>(decoder: &mut Decoder<'a>, most: usize) -> Result<Items<'a>, Error> {
    let count = decoder.array()?.ok_or(Error::Malformed)?;
    let count = usize::try_from(count).ok().filter(|count| *count <= most).ok_or(Error::Count)?;
    let bytes = decoder.input().get(decoder.position()..).unwrap_or(&[]);
    Ok(Items { bytes, count })
}
