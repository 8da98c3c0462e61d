//! Metrics: counts and durations, described by constants. They live in cells of static memory (see
//! [`crate::counts::aggregate`]); what leaves are the differences since the last time.

use crate::events::bucket;
use crate::events::field::{Domain, Values};
use crate::words::message::Message;
use crate::words::text;
use crate::words::word;

/// Most metrics of one schema.
pub const METRICS_MAX: usize = 64;

/// Most labels of one metric.
pub const LABELS_MAX: usize = 2;

/// Most cells of one metric, 4 bytes each: 16 KiB (sixteen times on a host).
pub const CELLS_MAX: usize = 4096;

/// What a metric's cells count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How often: one cell for each combination of words. OTLP's `Sum`, delta and monotonic.
    Counter,
    /// How often in each size class: [`bucket::HALVES`] cells for each combination of words. OTLP's `Histogram`, delta.
    Histogram,
}

/// A metric, as encoders and readers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricDescriptor {
    /// OTLP's `name`.
    pub name: &'static str,
    /// OTLP's `unit`, in UCUM: `1`, `ms`, `By`.
    pub unit: &'static str,
    /// What its cells count.
    pub kind: Kind,
    /// The attributes' keys.
    pub labels: &'static [&'static str],
    /// What the attributes' values range over: words, as many domains as labels.
    pub domains: &'static [Domain],
}

impl Kind {
    /// Cells for each combination of words.
    #[must_use]
    pub const fn cells(self) -> usize {
        match self {
            Self::Counter => 1,
            Self::Histogram => bucket::HALVES as usize,
        }
    }
}

impl MetricDescriptor {
    /// Returns the number of cells: combinations of words, times size classes.
    #[must_use]
    pub const fn cells(&self) -> usize {
        let mut cells = self.kind.cells();
        let mut domains = self.domains;
        while let [domain, rest @ ..] = domains {
            cells = cells.saturating_mul(domain.cardinality() as usize);
            domains = rest;
        }
        cells
    }

    /// The attributes of the cell `index`, in the order of the labels: key, domain and ordinal.
    pub(crate) fn attributes(
        &self,
        index: usize,
    ) -> impl Iterator<Item = (&'static str, &'static Domain, u32)> + use<> {
        let combination = index.checked_div(self.kind.cells()).unwrap_or(0);
        // The last label changes fastest.
        let mut behind = self.cells().checked_div(self.kind.cells()).unwrap_or(1);
        let mut rest = combination;
        self.labels.iter().zip(self.domains).filter_map(move |(name, domain)| {
            behind = behind.checked_div(usize::try_from(domain.cardinality()).ok()?)?;
            let ordinal = rest.checked_div(behind)?;
            rest = rest.checked_rem(behind)?;
            Some((*name, domain, u32::try_from(ordinal).ok()?))
        })
    }

    /// Returns what is wrong with this metric, or `None`.
    #[must_use]
    pub const fn fault(&self) -> Option<Message> {
        if let Some(message) = word::name_fault("the metric name `", self.name) {
            return Some(message);
        }
        let in_metric = Message::new().and("the metric `").and(self.name).and("` ");
        if self.labels.len() != self.domains.len() || self.labels.len() > LABELS_MAX {
            return Some(in_metric.and("needs a name for each of its labels: write `by = \"...\"`, and `and = \"...\"` for a second one"));
        }
        if !(text::same(self.unit, "1") || text::same(self.unit, "ms") || text::same(self.unit, "By")) {
            return Some(in_metric.and("has another unit than `1`, `ms` and `By`"));
        }
        let mut labels = self.labels;
        while let [label, rest @ ..] = labels {
            if let Some(message) = word::field_name_fault(label, None, false) {
                return Some(in_metric.and("has a fault: ").and(message.as_str()));
            }
            if matches!(rest, [other, ..] if text::same(label, other)) {
                return Some(in_metric.and("has two labels named `").and(label).and("`: rename one"));
            }
            labels = rest;
        }
        let mut domains = self.domains;
        while let [domain, rest @ ..] = domains {
            if !matches!(domain.values, Values::Words(_)) || domain.optional {
                return Some(in_metric.and("has a label that is no set of words"));
            }
            if let Some(message) = domain.fault() {
                return Some(in_metric.and("has a fault: ").and(message.as_str()));
            }
            domains = rest;
        }
        if self.cells() > CELLS_MAX {
            return Some(
                in_metric
                    .and("takes ")
                    .and_number(self.cells() as u64)
                    .and(" cells of memory, more than 4096: remove a label or words"),
            );
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &[&str] = &["a", "b", "c"];
    const TWO: &[Domain] = &[Domain::new(Values::Words(WORDS)), Domain::new(Values::Words(&["x", "y"]))];
    const METRIC: MetricDescriptor = MetricDescriptor {
        name: "app.requests",
        unit: "1",
        kind: Kind::Counter,
        labels: &["letter", "end"],
        domains: TWO,
    };

    fn fault(metric: MetricDescriptor) -> String {
        metric.fault().map_or_else(String::new, |message| message.as_str().to_owned())
    }

    #[test]
    fn a_metric_within_the_rules_has_no_fault() {
        assert_eq!(fault(METRIC), "");
        assert_eq!(
            (METRIC.cells(), MetricDescriptor { kind: Kind::Histogram, ..METRIC }.cells()),
            (6, 6 * 44)
        );
    }

    #[test]
    fn each_cell_has_its_own_attributes() {
        let of = |index| METRIC.attributes(index).map(|(key, _, ordinal)| (key, ordinal)).collect::<Vec<_>>();
        assert_eq!(of(0), [("letter", 0), ("end", 0)]);
        assert_eq!(of(1), [("letter", 0), ("end", 1)]);
        assert_eq!(of(5), [("letter", 2), ("end", 1)]);
    }

    #[test]
    fn what_breaks_a_rule_is_a_fault_that_says_which() {
        for (metric, part) in [
            (MetricDescriptor { name: "App", ..METRIC }, "`App`"),
            (MetricDescriptor { unit: "hunter2", ..METRIC }, "unit"),
            (MetricDescriptor { labels: &["letter"], ..METRIC }, "name for each"),
            (MetricDescriptor { labels: &["letter", "letter"], ..METRIC }, "two labels named"),
            (MetricDescriptor { labels: &["letter", "email"], ..METRIC }, "email"),
        ] {
            assert!(fault(metric).contains(part), "{}", fault(metric));
        }
    }
}
