//! Our encoder of counts and durations against the official messages.

use crate::otlp::pulled;
use crate::speech::{Omni, deltas, resource};
use automagik_telemetry::otlp::{Body, Error, Metrics, to_slice};
use automagik_telemetry::schema::Checked;
use automagik_telemetry::vocabulary;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use prost::Message;
use std::collections::BTreeSet;

/// Bytes choose what was counted. What our encoder writes, prost decodes and encodes to the very same bytes, in pieces of
/// any size too; no count is lost or told twice; and every string is in the vocabulary.
///
/// # Panics
///
/// Where that does not hold.
pub fn metrics(input: &[u8]) {
    let records = deltas(input);
    let resource = resource();
    let slice = records.as_slice();
    let mut body = Metrics::new(&resource, &slice);
    let mut ours = vec![0; body.len()];
    assert_eq!(to_slice(&mut body, &mut ours), Ok(ours.len()));
    let decoded =
        ExportMetricsServiceRequest::decode(ours.as_slice()).expect("an ExportMetricsServiceRequest");
    assert!(decoded.encode_to_vec() == ours, "prost writes other bytes for the same request");
    assert!(pulled(&mut body, input) == ours, "pieces make another body");
    let backwards = Metrics::encode(&resource, &records, &mut vec![0; ours.len()]).map(<[u8]>::to_vec);
    assert!(backwards.as_ref() == Ok(&ours), "another body backwards");
    let short = Metrics::encode(&resource, &records, &mut vec![0; ours.len() - 1]).map(<[u8]>::len);
    assert_eq!(short, Err(Error::BufferTooSmall(ours.len())));

    let vocabulary: BTreeSet<&str> = vocabulary::strings(Checked::<Omni>::DESCRIPTOR).collect();
    let mut told = [0_u64; 2];
    let scopes = decoded.resource_metrics.into_iter().flat_map(|metrics| metrics.scope_metrics);
    for metric in scopes.flat_map(|metrics| metrics.metrics) {
        assert!(vocabulary.contains(metric.name.as_str()) && vocabulary.contains(metric.unit.as_str()));
        match metric.data.expect("data") {
            Data::Sum(sum) => {
                assert!(sum.is_monotonic);
                assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Delta);
                for point in sum.data_points {
                    let Some(Number::AsInt(count)) = point.value else { panic!("no whole number") };
                    assert!(count > 0 && point.start_time_unix_nano <= point.time_unix_nano);
                    told[0] += count.unsigned_abs();
                    point.attributes.iter().for_each(|attribute| assert_known(attribute, &vocabulary));
                }
            }
            Data::Histogram(histogram) => {
                assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Delta);
                for point in histogram.data_points {
                    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                    assert!(point.explicit_bounds.is_sorted() && point.count > 0);
                    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                    told[1] += point.count;
                    point.attributes.iter().for_each(|attribute| assert_known(attribute, &vocabulary));
                }
            }
            other => panic!("{other:?} is no metric of ours"),
        }
    }
    let mut counted = [0_u64; 2];
    for delta in records.iter().filter_map(automagik_telemetry::Record::as_delta) {
        counted[delta.metric] += u64::from(delta.count);
    }
    assert_eq!(told, counted);
}

fn assert_known(attribute: &KeyValue, vocabulary: &BTreeSet<&str>) {
    assert!(vocabulary.contains(attribute.key.as_str()), "{attribute:?}");
    match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(word)) => assert!(vocabulary.contains(word.as_str()), "{word}"),
        other => panic!("{other:?} is no word"),
    }
}
