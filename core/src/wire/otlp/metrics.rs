//! `ExportMetricsServiceRequest`: counts and durations. Field numbers are in the parent module's tree.
//!
//! A point is all that a batch says of one combination of words in one time: records of it that follow each other are added up, and a
//! histogram's classes stand in one point. They do follow each other: a counter's cells are read in their order, and what waits
//! is kept in it. Cells of 0 make no record and so no point.

mod point;

use super::envelope::{self, Items, Pieces};
use super::room::{Counting, Room, Stop};
use super::{Body, Error};
use crate::events::metric::{Kind, MetricDescriptor};
use crate::records::record::{Cursor, Record, Records};
use crate::schemas::schema::SchemaDescriptor;
use crate::wire::resource::Resource;
pub use point::Interval;
use point::{Point, write_point};

mod metric {
    pub(super) const NAME: u8 = 1;
    pub(super) const UNIT: u8 = 3;
    pub(super) const SUM: u8 = 7;
    pub(super) const HISTOGRAM: u8 = 9;
}
/// `Sum` and `Histogram`.
mod data {
    pub(super) const TEMPORALITY: u8 = 2;
    pub(super) const IS_MONOTONIC: u8 = 3;
}

/// `AGGREGATION_TEMPORALITY_DELTA`.
const DELTA: u32 = 1;

/// A metrics request: its records are measured when it is made, and read again as it is pulled. Records of events are left
/// to [`Logs`](super::Logs).
#[derive(Clone)]
pub struct Metrics<'a> {
    resource: &'a Resource,
    records: &'a dyn Records,
    pieces: Pieces<Part>,
}

/// A part of a metric that is read at once.
#[derive(Clone, Copy)]
enum Part {
    /// What stands in front of the points of the metric at this position.
    Head(usize),
    /// The metric's next point.
    Point(usize, Cursor),
    /// What stands behind them.
    Tail(usize),
}

impl<'a> Metrics<'a> {
    /// The request that tells the deltas among `records` from `resource`.
    #[must_use]
    pub fn new(resource: &'a Resource, records: &'a dyn Records) -> Self {
        let pieces = Pieces::new(resource, Part::Head(0), part(resource, records));
        Self { resource, records, pieces }
    }

    /// Writes the whole request to the end of `buffer`, and gives it: the bytes that [`read`](Body::read) gives, for who has
    /// room for all of them, in a third of the time; called as [`Logs::encode`](crate::wire::otlp::Logs::encode) is.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] with the length of the request. What stands in `buffer` then is unspecified.
    pub fn encode<'b>(
        resource: &Resource,
        records: &[Record],
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], Error> {
        envelope::encode(resource, buffer, &Slice { records, schema: resource.schema(), interval: None })
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
        let interval = Some(interval);
        envelope::encode(resource, buffer, &Slice { records, schema: resource.schema(), interval })
    }

    /// Returns the number of points in the request. It goes through all records once a metric.
    #[must_use]
    pub fn count(&self) -> u32 {
        let schema = self.resource.schema();
        let metrics = schema.metrics().iter().enumerate();
        metrics.fold(0, |count, metric| count.saturating_add(measure(metric, self.records, schema).0))
    }

    /// A buffer of this many bytes holds any piece of any request of `schema`.
    #[must_use]
    pub fn piece_len_max(schema: &SchemaDescriptor) -> usize {
        schema.metrics().iter().map(piece_of_len_max).fold(envelope::PIECE_LEN_MAX, usize::max)
    }
}

impl Body for Metrics<'_> {
    fn len(&self) -> usize {
        self.pieces.len()
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let Self { resource, records, pieces } = self;
        pieces.read(resource, buffer, part(resource, *records))
    }

    fn rewind(&mut self) {
        self.pieces.rewind();
    }
}

impl core::fmt::Debug for Metrics<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Metrics")
            .field("count", &self.count())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The next point of `metric`, which is at `position`: of the records of it that follow each other. Moves `at` behind them.
