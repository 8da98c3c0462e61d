//! Points that are counts of a manifest's metrics.

use super::logs::step;
use super::origin::Origin;
use super::taken::Taken;
use crate::counts::RecordRefusal as Refusal;
use crate::intake::placing::Now;
use crate::known::manifests::Manifests;
use crate::known::vocabulary::{self, Vocabulary};
use automagik_telemetry_core::Record;
use automagik_telemetry_core::bucket;
use automagik_telemetry_core::metric::Kind;
use automagik_telemetry_core::record::Delta;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, HistogramDataPoint, Metric, NumberDataPoint, number_data_point,
};

/// Takes what `request` says that is in a manifest.
#[must_use]
pub fn take(request: &ExportMetricsServiceRequest, manifests: &Manifests, now: Now) -> Taken {
    let mut taken = Taken::default();
    for of_resource in &request.resource_metrics {
        for of_scope in &of_resource.scope_metrics {
            let origin = Origin::of(of_resource.resource.as_ref(), of_scope.scope.as_ref(), manifests);
            let mut records = Vec::new();
            for metric in &of_scope.metrics {
                let known = origin.as_ref().map_err(|refusal| *refusal);
                if let Err(refusal) =
                    known.and_then(|origin| take_metric(metric, &origin.vocabulary, &mut records, &mut taken))
                {
                    taken.refuse(refusal, points(metric));
                }
            }
            if let Ok(origin) = &origin {
                taken.keep(origin, &records, now);
            }
        }
    }
    taken
}

/// How many points `metric` has.
fn points(metric: &Metric) -> usize {
    match &metric.data {
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
        Some(Data::Summary(summary)) => summary.data_points.len(),
        None => 0,
    }
}

/// Takes the points of `metric` one by one, or refuses all.
fn take_metric(
    metric: &Metric,
    vocabulary: &Vocabulary,
    records: &mut Vec<Record>,
    taken: &mut Taken,
) -> Result<(), Refusal> {
    let at = vocabulary.metrics.iter().position(|known| known.name == metric.name);
    let (at, known) =
        at.and_then(|at| Some((at, vocabulary.metrics.get(at)?))).ok_or(Refusal::UnknownName)?;
    if metric.unit != known.unit {
        return Err(Refusal::OutOfDomain);
    }
    if !metric.description.is_empty() || !metric.metadata.is_empty() {
        return Err(Refusal::More);
    }
    let delta = AggregationTemporality::Delta as i32;
    let mut take = |point: Result<Vec<Delta>, Refusal>| match point {
        Ok(deltas) => records.extend(deltas.iter().map(Record::from_delta)),
        Err(refusal) => taken.refuse(refusal, 1),
    };
    match (&metric.data, known.kind) {
        (Some(Data::Sum(sum)), Kind::Counter) if sum.aggregation_temporality == delta && sum.is_monotonic => {
            sum.data_points.iter().for_each(|point| take(counted(point, at, known, vocabulary)));
        }
        (Some(Data::Histogram(histogram)), Kind::Histogram) if histogram.aggregation_temporality == delta => {
            histogram.data_points.iter().for_each(|point| take(classed(point, at, known, vocabulary)));
        }
        _ => return Err(Refusal::OutOfDomain),
    }
    Ok(())
}

fn counted(
    point: &NumberDataPoint,
    at: usize,
    metric: &vocabulary::Metric,
    vocabulary: &Vocabulary,
) -> Result<Vec<Delta>, Refusal> {
    if !point.exemplars.is_empty() || point.flags > 0 {
        return Err(Refusal::More);
    }
    let Some(number_data_point::Value::AsInt(count)) = point.value else { return Err(Refusal::OutOfDomain) };
    let count = u64::try_from(count).map_err(|_| Refusal::OutOfDomain)?;
    let combination = combination(&point.attributes, metric).ok_or(Refusal::OutOfDomain)?;
    let times = (point.start_time_unix_nano, point.time_unix_nano);
    deltas(at, combination, &[count], times, vocabulary)
}

fn classed(
    point: &HistogramDataPoint,
    at: usize,
    metric: &vocabulary::Metric,
    vocabulary: &Vocabulary,
) -> Result<Vec<Delta>, Refusal> {
    let has_more = !point.exemplars.is_empty()
        || point.flags > 0
        || point.sum.is_some()
        || point.min.is_some()
        || point.max.is_some();
    if has_more {
        return Err(Refusal::More);
    }
    let bounds = (1..bucket::HALVES).map(|class| f64::from(bucket::half_lower_bound(class) - 1));
    let is_ours = point.explicit_bounds.iter().copied().eq(bounds)
        && point.bucket_counts.len() == metric.kind.cells()
        && point.bucket_counts.iter().copied().fold(0, u64::saturating_add) == point.count;
    let combination =
        combination(&point.attributes, metric).filter(|_| is_ours).ok_or(Refusal::OutOfDomain)?;
    let times = (point.start_time_unix_nano, point.time_unix_nano);
    deltas(at, combination * metric.kind.cells(), &point.bucket_counts, times, vocabulary)
}

/// Which combination of words the attributes are: each label has one, once.
fn combination(attributes: &[KeyValue], metric: &vocabulary::Metric) -> Option<usize> {
    let mut combination = 0;
    for (name, words) in &metric.labels {
        let attribute = attributes.iter().find(|attribute| attribute.key == *name)?;
        let Some(any_value::Value::StringValue(text)) = &attribute.value.as_ref()?.value else { return None };
        combination = combination * words.len() + words.iter().position(|word| word == text)?;
    }
    (attributes.len() == metric.labels.len()).then_some(combination)
}

/// What the cells from `first` on counted.
fn deltas(
    metric: usize,
    first: usize,
    counts: &[u64],
    (start, end): (u64, u64),
    vocabulary: &Vocabulary,
) -> Result<Vec<Delta>, Refusal> {
    let time = |nanos| step(nanos, vocabulary.resolution).ok_or(Refusal::OutOfDomain);
    let (start, end) = (time(start)?, time(end)?);
    let mut deltas = Vec::new();
    for (cell, count) in (first..).zip(counts).filter(|(_, count)| **count > 0) {
        let count = u32::try_from(*count).map_err(|_| Refusal::OutOfDomain)?;
        let delta = Delta { metric, cell, count, start, end };
        // What a record has no bits for is not of it.
        if Record::from_delta(&delta).as_delta() != Some(delta) {
            return Err(Refusal::OutOfDomain);
        }
        deltas.push(delta);
    }
    Ok(deltas)
}
