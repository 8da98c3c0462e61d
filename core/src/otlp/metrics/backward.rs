//! A metrics request from its end to its start: what [`Metrics`] gives piece by piece, in one go.

use super::{
    BOUNDS, CLASSES, DELTA, Metrics, Point, data, double, histogram_point, metric, number_point,
    of_same_point, upper_bound,
};
use crate::metric::{Kind, LABELS_MAX, MetricDescriptor};
use crate::otlp::backward::{Room, Stop};
use crate::otlp::{Body, Error, envelope};
use crate::record::{Delta, Record};
use crate::resource::Resource;
use crate::schema::SchemaDescriptor;

/// A histogram's bounds, ready.
static BOUNDS_PACKED: [[u8; 8]; BOUNDS] = {
    let (mut packed, mut class) = ([[0; 8]; BOUNDS], 1_u32);
    let mut rest = packed.as_mut_slice();
    while let [slot, behind @ ..] = rest {
        *slot = double(upper_bound(class)).to_le_bytes();
        class = class.wrapping_add(1);
        rest = behind;
    }
    packed
};

/// From when to when a request's points count, in nanoseconds since 1970 (`start_time_unix_nano`, `time_unix_nano`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Where the last one ended.
    pub start: u64,
    /// Later than the start.
    pub end: u64,
}

impl Metrics<'_> {
    /// Writes the whole request to the end of `buffer`, and gives it: the bytes that [`read`](Body::read) gives, for who has
    /// room for all of them, in a third of the time; called as [`Logs::encode`](crate::otlp::Logs::encode) is.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] with the length of the request. What stands in `buffer` then is unspecified.
    pub fn encode<'b>(
        resource: &Resource,
        records: &[Record],
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], Error> {
        envelope::encode(
            resource,
            buffer,
            |room| write_metrics(room, records, resource.schema(), None),
            || Metrics::new(resource, &records).len(),
        )
    }

    /// [`encode`](Metrics::encode), with each point over `interval` instead of the times of its records: for the one writer of
    /// an installation's streams, who gives each request an interval that starts where the last one ended. The records should be
    /// of one time, or a stream has several points of one interval.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] with the length of the request. What stands in `buffer` then is unspecified.
    pub fn encode_over<'b>(
        resource: &Resource,
        records: &[Record],
        interval: Interval,
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], Error> {
        envelope::encode(
            resource,
            buffer,
            |room| write_metrics(room, records, resource.schema(), Some(interval)),
            || Metrics::new(resource, &records).len(),
        )
    }
}

/// Writes what `records` say of the metrics of `schema`.
fn write_metrics<'a>(
    room: Room<'a>,
    records: &[Record],
    schema: &SchemaDescriptor,
    interval: Option<Interval>,
) -> Result<Room<'a>, Stop> {
    let mut metrics = schema.metrics().iter().enumerate().rev();
    metrics.try_fold(room, |room, (position, metric)| {
        write_metric(room, schema, (position, metric), records, interval)
    })
}

/// Writes what `records` say of `metric`, if they do.
fn write_metric<'a>(
    mut room: Room<'a>,
    schema: &SchemaDescriptor,
    (position, metric): (usize, &MetricDescriptor),
    records: &[Record],
    interval: Option<Interval>,
) -> Result<Room<'a>, Stop> {
    let (end, mut is_empty) = (room.len(), true);
    for (index, record) in records.iter().enumerate().rev() {
        let delta = record.check_delta(schema).ok().filter(|delta| delta.metric == position);
        let earlier = records.get(..index).unwrap_or(&[]);
        let is_first =
            |delta: &Delta| !earlier.iter().any(|other| of_same_point(schema, delta, other).is_some());
        let Some(first) = delta.filter(is_first) else { continue };
        if is_empty {
            room = write_tail(room, metric.kind)?;
            is_empty = false;
        }
        let resolution = schema.resolution();
        let times = interval.unwrap_or(Interval {
            start: first.start.unix_nanos(resolution),
            end: first.end.unix_nanos(resolution),
        });
        room = write_point(room, metric, &point(schema, metric, first, records), times)?;
    }
    if is_empty {
        return Ok(room);
    }
    let data = match metric.kind {
        Kind::Counter => metric::SUM,
        Kind::Histogram => metric::HISTOGRAM,
    };
    room.open(data, end)?
        .text(metric::UNIT, metric.unit.as_bytes())?
        .text(metric::NAME, metric.name.as_bytes())?
        .open(envelope::ITEMS, end)
}

/// All that `records` say of the point of `first`.
fn point(schema: &SchemaDescriptor, metric: &MetricDescriptor, first: Delta, records: &[Record]) -> Point {
    let mut point = Point { first, counts: [0; CLASSES] };
    for delta in records.iter().filter_map(|record| of_same_point(schema, &first, record)) {
        point.add(metric, &delta);
    }
    point
}

fn write_tail(room: Room<'_>, kind: Kind) -> Result<Room<'_>, Stop> {
    let room = match kind {
        Kind::Counter => room.uint(data::IS_MONOTONIC, 1)?,
        Kind::Histogram => room,
    };
    room.uint(data::TEMPORALITY, DELTA)
}

fn write_point<'a>(
    mut room: Room<'a>,
    metric: &MetricDescriptor,
    point: &Point,
    times: Interval,
) -> Result<Room<'a>, Stop> {
    let end = room.len();
    let field = match metric.kind {
        Kind::Counter => number_point::ATTRIBUTES,
        Kind::Histogram => histogram_point::ATTRIBUTES,
    };
    let mut attributes = [None; LABELS_MAX];
    attributes
        .iter_mut()
        .zip(metric.attributes(point.first.cell))
        .for_each(|(slot, found)| *slot = Some(found));
    for (key, domain, ordinal) in attributes.into_iter().rev().flatten() {
        if let Some(value) = domain.value(ordinal) {
            room = room.attribute(field, key, value)?;
        }
    }
    room = match metric.kind {
        Kind::Counter => room.number(number_point::AS_INT, point.count())?,
        Kind::Histogram => {
            let end = room.len();
            room = room.put(BOUNDS_PACKED.as_flattened())?.open(histogram_point::EXPLICIT_BOUNDS, end)?;
            let (end, counts) = (room.len(), point.counts.map(|count| u64::from(count).to_le_bytes()));
            room.put(counts.as_flattened())?
                .open(histogram_point::BUCKET_COUNTS, end)?
                .number(histogram_point::COUNT, point.count())?
        }
    };
    // Both kinds of points have their times at the same numbers.
    const { assert!(number_point::TIME == histogram_point::TIME && number_point::START == histogram_point::START) };
    room.number(number_point::TIME, times.end)?
        .number(number_point::START, times.start)?
        .open(data::POINTS, end)
}
