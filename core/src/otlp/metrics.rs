//! `ExportMetricsServiceRequest`: counts and durations. Field numbers are in the parent module's tree.
//!
//! A point is all that a batch says of one combination of words in one time: records of the same point are added up, and a
//! histogram's classes stand in one point. Cells of 0 make no record and so no point.

mod backward;

pub use backward::Interval;

use super::envelope::{self, Envelope};
use super::protobuf::{FIXED64_LEN, Piece, field_len, uint_len};
use super::{Body, Error, Progress, attribute};
use crate::bucket;
use crate::metric::{Kind, MetricDescriptor};
use crate::record::{Cursor, Delta, Record, Records};
use crate::resource::Resource;
use crate::schema::SchemaDescriptor;

mod metric {
    pub(super) const NAME: u8 = 1;
    pub(super) const UNIT: u8 = 3;
    pub(super) const SUM: u8 = 7;
    pub(super) const HISTOGRAM: u8 = 9;
}
/// `Sum` and `Histogram`.
mod data {
    pub(super) const POINTS: u8 = 1;
    pub(super) const TEMPORALITY: u8 = 2;
    pub(super) const IS_MONOTONIC: u8 = 3;
}
mod number_point {
    pub(super) const START: u8 = 2;
    pub(super) const TIME: u8 = 3;
    pub(super) const AS_INT: u8 = 6;
    pub(super) const ATTRIBUTES: u8 = 7;
}
mod histogram_point {
    pub(super) const START: u8 = 2;
    pub(super) const TIME: u8 = 3;
    pub(super) const COUNT: u8 = 4;
    pub(super) const BUCKET_COUNTS: u8 = 6;
    pub(super) const EXPLICIT_BOUNDS: u8 = 7;
    pub(super) const ATTRIBUTES: u8 = 9;
}

/// `AGGREGATION_TEMPORALITY_DELTA`.
const DELTA: u32 = 1;

const CLASSES: usize = bucket::HALVES as usize;
const BOUNDS: usize = CLASSES.saturating_sub(1);

/// A metrics request: its records are measured when it is made, and read again as it is pulled. Records of events are left
/// to [`Logs`](super::Logs).
#[derive(Clone)]
pub struct Metrics<'a> {
    envelope: Envelope<'a>,
    records: &'a dyn Records,
    count: u32,
    progress: Progress<Next>,
}

/// The next piece.
#[derive(Clone, Copy)]
enum Next {
    Program,
    Build,
    /// The head of the metric at this position.
    Metric(usize),
    /// The metric's next point.
    Point(usize, Cursor),
    Tail(usize),
    SchemaUrl,
}

/// All that a batch says of one combination of words in one time.
struct Point {
    first: Delta,
    counts: [u32; CLASSES],
}

impl Point {
    fn add(&mut self, metric: &MetricDescriptor, delta: &Delta) {
        if let Some(class) = delta.cell.checked_rem(metric.kind.cells())
            && let Some(count) = self.counts.get_mut(class)
        {
            *count = count.saturating_add(delta.count);
        }
    }

    fn count(&self) -> u64 {
        self.counts.iter().fold(0_u64, |sum, count| sum.saturating_add(u64::from(*count)))
    }
}

/// What `other` says, where that is of the same point as `delta`.
#[inline]
fn of_same_point(schema: &SchemaDescriptor, delta: &Delta, other: &Record) -> Option<Delta> {
    // First what is cheap and mostly decides.
    if other.metric() != Some(delta.metric) || other.time() != delta.end {
        return None;
    }
    let classes = schema.metrics().get(delta.metric)?.kind.cells();
    let other = other.check_delta(schema).ok()?;
    let same =
        other.start == delta.start && other.cell.checked_div(classes) == delta.cell.checked_div(classes);
    same.then_some(other)
}

impl<'a> Metrics<'a> {
    /// The request that tells the deltas among `records` from `resource`.
    #[must_use]
    pub fn new(resource: &'a Resource, records: &'a dyn Records) -> Self {
        let mut request = Self {
            envelope: Envelope::new(resource),
            records,
            count: 0,
            progress: Progress::new(Next::Program),
        };
        for position in 0..resource.schema().metrics().len() {
            let (points, data_len) = request.data_len(position);
            if let (Some(metric), 1..) = (resource.schema().metrics().get(position), points) {
                let len = field_len(metric_len(metric, data_len));
                request.envelope.items_len = request.envelope.items_len.wrapping_add(len);
                request.count = request.count.saturating_add(points);
            }
        }
        request
    }

