//! What a request says, as counts: who, which event or metric with which words, when, how often. A point of a histogram is as many counts as it has
//! classes.

use crate::intake::programs::request::{Error, Form};
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::resource::INSTALLATION_ID;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric, number_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde_json::{Map, Value};

/// Longest text of a value: a stack of a crash is the longest that this library writes.
const TEXT_MAX: usize = 1_024;

/// Longest name.
const NAME_MAX: usize = 128;

/// Most attributes of a record.
const ATTRIBUTES_MAX: usize = 32;

/// The attribute that a class of a histogram has beside its labels: the lowest value in it.
pub const CLASS: &str = "class";

/// What a count is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Log records with an event name.
    Event = 0,
    /// A counter's sum.
    Sum = 1,
    /// Values in a class of a histogram.
    Class = 2,
}

/// A combination of words, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// What it is of.
    pub kind: Kind,
    /// The event's or metric's name.
    pub name: String,
    /// A JSON object, its keys in order.
    pub attributes: String,
}

/// A program: all that is kept of a resource but the installation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Program {
    /// `service.name`.
    pub project: String,
    /// `service.version`.
    pub version: String,
    /// `os.type` and `host.arch`.
    pub system: String,
}

/// What one installation said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its program.
    pub program: Program,
    /// Its pseudonym; zeros where it has none.
    pub pseudonym: [u8; 16],
    /// What, when (seconds since 1970, as it claims), how often.
    pub counts: Vec<(Tuple, u64, u64)>,
}

/// What a request says, and how much of it is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What is kept.
    pub said: Vec<Said>,
    /// How many log records or points are not.
    pub refused: u64,
    /// What to tell of the first reason.
    pub why: &'static str,
}

impl Request {
    /// What `body`, which is not packed, says.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn read(signal: Signal, form: Form, body: &[u8]) -> Result<Self, Error> {
        Ok(match signal {
            Signal::Logs => Self::of_logs(&form.read(body)?),
            Signal::Metrics => Self::of_metrics(&form.read(body)?),
        })
    }

    /// What these log records say.
    #[must_use]
    pub fn of_logs(request: &ExportLogsServiceRequest) -> Self {
        let mut read = Self::default();
        for of_resource in &request.resource_logs {
            let logs = || of_resource.scope_logs.iter().flat_map(|scope| &scope.log_records);
            let Some(mut said) = Said::of(of_resource.resource.as_ref()) else {
                read.refuse(logs().count(), "the resource needs service.name");
                continue;
            };
            for log in logs() {
                match event(log) {
                    Ok(tuple) => {
                        let nanos = if log.time_unix_nano == 0 {
                            log.observed_time_unix_nano
                        } else {
                            log.time_unix_nano
                        };
                        said.counts.push((tuple, nanos / 1_000_000_000, 1));
                    }
                    Err(why) => read.refuse(1, why),
                }
            }
            read.keep(said);
        }
        read
    }

    fn of_metrics(request: &ExportMetricsServiceRequest) -> Self {
        let mut read = Self::default();
        for of_resource in &request.resource_metrics {
            let said = Said::of(of_resource.resource.as_ref());
            let metrics = of_resource.scope_metrics.iter().flat_map(|scope| &scope.metrics);
            let Some(mut said) = said else {
                metrics.for_each(|_| read.refuse(1, "the resource needs service.name"));
                continue;
            };
            for metric in metrics {
                points(metric, &mut said, &mut read);
            }
            read.keep(said);
        }
        read
    }

    fn keep(&mut self, said: Said) {
        if !said.counts.is_empty() {
            self.said.push(said);
        }
    }

    fn refuse(&mut self, count: usize, why: &'static str) {
        if self.refused == 0 {
            self.why = why;
        }
        self.refused += count as u64;
    }
}

impl Said {
    /// Nothing yet, of whoever `resource` names. All else that it says is left out.
    fn of(resource: Option<&Resource>) -> Option<Self> {
        let find = |key: &str| {
            let attribute = resource?.attributes.iter().find(|attribute| attribute.key == key)?;
            match attribute.value.as_ref()?.value.as_ref()? {
                any_value::Value::StringValue(text) if text.len() <= NAME_MAX => Some(text.as_str()),
                _ => None,
            }
        };
        let project = find("service.name").filter(|name| !name.is_empty())?.to_owned();
        let version = find("service.version").unwrap_or_default().to_owned();
        let system: Vec<&str> = ["os.type", "host.arch"].into_iter().filter_map(find).collect();
        let pseudonym = find(INSTALLATION_ID).and_then(crate::known::keys::bytes);
        let pseudonym = pseudonym.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        let program = Program { project, version, system: system.join(" ") };
        Some(Self { program, pseudonym, counts: Vec::new() })
    }
}

