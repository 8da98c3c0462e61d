//! Which records of a boot have arrived, as ranges of their sequence: a hole between two is what is missing, and may still come.

use serde::{Deserialize, Serialize};

/// Most ranges that are kept: where there are more, the oldest hole is given up.
pub const RANGES_MAX: usize = 16;

/// Ranges of what has arrived, in order, none touching another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    ranges: Vec<(u32, u32)>,
}

/// What a frame is to those that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// New. So many records were given up for lost, since there were too many holes.
    New {
        /// How many.
        given_up: u32,
    },
    /// It has arrived before, or was given up.
    Seen,
}

impl Received {
    /// The ranges: first, and behind the last.
    #[must_use]
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// The sequence behind the highest that has arrived.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.ranges.last().map_or(0, |(_, end)| *end)
    }

    /// Whether the record at `first` has arrived.
    #[must_use]
    pub fn has(&self, first: u32) -> bool {
        self.ranges.iter().any(|(start, end)| (*start..*end).contains(&first))
    }

    /// Notes that `count` records from `first` on have arrived, unless any of them had.
    pub fn note(&mut self, first: u32, count: u32) -> Arrival {
        let end = first.saturating_add(count);
        // Where it belongs: mostly behind all.
        let at = self.ranges.iter().rposition(|(start, _)| *start <= first).map_or(0, |at| at + 1);
        let touches_before = at > 0 && self.ranges[at - 1].1 == first;
        let overlaps = at > 0 && self.ranges[at - 1].1 > first
            || self.ranges.get(at).is_some_and(|(start, _)| *start < end);
        if overlaps {
            return Arrival::Seen;
        }
        let touches_behind = self.ranges.get(at).is_some_and(|(start, _)| *start == end);
        match (touches_before, touches_behind) {
            (true, true) => {
                self.ranges[at - 1].1 = self.ranges[at].1;
                self.ranges.remove(at);
            }
            (true, false) => self.ranges[at - 1].1 = end,
            (false, true) => self.ranges[at].0 = first,
            (false, false) => self.ranges.insert(at, (first, end)),
        }
        let mut given_up = 0;
        while self.ranges.len() > RANGES_MAX {
            given_up += self.give_up_oldest();
        }
        Arrival::New { given_up }
    }

    /// Gives up all that is missing below the highest, and says how many records that are.
    pub fn give_up(&mut self) -> u32 {
        let mut given_up = 0;
        while self.has_holes() {
            given_up += self.give_up_oldest();
        }
        given_up
    }

    /// Whether records are missing below the highest.
    #[must_use]
    pub fn has_holes(&self) -> bool {
        self.ranges.len() > 1 || self.ranges.first().is_some_and(|(start, _)| *start > 0)
    }

    fn give_up_oldest(&mut self) -> u32 {
        let Some((start, _)) = self.ranges.first_mut() else { return 0 };
        if *start > 0 {
            // What came before the first that arrived.
            return std::mem::take(start);
        }
        if self.ranges.len() < 2 {
            return 0;
        }
        let (start, end) = self.ranges.remove(1);
        let missing = start - self.ranges[0].1;
        self.ranges[0].1 = end;
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Frames of 1 to 50 records in any order, some lost, some repeated: what is taken is taken once, and what is neither taken nor given up is missing.
        #[test]
        fn every_record_is_taken_once_or_given_up_once(
            lens in prop::collection::vec(1_u32..50, 1..80),
            order in prop::collection::vec((any::<prop::sample::Index>(), 0_u32..4), 0..300),
        ) {
            let mut first = 0;
            let frames: Vec<(u32, u32)> = lens.iter().map(|len| { let frame = (first, *len); first += len; frame }).collect();
            let (mut received, mut taken, mut given_up) = (Received::default(), BTreeSet::new(), 0);
            for (index, late) in order {
                // Mostly near each other.
                let (first, count) = frames[index.index(frames.len()) / (1 + late as usize)];
                match received.note(first, count) {
                    Arrival::New { given_up: lost } => {
                        prop_assert!((first..first + count).all(|number| taken.insert(number)), "taken twice");
                        given_up += lost;
                    }
                    Arrival::Seen => {}
                }
                prop_assert!(received.ranges().len() <= RANGES_MAX);
            }
            let highest = received.next();
            given_up += received.give_up();
            prop_assert!(!received.has_holes());
            prop_assert_eq!(taken.len() as u32 + given_up, highest);
        }
    }

    #[test]
    fn what_fills_a_hole_is_new_and_what_is_there_is_not() {
        let mut received = Received::default();
        for (first, expected) in
            [(0, true), (20, true), (10, true), (10, false), (0, false), (25, false), (30, true)]
        {
            assert_eq!(
                received.note(first, 10),
                if expected { Arrival::New { given_up: 0 } } else { Arrival::Seen }
            );
        }
        assert_eq!(received.ranges(), [(0, 40)]);
    }
}