    /// Number of points in the request.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// A buffer of this many bytes holds any piece of any request of `schema`.
    #[must_use]
    pub fn piece_len_max(schema: &SchemaDescriptor) -> usize {
        schema.metrics().iter().map(piece_of_len_max).fold(envelope::PIECE_LEN_MAX, usize::max)
    }

    /// The delta at `at` where it is the first of a point of the metric at `position`; moves on to the next record.
    fn next(&self, position: usize, at: &mut Cursor) -> Option<Option<Delta>> {
        let this = *at;
        let record = self.records.next(at)?;
        if record.metric() != Some(position) {
            return Some(None);
        }
        Some(record.check_delta(self.schema()).ok().filter(|delta| {
            let mut earlier = self.records.first();
            while earlier != this
                && let Some(other) = self.records.next(&mut earlier)
            {
                if of_same_point(self.schema(), delta, &other).is_some() {
                    return false;
                }
            }
            true
        }))
    }

    /// All that the batch says of the point of `first`.
    fn point(&self, metric: &MetricDescriptor, first: Delta) -> Point {
        let mut point = Point { first, counts: [0; CLASSES] };
        let mut at = self.records.first();
        while let Some(other) = self.records.next(&mut at) {
            if let Some(delta) = of_same_point(self.schema(), &first, &other) {
                point.add(metric, &delta);
            }
        }
        point
    }

    /// Number of points of the metric at `position`, and their length.
    fn data_len(&self, position: usize) -> (u32, usize) {
        let (mut points, mut len) = (0_u32, 0_usize);
        let Some(metric) = self.schema().metrics().get(position) else { return (0, 0) };
        let mut at = self.records.first();
        while let Some(first) = self.next(position, &mut at) {
            if let Some(first) = first {
                points = points.saturating_add(1);
                len = len.saturating_add(field_len(point_len(metric, first.cell)));
            }
        }
        (points, len.saturating_add(tail_len(metric.kind)))
    }

    const fn schema(&self) -> &'static SchemaDescriptor {
        self.envelope.resource.schema()
    }

    /// Writes the piece at `next`, and says which follows.
    fn write(&self, next: Next, piece: &mut Piece<'_>) -> Option<Next> {
        let schema = self.schema();
        Some(match next {
            Next::Program => {
                self.envelope.write_program(piece);
                Next::Build
            }
            Next::Build => {
                self.envelope.write_build(piece);
                Next::Metric(0)
            }
            Next::Metric(position) => {
                let Some(metric) = schema.metrics().get(position) else { return Some(Next::SchemaUrl) };
                let (points, data_len) = self.data_len(position);
                if points == 0 {
                    return Some(Next::Metric(position.saturating_add(1)));
                }
                piece.open(envelope::ITEMS, metric_len(metric, data_len));
                piece.text(metric::NAME, metric.name.as_bytes());
                piece.text(metric::UNIT, metric.unit.as_bytes());
                let data = match metric.kind {
                    Kind::Counter => metric::SUM,
                    Kind::Histogram => metric::HISTOGRAM,
                };
                piece.open(data, data_len);
                Next::Point(position, self.records.first())
            }
            Next::Point(position, mut at) => {
                match (schema.metrics().get(position), self.next(position, &mut at)) {
                    (Some(metric), Some(first)) => {
                        if let Some(first) = first {
                            self.write_point(piece, metric, first);
                        }
                        Next::Point(position, at)
                    }
                    _ => Next::Tail(position),
                }
            }
            Next::Tail(position) => {
                piece.uint(data::TEMPORALITY, DELTA);
                if schema.metrics().get(position).is_some_and(|metric| metric.kind == Kind::Counter) {
                    piece.uint(data::IS_MONOTONIC, 1);
                }
                Next::Metric(position.saturating_add(1))
            }
            Next::SchemaUrl => {
                Envelope::write_tail(piece);
                return None;
            }
        })
    }

    fn write_point(&self, piece: &mut Piece<'_>, metric: &MetricDescriptor, first: Delta) {
        let point = self.point(metric, first);
        let resolution = self.schema().resolution();
        let (start, end) = (point.first.start.unix_nanos(resolution), point.first.end.unix_nanos(resolution));
        let count = point.count();
        piece.open(data::POINTS, point_len(metric, first.cell));
        let attributes = match metric.kind {
            Kind::Counter => {
                piece.fixed64(number_point::START, start);
                piece.fixed64(number_point::TIME, end);
                piece.fixed64(number_point::AS_INT, count);
                number_point::ATTRIBUTES
            }
            Kind::Histogram => {
                piece.fixed64(histogram_point::START, start);
                piece.fixed64(histogram_point::TIME, end);
                piece.fixed64(histogram_point::COUNT, count);
                piece.open(histogram_point::BUCKET_COUNTS, CLASSES.saturating_mul(8));
                point.counts.iter().for_each(|count| piece.packed64(u64::from(*count)));
                piece.open(histogram_point::EXPLICIT_BOUNDS, BOUNDS.saturating_mul(8));
                (1..bucket::HALVES).for_each(|class| piece.packed64(double(upper_bound(class))));
                histogram_point::ATTRIBUTES
            }
        };
        for (key, domain, ordinal) in metric.attributes(first.cell) {
            attribute::write(piece, attributes, key, domain, ordinal);
        }
    }
}