fn next_point(
    (position, metric): (usize, &'static MetricDescriptor),
    records: &dyn Records,
    schema: &SchemaDescriptor,
    at: &mut Cursor,
) -> Option<Point> {
    let mut point = None;
    loop {
        let mut behind = *at;
        let Some(record) = records.next(&mut behind) else { return point };
        let whole =
            point::delta(schema, position, &record).and_then(|delta| Point::add(&mut point, metric, delta));
        if whole.is_some() {
            return whole;
        }
        *at = behind;
    }
}

/// How many points `metric` has, and how long they are with what stands behind them.
fn measure(
    metric: (usize, &'static MetricDescriptor),
    records: &dyn Records,
    schema: &SchemaDescriptor,
) -> (u32, usize) {
    let (mut count, mut room, mut at) = (0_u32, Counting::nowhere(), records.first());
    let _ = write_tail(&mut room, metric.1.kind);
    while let Some(point) = next_point(metric, records, schema, &mut at) {
        let _ = write_point(&mut room, &point, point.times(schema.resolution()));
        count = count.wrapping_add(1);
    }
    (count, room.measured())
}

/// What writes a part of the request, and says which follows.
fn part(resource: &Resource, records: &dyn Records) -> impl Fn(Part, &mut Counting<'_>) -> Option<Part> {
    let schema = resource.schema();
    move |part, piece| write_part(piece, part, records, schema)
}

/// Writes a part of the request, and says which follows.
// On a device, out of the frame of whoever polls: a point is 200 bytes.
#[cfg_attr(target_os = "none", inline(never))]
fn write_part(
    piece: &mut Counting<'_>,
    part: Part,
    records: &dyn Records,
    schema: &SchemaDescriptor,
) -> Option<Part> {
    let (Part::Head(position) | Part::Point(position, _) | Part::Tail(position)) = part;
    let metric = schema.metrics().get(position)?;
    Some(match part {
        Part::Head(_) => {
            let (points, len) = measure((position, metric), records, schema);
            if points == 0 {
                return Some(Part::Head(position.wrapping_add(1)));
            }
            let _ = write_head(piece, metric, piece.at().wrapping_add(len));
            Part::Point(position, records.first())
        }
        Part::Point(_, mut at) => match next_point((position, metric), records, schema, &mut at) {
            Some(point) => {
                let _ = write_point(piece, &point, point.times(schema.resolution()));
                Part::Point(position, at)
            }
            None => Part::Tail(position),
        },
        Part::Tail(_) => {
            let _ = write_tail(piece, metric.kind);
            Part::Head(position.wrapping_add(1))
        }
    })
}

/// Records in memory, of which those of the metrics of `schema` are written; over `interval`, if there is one.
struct Slice<'a> {
    records: &'a [Record],
    schema: &'static SchemaDescriptor,
    interval: Option<Interval>,
}

impl Items for Slice<'_> {
    fn write<const COUNTING: bool>(&self, room: &mut Room<'_, COUNTING>) -> Result<(), Stop> {
        let mut metrics = self.schema.metrics().iter().enumerate().rev();
        metrics.try_for_each(|(position, metric)| self.write_metric(room, position, metric))
    }
}

impl Slice<'_> {
    fn write_metric<const COUNTING: bool>(
        &self,
        room: &mut Room<'_, COUNTING>,
        position: usize,
        metric: &'static MetricDescriptor,
    ) -> Result<(), Stop> {
        let (end, mut point) = (room.at(), None);
        for record in self.records.iter().rev() {
            let Some(delta) = point::delta(self.schema, position, record) else { continue };
            if let Some(whole) = Point::add(&mut point, metric, delta) {
                self.write_point(room, &whole, end)?;
            }
        }
        let Some(last) = point else { return Ok(()) };
        self.write_point(room, &last, end)?;
        write_head(room, metric, end)
    }

    /// Writes `point`; what stands behind the points of its metric, which end at `end`, before the first of them.
    fn write_point<const COUNTING: bool>(
        &self,
        room: &mut Room<'_, COUNTING>,
        point: &Point,
        end: usize,
    ) -> Result<(), Stop> {
        if room.at() == end {
            write_tail(room, point.kind())?;
        }
        write_point(room, point, self.interval.unwrap_or(point.times(self.schema.resolution())))
    }
}

/// Writes what stands in front of the points of `metric`, which end at `end` with what stands behind them.
fn write_head<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    metric: &MetricDescriptor,
    end: usize,
) -> Result<(), Stop> {
    let data = match metric.kind {
        Kind::Counter => metric::SUM,
        Kind::Histogram => metric::HISTOGRAM,
    };
    room.open(data, end)?;
    room.text(metric::UNIT, metric.unit.as_bytes())?;
    room.text(metric::NAME, metric.name.as_bytes())?;
    room.open(envelope::ITEMS, end)
}

/// Writes what stands behind the points of a metric.
fn write_tail<const COUNTING: bool>(room: &mut Room<'_, COUNTING>, kind: Kind) -> Result<(), Stop> {
    if kind == Kind::Counter {
        room.uint(data::IS_MONOTONIC, 1)?;
    }
    room.uint(data::TEMPORALITY, DELTA)
}

/// The longest piece of `metric`: its head, or a point.
fn piece_of_len_max(metric: &'static MetricDescriptor) -> usize {
    let mut room = Counting::nowhere();
    let _ = write_head(&mut room, metric, 0);
    // The lengths of the metric and of its data take five bytes at most, and one each was counted.
    room.measured().saturating_add(8).max(point::len_max(metric))
}
