//! A manifest, ready for records: the shape of each, and what leaves of it. Every name and word is encoded once, when the manifest is loaded, as the
//! bytes of its attribute, so that a record becomes OTLP by copying.

use crate::known::backward::Backward;
use automagik_telemetry_core::Record;
use automagik_telemetry_core::bucket;
use automagik_telemetry_core::event::Severity;
use automagik_telemetry_core::frames::{Shape, version_mark};
use automagik_telemetry_core::loss::DROPPED_INDEX;
use automagik_telemetry_core::manifest::{Error, Manifest, ManifestField, ManifestValues};
use automagik_telemetry_core::metric::Kind;
use automagik_telemetry_core::time::Resolution;
use std::collections::HashMap;

/// Most values of a field whose attributes are made when the manifest is loaded: those of larger ranges are made for each record.
const READY_MAX: u64 = 1 << 10;

/// What a record is named by (OpenTelemetry's semantic conventions).
pub const RECORD_UID: &str = "log.record.uid";

/// `attributes` of a log record.
const LOG_ATTRIBUTES: u8 = 6;

/// What one program can say.
#[derive(Debug)]
pub struct Vocabulary {
    /// The project's name.
    pub project: String,
    /// The program's version.
    pub version: String,
    /// What stands for the version in frames.
    pub version_mark: [u8; 3],
    /// The fingerprint of the schema.
    pub fingerprint: u64,
    /// How coarse times are.
    pub resolution: Resolution,
    /// The manifest as it was read.
    pub manifest: Vec<u8>,
    pub(crate) events: Vec<Event>,
    pub(crate) metrics: Vec<Metric>,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) bits: u32,
    pub(crate) severity: Severity,
    /// The end of the log record: its field `event_name`.
    pub(crate) name_ready: Vec<u8>,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) bits: u32,
    pub(crate) cardinality: u64,
    pub(crate) name: String,
    pub(crate) values: Values,
    /// Ordinals of values, where all are ready.
    ordinals: HashMap<Value, u32>,
    optional: bool,
}

/// What leaves for each ordinal.
#[derive(Debug)]
pub(crate) enum Values {
    /// The whole attribute: where each begins, and all of them. An absent one is empty.
    Ready { starts: Vec<u32>, bytes: Vec<u8> },
    /// A number that is made for each record: that of the first ordinal, which is 1 where it may be absent.
    Range { first: u32 },
}

#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) kind: Kind,
    pub(crate) cells: u32,
    /// The labels' names, and their words.
    pub(crate) labels: Vec<(String, Vec<String>)>,
}

impl Vocabulary {
    /// That of the manifest in `bytes`.
    ///
    /// # Errors
    ///
    /// Where they are none.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let manifest = Manifest::decode(bytes)?;
        let events = manifest.events().map(|event| Event {
            name: event.name.to_owned(),
            bits: event.bits(),
            severity: event.severity,
            name_ready: {
                let mut ready = Backward::with_room(64);
                ready.text(12, event.name);
                ready.as_slice().to_vec()
            },
            fields: event.fields().map(|field| Field::new(&field)).collect(),
        });
        let metrics = manifest.metrics().map(|metric| Metric {
            name: metric.name.to_owned(),
            unit: metric.unit.to_owned(),
            kind: metric.kind,
            // 4,096 at most: a manifest with more is none.
            cells: u32::try_from(metric.cells()).unwrap_or(u32::MAX),
            labels: metric
                .labels()
                .map(|label| {
                    let words = if let ManifestValues::Words(words) = label.values {
                        words.map(str::to_owned).collect()
                    } else {
                        Vec::new()
                    };
                    (label.name.to_owned(), words)
                })
                .collect(),
        });
        Ok(Self {
            project: manifest.project().to_owned(),
            version: manifest.version().to_owned(),
            version_mark: version_mark(manifest.version()),
            fingerprint: manifest.fingerprint(),
            resolution: manifest.resolution(),
            events: events.collect(),
            metrics: metrics.collect(),
            manifest: bytes.to_vec(),
        })
    }

    /// The event of this name, and its place.
    pub(crate) fn event_named(&self, name: &str) -> Option<(u16, &Event)> {
        let at = self.events.iter().position(|event| event.name == name)?;
        Some((u16::try_from(at).ok()?, self.events.get(at)?))
    }

    /// The half of the fingerprint that frames say.
    #[must_use]
    pub const fn mark(&self) -> u32 {
        self.fingerprint as u32
    }
}

impl Metric {
    /// The labels' names and words of the cells of `combination`, the last label first: it changes fastest.
    pub(crate) fn words(&self, combination: usize) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = combination;
        self.labels.iter().rev().filter_map(move |(name, words)| {
            let word = words.get(rest.checked_rem(words.len())?)?;
            rest /= words.len();
            Some((name.as_str(), word.as_str()))
        })
    }
}

