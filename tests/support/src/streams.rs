//! What a backend makes of delta streams that holds OTLP's data model to the letter: one writer a stream, and no two points of it
//! overlap. The rule is that of the OpenTelemetry Collector's `deltatocumulative` processor: a point that starts before the
//! last one ended is refused.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, metric, number_data_point};
use prost::Message;
use std::collections::BTreeMap;

/// A stream: resource, metric, attributes.
type Stream = (String, String, String);

/// The streams so far: where each one's last point ended, and its sum.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    streams: BTreeMap<Stream, (u64, u64)>,
}

impl Streams {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the points of a request.
    ///
    /// # Panics
    ///
    /// Where a point overlaps an earlier one of its stream, goes back in time, or is no delta.
    pub fn take(&mut self, body: &[u8]) {
        let request = ExportMetricsServiceRequest::decode(body).expect("an ExportMetricsServiceRequest");
        for resource_metrics in request.resource_metrics {
            let resource = text(&resource_metrics.resource.unwrap_or_default().attributes);
            for metric in resource_metrics.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                let mut take = |attributes: &[KeyValue], start, end, count| {
                    self.point((resource.clone(), metric.name.clone(), text(attributes)), start, end, count);
                };
                let delta = AggregationTemporality::Delta;
                match metric.data {
                    Some(metric::Data::Sum(sum)) => {
                        assert_eq!(sum.aggregation_temporality(), delta);
                        for point in sum.data_points {
                            let Some(number_data_point::Value::AsInt(count)) = point.value else {
                                panic!("{} is no integer", metric.name)
                            };
                            let count = u64::try_from(count).expect("a sum that only grows");
                            take(&point.attributes, point.start_time_unix_nano, point.time_unix_nano, count);
                        }
                    }
                    Some(metric::Data::Histogram(histogram)) => {
                        assert_eq!(histogram.aggregation_temporality(), delta);
                        for point in histogram.data_points {
                            let (start, end) = (point.start_time_unix_nano, point.time_unix_nano);
                            take(&point.attributes, start, end, point.count);
                        }
                    }
                    other => panic!("{}: {other:?}", metric.name),
                }
            }
        }
    }

    fn point(&mut self, stream: Stream, start: u64, end: u64, count: u64) {
        let name = stream.clone();
        let (last, sum) = self.streams.entry(stream).or_default();
        assert!(start < end, "{name:?}: a point from {start} to {end}");
        assert!(start >= *last, "{name:?}: a point starts at {start}, and the last one ended at {last}");
        (*last, *sum) = (end, *sum + count);
    }

    /// The sum of all streams of `metric`.
    #[must_use]
    pub fn sum(&self, metric: &str) -> u64 {
        self.streams.iter().filter(|((_, name, _), _)| name == metric).map(|(_, (_, sum))| sum).sum()
    }
}

fn text(attributes: &[KeyValue]) -> String {
    attributes.iter().map(|attribute| format!("{}={:?};", attribute.key, attribute.value)).collect()
}