/// The event that `log` is.
fn event(log: &LogRecord) -> Result<Tuple, &'static str> {
    if log.event_name.is_empty() {
        return Err("only events are kept: log records with an event_name");
    }
    if log.body.is_some() {
        return Err("events are kept by their attributes: a body is not");
    }
    tuple(Kind::Event, &log.event_name, &log.attributes, None)
}

fn points(metric: &Metric, said: &mut Said, read: &mut Request) {
    let delta = AggregationTemporality::Delta as i32;
    match &metric.data {
        Some(Data::Sum(sum)) if sum.aggregation_temporality == delta && sum.is_monotonic => {
            for point in &sum.data_points {
                let count = match point.value {
                    Some(number_data_point::Value::AsInt(count)) => u64::try_from(count).ok(),
                    _ => None,
                };
                let tuple = tuple(Kind::Sum, &metric.name, &point.attributes, None);
                match count
                    .ok_or("sums are counts: whole numbers from 0")
                    .and_then(|count| Ok((tuple?, count)))
                {
                    Ok((tuple, count)) => {
                        said.counts.push((tuple, point.time_unix_nano / 1_000_000_000, count))
                    }
                    Err(why) => read.refuse(1, why),
                }
            }
        }
        Some(Data::Histogram(histogram)) if histogram.aggregation_temporality == delta => {
            for point in &histogram.data_points {
                // A class goes from the bound before it: bounds belong to the class below.
                let lowest = |class: usize| {
                    class
                        .checked_sub(1)
                        .and_then(|before| point.explicit_bounds.get(before))
                        .map_or(0.0, |b| b + 1.0)
                };
                let counted = point.bucket_counts.iter().enumerate().filter(|(_, count)| **count > 0);
                let tuples = counted.map(|(class, count)| {
                    Ok((tuple(Kind::Class, &metric.name, &point.attributes, Some(lowest(class)))?, *count))
                });
                match tuples.collect::<Result<Vec<_>, &str>>() {
                    Ok(tuples) => said.counts.extend(
                        tuples
                            .into_iter()
                            .map(|(tuple, count)| (tuple, point.time_unix_nano / 1_000_000_000, count)),
                    ),
                    Err(why) => read.refuse(1, why),
                }
            }
        }
        Some(Data::Sum(sum)) => read.refuse(sum.data_points.len(), DELTAS),
        Some(Data::Gauge(gauge)) => read.refuse(gauge.data_points.len(), DELTAS),
        Some(Data::Histogram(histogram)) => read.refuse(histogram.data_points.len(), DELTAS),
        Some(Data::ExponentialHistogram(histogram)) => read.refuse(histogram.data_points.len(), DELTAS),
        Some(Data::Summary(summary)) => read.refuse(summary.data_points.len(), DELTAS),
        None => {}
    }
}

const DELTAS: &str = "only counters and histograms with delta temporality are kept";

fn tuple(kind: Kind, name: &str, attributes: &[KeyValue], class: Option<f64>) -> Result<Tuple, &'static str> {
    if name.is_empty() || name.len() > NAME_MAX {
        return Err("names have 1 to 128 bytes");
    }
    if attributes.len() > ATTRIBUTES_MAX {
        return Err("a record has 32 attributes at most");
    }
    // Without the feature `preserve_order` a map of JSON has its keys in order; a class may be a fraction of another library's.
    let mut words: std::collections::BTreeMap<&str, Value> = std::collections::BTreeMap::new();
    for KeyValue { key, value, .. } in attributes {
        // What names the record itself would make each a combination of its own.
        if key == crate::known::vocabulary::RECORD_UID {
            continue;
        }
        let value = value.as_ref().and_then(|value| value.value.as_ref());
        let word = match value {
            Some(any_value::Value::StringValue(text)) if text.len() <= TEXT_MAX => Value::from(text.as_str()),
            Some(any_value::Value::BoolValue(flag)) => Value::from(*flag),
            Some(any_value::Value::IntValue(number)) => Value::from(*number),
            _ => return Err("values are texts of at most 1,024 bytes, whole numbers, true or false"),
        };
        if key.is_empty() || key.len() > NAME_MAX || words.insert(key, word).is_some() {
            return Err("keys have 1 to 128 bytes, and stand once");
        }
    }
    if let Some(class) = class {
        let whole = class as i64;
        words.insert(CLASS, if whole as f64 == class { Value::from(whole) } else { Value::from(class) });
    }
    let object: Map<String, Value> = words.into_iter().map(|(key, word)| (key.to_owned(), word)).collect();
    Ok(Tuple { kind, name: name.to_owned(), attributes: Value::Object(object).to_string() })
}
