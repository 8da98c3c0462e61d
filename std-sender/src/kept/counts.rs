//! What metrics counted, added up: deltas are additive, so what waits takes one record for each cell and each step of time that is
//! worth keeping. That is an hour, and a day for what is older than one.

use automagik_telemetry_core::Record;
use automagik_telemetry_core::record::Delta;
use automagik_telemetry_core::time::{Coarse, Resolution};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Which sum a delta belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// End of the step that is worth keeping, in seconds since 1970.
    until: u64,
    metric: usize,
    cell: usize,
}

#[derive(Clone, Copy, Debug)]
struct Sum {
    count: u64,
    start: Coarse,
    end: Coarse,
}

/// Sums of deltas, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    resolution: Resolution,
    sums: BTreeMap<Key, Sum>,
}

impl Counts {
    pub(crate) fn new(resolution: Resolution) -> Self {
        Self { resolution, sums: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Adds what `record` counted, at `now` in seconds since 1970; one that is of an event counts nothing.
    pub(crate) fn add(&mut self, record: &Record, now: u64) {
        let Some(Delta { metric, cell, count, start, end }) = record.as_delta() else { return };
        let step = u64::from(self.resolution.seconds());
        let ended = u64::from(end.steps()) * step;
        let worth = if now.saturating_sub(ended) > DAY { DAY } else { HOUR }.max(step);
        let key = Key { until: ended.div_ceil(worth) * worth, metric, cell };
        match self.sums.entry(key) {
            Entry::Vacant(entry) => drop(entry.insert(Sum { count: count.into(), start, end })),
            Entry::Occupied(mut entry) => {
                let sum = entry.get_mut();
                sum.count = sum.count.saturating_add(count.into());
                sum.start = sum.start.min(start);
                sum.end = sum.end.max(end);
            }
        }
    }

    /// All of it as records.
    pub(crate) fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for (key, sum) in &self.sums {
            let mut rest = sum.count;
            while rest > 0 {
                // A record counts to 2^32 - 1.
                let count = u32::try_from(rest).unwrap_or(u32::MAX);
                rest -= u64::from(count);
                let (metric, cell, start, end) = (key.metric, key.cell, sum.start, sum.end);
                records.push(Record::from_delta(&Delta { metric, cell, count, start, end }));
            }
        }
        records
    }

    /// Takes the oldest step's records, `most` at most and one of a cell, all of the same times; and from when to when they were
    /// counted, in seconds since 1970.
    pub(crate) fn take_oldest(&mut self, most: usize) -> Option<(core::ops::Range<u64>, Vec<Record>)> {
        let until = self.sums.first_key_value()?.0.until;
        let keys: Vec<Key> =
            self.sums.keys().take_while(|key| key.until == until).take(most.max(1)).copied().collect();
        let step = self.resolution.seconds();
        let end = Coarse::from_unix_seconds(until, self.resolution);
        let start = Coarse::from_steps(end.steps().saturating_sub(1));
        let mut from = u64::MAX;
        let mut records = Vec::new();
        for key in keys {
            let Entry::Occupied(mut entry) = self.sums.entry(key) else { continue };
            let sum = entry.get_mut();
            from = from.min(u64::from(sum.start.steps()) * u64::from(step));
            let count = u32::try_from(sum.count).unwrap_or(u32::MAX);
            sum.count -= u64::from(count);
            if sum.count == 0 {
                entry.remove();
            }
            let (metric, cell) = (key.metric, key.cell);
            records.push(Record::from_delta(&Delta { metric, cell, count, start, end }));
        }
        Some((from..until, records))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn delta(cell: usize, count: u32, minute: u32) -> Record {
        let (start, end) = (Coarse::from_steps(minute), Coarse::from_steps(minute + 1));
        Record::from_delta(&Delta { metric: 0, cell, count, start, end })
    }

    #[test]
    fn a_month_without_a_collector_is_one_record_a_cell_and_day_and_an_hour_on_the_last() {
        let minutes = 30 * 24 * 60;
        let mut counts = Counts::new(Resolution::Minute);
        (0..minutes).for_each(|minute| counts.add(&delta(3, 2, minute), u64::from(minutes) * 60));
        let records = counts.records();
        assert!(records.len() <= 30 + 25, "{}", records.len());
        assert_eq!(
            records.iter().map(|record| u64::from(record.stands_for())).sum::<u64>(),
            u64::from(minutes) * 2
        );
    }

    #[test]
    fn a_sum_beyond_what_a_record_counts_takes_several_and_none_of_one_request() {
        let mut counts = Counts::new(Resolution::Minute);
        (0..3).for_each(|_| counts.add(&delta(0, u32::MAX, 5), 400));
        assert_eq!(counts.records().len(), 3);
        for _ in 0..3 {
            assert_eq!(counts.take_oldest(100).unwrap().1.len(), 1);
        }
        assert!(counts.is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_of_it_however_it_is_taken(
            added in prop::collection::vec((0_usize..5, 1_u32..1_000, 0_u32..5_000), 0..200),
            now in 0_u64..400_000,
            most in 0_usize..7,
        ) {
            let mut counts = Counts::new(Resolution::Minute);
            added.iter().for_each(|(cell, count, minute)| counts.add(&delta(*cell, *count, *minute), now));
            let mut again = Counts::new(Resolution::Minute);
            counts.records().iter().for_each(|record| again.add(record, now));
            let (mut sum, mut last) = (0_u64, 0);
            while let Some((times, records)) = again.take_oldest(most) {
                prop_assert!(times.start < times.end && last <= times.end);
                last = times.end;
                sum += records.iter().map(|record| u64::from(record.stands_for())).sum::<u64>();
            }
            prop_assert_eq!(sum, added.iter().map(|(_, count, _)| u64::from(*count)).sum::<u64>());
        }
    }
}