impl Body for Metrics<'_> {
    fn len(&self) -> usize {
        self.envelope.len()
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut progress = self.progress;
        let read = progress.read(self.len(), buffer, |next, piece| self.write(next, piece));
        self.progress = progress;
        read
    }

    fn rewind(&mut self) {
        self.progress = Progress::new(Next::Program);
    }
}

impl core::fmt::Debug for Metrics<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Metrics")
            .field("count", &self.count)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The greatest whole number of the class before `class`: OTLP's bounds belong to the class below them.
const fn upper_bound(class: u32) -> u32 {
    bucket::half_lower_bound(class).saturating_sub(1)
}

/// The bits of `number` as a 64-bit IEEE 754 number, without any arithmetic of such numbers.
const fn double(number: u32) -> u64 {
    match number.checked_ilog2() {
        None => 0,
        Some(exponent) => {
            let fraction = (number as u64) << (52_u32.saturating_sub(exponent));
            // The leading one is implied.
            ((exponent as u64).saturating_add(1023) << 52) | (fraction & 0x000F_FFFF_FFFF_FFFF)
        }
    }
}

const fn metric_len(metric: &MetricDescriptor, data_len: usize) -> usize {
    field_len(metric.name.len())
        .saturating_add(field_len(metric.unit.len()))
        .saturating_add(field_len(data_len))
}

const fn tail_len(kind: Kind) -> usize {
    match kind {
        Kind::Counter => uint_len(DELTA).saturating_add(uint_len(1)),
        Kind::Histogram => uint_len(DELTA),
    }
}

fn point_len(metric: &MetricDescriptor, cell: usize) -> usize {
    let arrays = match metric.kind {
        Kind::Counter => 0,
        Kind::Histogram => {
            field_len(CLASSES.saturating_mul(8)).saturating_add(field_len(BOUNDS.saturating_mul(8)))
        }
    };
    let attributes = metric
        .attributes(cell)
        .filter_map(|(key, domain, ordinal)| Some(attribute::len(key, domain.value(ordinal)?)));
    attributes.fold(FIXED64_LEN.saturating_mul(3).saturating_add(arrays), usize::saturating_add)
}

/// The longest piece of `metric`: its head, or a point.
fn piece_of_len_max(metric: &MetricDescriptor) -> usize {
    let point = (0..metric.cells())
        .step_by(metric.kind.cells())
        .map(|cell| field_len(point_len(metric, cell)))
        .fold(0, usize::max);
    // Four heads of a message before the first point, six bytes each at most.
    metric_len(metric, 0).saturating_add(24).max(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_doubles_bit_by_bit() {
        for number in (0..10_000).chain([u32::MAX, u32::MAX - 1, 1 << 31, (1 << 31) - 1]) {
            assert_eq!(double(number), f64::from(number).to_bits(), "{number}");
        }
    }
}
