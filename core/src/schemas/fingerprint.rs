//! The fingerprint: 64 bits over everything that a writer and a reader of records must agree on.
//!
//! It covers the organization, the project, the resolution of times, and of every event in order (that of losses first) its name, its severity, and of every field
//! its name and its domain with every word; and of every metric its name, unit, kind and labels with every word. It does not cover the program's version, nor the reasons for being
//! harmless: they change no record.
//!
//! Any change to what it covers changes it. What an older reader survives all the same is written in
//! [`crate::schemas::manifest`].
//!
//! FNV-1a over the parts, each with its length in front, then mixed (the finalizer of MurmurHash3). It tells two
//! schemas apart; it is no signature.

use crate::events::event::EventDescriptor;
use crate::events::field::{Domain, Values};
use crate::events::loss::EVENT_DROPPED;
use crate::events::metric::{Kind, MetricDescriptor};
use crate::events::time::Resolution;

/// Where FNV-1a of 64 bits begins.
const BASIS: u64 = 0xCBF2_9CE4_8422_2325;

/// A fingerprint in the making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// That of a schema, its events not yet among it.
    pub(crate) const fn new(organization: &str, project: &str, resolution: Resolution) -> Self {
        Self(BASIS).text(organization).text(project).number(resolution.seconds())
    }

    pub(crate) const fn number(self, number: u32) -> Self {
        let [a, b, c, d] = number.to_le_bytes();
        self.byte(a).byte(b).byte(c).byte(d)
    }

    pub(crate) const fn text(self, text: &str) -> Self {
        let mut state = self.number(text.len() as u32);
        let mut bytes = text.as_bytes();
        while let [first, rest @ ..] = bytes {
            state = state.byte(*first);
            bytes = rest;
        }
        state
    }

    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01B3))
    }

    pub(crate) const fn finish(self) -> u64 {
        let mut state = self.0;
        state = (state ^ (state >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        state = (state ^ (state >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        state ^ (state >> 33)
    }

    /// The start of an event.
    pub(crate) const fn event(self, name: &str, severity: u32, fields: usize) -> Self {
        self.text(name).number(severity).number(fields as u32)
    }

    /// The start of a field whose words, where it has any, follow.
    pub(crate) const fn field(self, name: &str, domain: Shape) -> Self {
        let state = self.text(name).number(domain.optional as u32);
        let (kind, first, last) = domain.kind;
        state.number(kind).number(first).number(last)
    }

    const fn events(self, mut events: &[EventDescriptor]) -> Self {
        let mut state = self;
        while let [event, rest @ ..] = events {
            state = state.event(event.name, event.severity as u32, event.fields.len());
            let mut fields = event.fields;
            while let [field, others @ ..] = fields {
                state = state.field(field.name, Shape::of(&field.domain)).words(&field.domain);
                fields = others;
            }
            events = rest;
        }
        state
    }
}

impl Fingerprint {
    /// The start of a metric, whose labels follow as fields.
    pub(crate) const fn metric(self, name: &str, unit: &str, kind: Kind, labels: usize) -> Self {
        self.text(name).text(unit).number(kind as u32).number(labels as u32)
    }

    const fn metrics(self, mut metrics: &[MetricDescriptor]) -> Self {
        let mut state = self;
        while let [metric, rest @ ..] = metrics {
            state = state.metric(metric.name, metric.unit, metric.kind, metric.labels.len());
            let (mut labels, mut domains) = (metric.labels, metric.domains);
            while let ([label, names @ ..], [domain, others @ ..]) = (labels, domains) {
                state = state.field(label, Shape::of(domain)).words(domain);
                (labels, domains) = (names, others);
            }
            metrics = rest;
        }
        state
    }

    const fn words(self, domain: &Domain) -> Self {
        let mut state = self;
        if let Values::Words(mut words) = domain.values {
            while let [word, tail @ ..] = words {
                state = state.text(word);
                words = tail;
            }
        }
        state
    }
}

/// FNV-1a of bytes as it is: it groups, and is no signature.
pub(crate) fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(Fingerprint(BASIS), Fingerprint::byte).0
}

/// A domain without its words.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    optional: bool,
    kind: (u32, u32, u32),
}

impl Shape {
    pub(crate) const fn words(count: u32, optional: bool) -> Self {
        Self { optional, kind: (0, count, 0) }
    }

    pub(crate) const fn bool(optional: bool) -> Self {
        Self { optional, kind: (1, 0, 0) }
    }

    pub(crate) const fn range(first: u32, last: u32, optional: bool) -> Self {
        Self { optional, kind: (2, first, last) }
    }

    pub(crate) const fn bucket(optional: bool) -> Self {
        Self { optional, kind: (3, 0, 0) }
    }

    pub(crate) const fn code_location(optional: bool) -> Self {
        Self { optional, kind: (4, 0, 0) }
    }

    pub(crate) const fn stack(optional: bool) -> Self {
        Self { optional, kind: (5, 0, 0) }
    }

    const fn of(domain: &Domain) -> Self {
        match domain.values {
            Values::Words(words) => Self::words(words.len() as u32, domain.optional),
            Values::Bool => Self::bool(domain.optional),
            Values::Range { first, last } => Self::range(first, last, domain.optional),
            Values::Bucket => Self::bucket(domain.optional),
            Values::CodeLocation => Self::code_location(domain.optional),
            Values::Stack => Self::stack(domain.optional),
        }
    }
}

/// Returns three bytes that stand for a version in a frame, so that a gateway finds the manifest of it: the low bytes of its hash.
pub(crate) const fn version_mark(version: &str) -> [u8; 3] {
    let [a, b, c, ..] = Fingerprint(BASIS).text(version).finish().to_le_bytes();
    [a, b, c]
}

/// The fingerprint of a schema of these events, [`EVENT_DROPPED`] in front of them, and these metrics.
pub(crate) const fn fingerprint(
    organization: &str,
    project: &str,
    resolution: Resolution,
    events: &[EventDescriptor],
    metrics: &[MetricDescriptor],
) -> u64 {
    Fingerprint::new(organization, project, resolution)
        .events(&[EVENT_DROPPED])
        .events(events)
        .metrics(metrics)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::{FieldDescriptor, Severity};

    const WORDS: FieldDescriptor =
        FieldDescriptor { name: "kind", domain: Domain::new(Values::Words(&["a", "bc"])), harmless: None };
    const EVENT: EventDescriptor =
        EventDescriptor { name: "app.x", severity: Severity::Info, fields: &[WORDS] };

    fn of(events: &[EventDescriptor]) -> u64 {
        fingerprint("acme", "app", Resolution::Minute, events, &[])
    }

    const METRIC: MetricDescriptor = MetricDescriptor {
        name: "app.n",
        unit: "1",
        kind: Kind::Counter,
        labels: &["kind"],
        domains: &[WORDS.domain],
    };

    fn measured(metric: MetricDescriptor) -> u64 {
        fingerprint("acme", "app", Resolution::Minute, &[EVENT], &[metric])
    }

    #[test]
    fn everything_that_a_reader_must_know_is_in_it() {
        const OTHER_WORD: FieldDescriptor =
            FieldDescriptor { domain: Domain::new(Values::Words(&["a", "bd"])), ..WORDS };
        const OTHER_CUT: FieldDescriptor =
            FieldDescriptor { domain: Domain::new(Values::Words(&["ab", "c"])), ..WORDS };
        const OTHER_ORDER: FieldDescriptor =
            FieldDescriptor { domain: Domain::new(Values::Words(&["bc", "a"])), ..WORDS };
        const MORE: FieldDescriptor =
            FieldDescriptor { domain: Domain::new(Values::Words(&["a", "bc", "d"])), ..WORDS };
        const OTHER_NAME: FieldDescriptor = FieldDescriptor { name: "sort", ..WORDS };
        const OPTIONAL: FieldDescriptor = FieldDescriptor { domain: WORDS.domain.or_absent(), ..WORDS };
        const RANGE: FieldDescriptor =
            FieldDescriptor { domain: Domain::new(Values::Range { first: 0, last: 1 }), ..WORDS };
        const WIDER: FieldDescriptor =
            FieldDescriptor { domain: Domain::new(Values::Range { first: 0, last: 2 }), ..WORDS };
        const BOOL: FieldDescriptor = FieldDescriptor { domain: Domain::new(Values::Bool), ..WORDS };
        let second = EventDescriptor { name: "app.y", ..EVENT };
        let fingerprints = [
            of(&[EVENT]),
            of(&[EventDescriptor { name: "app.z", ..EVENT }]),
            of(&[EventDescriptor { severity: Severity::Warn, ..EVENT }]),
            of(&[EventDescriptor { fields: &[], ..EVENT }]),
            of(&[EventDescriptor { fields: &[WORDS, OTHER_NAME], ..EVENT }]),
            of(&[EventDescriptor { fields: &[OTHER_NAME, WORDS], ..EVENT }]),
            of(&[EventDescriptor { fields: &[OTHER_WORD], ..EVENT }]),
            of(&[EventDescriptor { fields: &[OTHER_CUT], ..EVENT }]),
            of(&[EventDescriptor { fields: &[OTHER_ORDER], ..EVENT }]),
            of(&[EventDescriptor { fields: &[MORE], ..EVENT }]),
            of(&[EventDescriptor { fields: &[OTHER_NAME], ..EVENT }]),
            of(&[EventDescriptor { fields: &[OPTIONAL], ..EVENT }]),
            of(&[EventDescriptor { fields: &[RANGE], ..EVENT }]),
            of(&[EventDescriptor { fields: &[WIDER], ..EVENT }]),
            of(&[EventDescriptor { fields: &[BOOL], ..EVENT }]),
            of(&[EVENT, second]),
            of(&[second, EVENT]),
            of(&[]),
            fingerprint("adme", "app", Resolution::Minute, &[EVENT], &[]),
            fingerprint("acme", "bpp", Resolution::Minute, &[EVENT], &[]),
            fingerprint("acme", "app", Resolution::Hour, &[EVENT], &[]),
            measured(METRIC),
            measured(MetricDescriptor { name: "app.o", ..METRIC }),
            measured(MetricDescriptor { unit: "ms", ..METRIC }),
            measured(MetricDescriptor { kind: Kind::Histogram, ..METRIC }),
            measured(MetricDescriptor { labels: &["sort"], ..METRIC }),
            measured(MetricDescriptor { domains: &[OTHER_WORD.domain], ..METRIC }),
            measured(MetricDescriptor { labels: &[], domains: &[], ..METRIC }),
        ];
        let distinct: std::collections::BTreeSet<u64> = fingerprints.into_iter().collect();
        assert_eq!(distinct.len(), fingerprints.len());
    }

    #[test]
    fn what_changes_no_record_is_not_in_it() {
        const EXPLAINED: FieldDescriptor = WORDS.harmless("a reason");
        assert_eq!(of(&[EVENT]), of(&[EventDescriptor { fields: &[EXPLAINED], ..EVENT }]));
    }
}
