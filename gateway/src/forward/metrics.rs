//! `Metric`s of one device: its deltas as points, those of one combination of words and one time in one point.

use crate::known::backward::Backward;
use crate::known::vocabulary::{Metric, Vocabulary};
use automagik_telemetry_core::Record;
use automagik_telemetry_core::bucket;
use automagik_telemetry_core::metric::Kind;
use automagik_telemetry_core::record::Delta;
use std::collections::BTreeMap;

/// What a point is of: from when to when, and which combination of words.
type Place = (u32, u32, usize);

/// Writes what `records` counted, and says how many of them did.
pub(super) fn write(out: &mut Backward, vocabulary: &Vocabulary, records: &[Record]) -> usize {
    let mut count = 0;
    let mut points: Vec<BTreeMap<Place, Vec<u64>>> = vec![BTreeMap::new(); vocabulary.metrics.len()];
    for delta in records.iter().filter_map(Record::as_delta) {
        let Some((metric, points)) = vocabulary.metrics.get(delta.metric).zip(points.get_mut(delta.metric))
        else {
            continue;
        };
        add(points, metric, &delta);
        count += 1;
    }
    for (metric, points) in
        vocabulary.metrics.iter().zip(&points).rev().filter(|(_, points)| !points.is_empty())
    {
        let end = out.len();
        if metric.kind == Kind::Counter {
            out.number(3, 1);
        }
        out.number(2, 1);
        for (place, counts) in points.iter().rev() {
            write_point(out, vocabulary, metric, *place, counts);
        }
        out.open(if metric.kind == Kind::Counter { 7 } else { 9 }, end);
        out.text(3, &metric.unit);
        out.text(1, &metric.name);
        out.open(2, end);
    }
    count
}

fn add(points: &mut BTreeMap<Place, Vec<u64>>, metric: &Metric, delta: &Delta) {
    let classes = metric.kind.cells();
    let place = (delta.start.steps(), delta.end.steps(), delta.cell / classes);
    let counts = points.entry(place).or_insert_with(|| vec![0; classes]);
    if let Some(count) = counts.get_mut(delta.cell % classes) {
        *count += u64::from(delta.count);
    }
}

fn write_point(out: &mut Backward, vocabulary: &Vocabulary, metric: &Metric, place: Place, counts: &[u64]) {
    let (start, end_of_time, combination) = place;
    let end = out.len();
    let attributes = if metric.kind == Kind::Counter { 7 } else { 9 };
    for (name, word) in metric.words(combination) {
        out.attribute(attributes, name, word);
    }
    let sum: u64 = counts.iter().sum();
    match metric.kind {
        Kind::Counter => out.fixed64(6, sum),
        Kind::Histogram => {
            let bounds = out.len();
            for class in (1..bucket::HALVES).rev() {
                // OTLP's bounds belong to the class below them, and a class begins at a whole number.
                let bound = f64::from(bucket::half_lower_bound(class) - 1);
                out.put(&bound.to_le_bytes());
            }
            out.open(7, bounds);
            let classes = out.len();
            counts.iter().rev().for_each(|count| out.put(&count.to_le_bytes()));
            out.open(6, classes);
            out.fixed64(4, sum);
        }
    }
    let nanos =
        |steps| automagik_telemetry_core::time::Coarse::from_steps(steps).unix_nanos(vocabulary.resolution);
    out.fixed64(3, nanos(end_of_time));
    out.fixed64(2, nanos(start));
    out.open(1, end);
}
