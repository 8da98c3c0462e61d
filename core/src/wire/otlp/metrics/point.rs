//! `NumberDataPoint` and `HistogramDataPoint`: what was counted of one combination of words in one time.

use crate::events::bucket;
use crate::events::metric::{Kind, LABELS_MAX, MetricDescriptor};
use crate::events::time::Resolution;
use crate::records::record::{Delta, Record};
use crate::schemas::schema::SchemaDescriptor;
use crate::wire::otlp::room::{Counting, Room, Stop};

/// `data_points` of `Sum` and `Histogram`.
const POINTS: u8 = 1;

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

const CLASSES: usize = bucket::HALVES as usize;
const BOUNDS: usize = CLASSES.saturating_sub(1);

/// A histogram's bounds, ready.
static BOUNDS_PACKED: [[u8; 8]; BOUNDS] = {
    let (mut packed, mut class) = ([[0; 8]; BOUNDS], 1_u32);
    let mut rest: &mut [[u8; 8]] = &mut packed;
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

/// All that is said of one combination of words in one time.
#[derive(Clone, Copy)]
pub(super) struct Point {
    metric: &'static MetricDescriptor,
    first: Delta,
    counts: [u32; CLASSES],
}

impl Point {
    /// That of `delta`.
    #[inline]
    fn new(metric: &'static MetricDescriptor, delta: Delta) -> Self {
        let mut point = Self { metric, first: delta, counts: [0; CLASSES] };
        point.count(&delta);
        point
    }

    /// Adds `delta`, or gives the point and begins with `delta` another one, where it is of another.
    #[inline]
    pub(super) fn add(
        slot: &mut Option<Self>,
        metric: &'static MetricDescriptor,
        delta: Delta,
    ) -> Option<Self> {
        match slot {
            Some(point) if point.is_of(&delta) => {
                point.count(&delta);
                None
            }
            _ => slot.replace(Self::new(metric, delta)),
        }
    }

    fn is_of(&self, delta: &Delta) -> bool {
        let classes = self.metric.kind.cells();
        self.first.end == delta.end
            && self.first.start == delta.start
            && self.first.cell.checked_div(classes) == delta.cell.checked_div(classes)
    }

    fn count(&mut self, delta: &Delta) {
        let class = delta.cell.checked_rem(self.metric.kind.cells());
        if let Some(count) = class.and_then(|class| self.counts.get_mut(class)) {
            *count = count.saturating_add(delta.count);
        }
    }

    fn sum(&self) -> u64 {
        self.counts.iter().fold(0_u64, |sum, count| sum.saturating_add(u64::from(*count)))
    }

    pub(super) const fn kind(&self) -> Kind {
        self.metric.kind
    }

    /// From when to when it was counted.
    pub(super) fn times(&self, resolution: Resolution) -> Interval {
        Interval {
            start: self.first.start.unix_nanos(resolution),
            end: self.first.end.unix_nanos(resolution),
        }
    }
}

/// What `record` says of the metric at `position`, where it does.
#[inline]
pub(super) fn delta(schema: &SchemaDescriptor, position: usize, record: &Record) -> Option<Delta> {
    // First what is cheap and mostly decides.
    if record.metric() != Some(position) {
        return None;
    }
    record.check_delta(schema).ok()
}

/// The longest point of `metric`.
pub(super) fn len_max(metric: &'static MetricDescriptor) -> usize {
    let points = (0..metric.cells()).step_by(metric.kind.cells()).map(|cell| {
        let (start, end) = (Default::default(), Default::default());
        let delta = Delta { metric: 0, cell, count: 0, start, end };
        let mut room = Counting::nowhere();
        let _ = write_point(&mut room, &Point::new(metric, delta), Interval { start: 0, end: 0 });
        room.measured()
    });
    points.fold(0, usize::max)
}

/// Writes `point`, over `times`.
#[cfg_attr(target_os = "none", inline(never))]
pub(super) fn write_point<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    point: &Point,
    times: Interval,
) -> Result<(), Stop> {
    let (end, metric) = (room.at(), point.metric);
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
            room.attribute(field, key, value)?;
        }
    }
    match metric.kind {
        Kind::Counter => room.fixed64(number_point::AS_INT, point.sum()),
        Kind::Histogram => {
            let end = room.at();
            room.put(BOUNDS_PACKED.as_flattened())?;
            room.open(histogram_point::EXPLICIT_BOUNDS, end)?;
            let end = room.at();
            write_counts(room, &point.counts)?;
            room.open(histogram_point::BUCKET_COUNTS, end)?;
            room.fixed64(histogram_point::COUNT, point.sum())
        }
    }?;
    // Both kinds of points have their times at the same numbers.
    const { assert!(number_point::TIME == histogram_point::TIME && number_point::START == histogram_point::START) };
    room.fixed64(number_point::TIME, times.end)?;
    room.fixed64(number_point::START, times.start)?;
    room.open(POINTS, end)
}

/// Writes how many were in each class.
#[inline(always)]
fn write_counts<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    counts: &[u32; CLASSES],
) -> Result<(), Stop> {
    if cfg!(target_os = "none") {
        // One by one: all at once take 352 bytes of stack.
        return counts.iter().rev().try_for_each(|count| room.array(u64::from(*count).to_le_bytes()));
    }
    room.put(counts.map(|count| u64::from(count).to_le_bytes()).as_flattened())
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