impl Field {
    fn new(field: &ManifestField<'_>) -> Self {
        let cardinality = field.cardinality();
        let mut ordinals = HashMap::new();
        let values = match field.values {
            ManifestValues::Range { first, .. } if cardinality > READY_MAX => Values::Range { first },
            ManifestValues::CodeLocation => Values::Range { first: 0 },
            _ => {
                let (mut starts, mut bytes) = (vec![0], Vec::new());
                for ordinal in 0..cardinality {
                    if let Some(value) = Value::of(field, ordinal) {
                        bytes.extend_from_slice(&value.attribute(field.name));
                        // 2^20 at most: a manifest with more is none.
                        ordinals.insert(value, ordinal as u32);
                    }
                    starts.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                }
                Values::Ready { starts, bytes }
            }
        };
        let (bits, name, optional) = (field.bits(), field.name.to_owned(), field.optional);
        Self { bits, cardinality, name, values, ordinals, optional }
    }

    /// The ordinal of `value`, which is `None` where there is none; nothing where it is not of this field.
    pub(crate) fn ordinal(&self, value: Option<&Value>) -> Option<u64> {
        let Some(value) = value else { return self.optional.then_some(0) };
        match (&self.values, value) {
            (Values::Ready { .. }, _) => self.ordinals.get(value).map(|ordinal| u64::from(*ordinal)),
            (Values::Range { first }, Value::Number(number)) => {
                let ordinal = number.checked_sub(u64::from(*first))?.checked_add(u64::from(self.optional))?;
                (ordinal < self.cardinality).then_some(ordinal)
            }
            (Values::Range { .. }, _) => None,
        }
    }

    /// Writes the attribute of `ordinal`, which lies in the domain.
    #[inline]
    pub(crate) fn write(&self, ordinal: u64, out: &mut Backward) {
        match &self.values {
            Values::Ready { starts, bytes } => {
                let at = ordinal as usize;
                out.put(&bytes[starts[at] as usize..starts[at + 1] as usize]);
            }
            Values::Range { first } => {
                let Some(ordinal) = ordinal.checked_sub(u64::from(self.optional)) else { return };
                out.attribute_number(LOG_ATTRIBUTES, self.name.as_bytes(), u64::from(*first) + ordinal);
            }
        }
    }
}

/// A value, as people and OTLP see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    Word(String),
    Bool(bool),
    Number(u64),
}

impl Value {
    /// That of `ordinal`, or `None` if it says that there is none.
    pub(crate) fn of(field: &ManifestField<'_>, ordinal: u64) -> Option<Self> {
        let ordinal = ordinal.checked_sub(u64::from(field.optional))?;
        Some(match &field.values {
            ManifestValues::Words(words) => {
                Self::Word(words.clone().nth(usize::try_from(ordinal).ok()?)?.to_owned())
            }
            ManifestValues::Bool => Self::Bool(ordinal == 1),
            ManifestValues::Range { first, .. } => Self::Number(u64::from(*first) + ordinal),
            ManifestValues::Bucket => Self::Number(bucket::lower_bound(u32::try_from(ordinal).ok()?).into()),
            ManifestValues::CodeLocation => Self::Number(ordinal),
            // No record has it, so no gateway lets one through.
            ManifestValues::Stack => return None,
        })
    }

    /// The attribute of a log record that says it of `key`.
    fn attribute(&self, key: &str) -> Vec<u8> {
        let mut out = Backward::with_room(64);
        match self {
            Self::Word(word) => out.attribute(LOG_ATTRIBUTES, key, word),
            Self::Number(number) => out.attribute_number(LOG_ATTRIBUTES, key.as_bytes(), *number),
            Self::Bool(flag) => {
                out.number(2, u64::from(*flag));
                out.open(2, 0);
                out.text(1, key);
                out.open(LOG_ATTRIBUTES, 0);
            }
        }
        out.as_slice().to_vec()
    }
}

impl Shape for Vocabulary {
    fn counts(&self) -> (u32, u32) {
        (self.events.len() as u32, self.metrics.len() as u32)
    }

    #[inline]
    fn event_bits(&self, event: u16) -> Option<u32> {
        self.events.get(usize::from(event)).map(|event| event.bits)
    }

    fn cells(&self, metric: usize) -> Option<u32> {
        self.metrics.get(metric).map(|metric| metric.cells)
    }

    #[inline]
    fn admits(&self, record: &Record) -> bool {
        if let Some(delta) = record.as_delta() {
            return delta.count > 0
                && self.cells(delta.metric).is_some_and(|cells| delta.cell < cells as usize);
        }
        let Some(event) = self.events.get(usize::from(record.event())) else { return false };
        let mut rest = record.bits();
        for field in &event.fields {
            let ordinal = rest & ((1 << field.bits) - 1);
            rest >>= field.bits;
            if ordinal >= field.cardinality {
                return false;
            }
        }
        rest == 0 && (record.event() != DROPPED_INDEX || record.loss().is_some())
    }
}
