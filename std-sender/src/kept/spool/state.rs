//! What a spool remembers beside its segments: its clock, where its streams stand, how delivery goes.
//!
//! A file of lines, each a word and numbers, that whoever has the turn replaces as a whole:
//!
//! ```text
//! clock <age, seconds> <time of day when that was so, seconds since 1970>
//! streams <end of the last interval, nanoseconds since 1970>
//! wait <destination> <time of day before which its collector wants no request>
//! answered <destination> <time of day when its collector last took something>
//! ```
//!
//! **The spool's own clock** tells how old records are. It goes forward with the time of day, but by [`LEAP_SECONDS_MAX`] at most
//! between two looks, and never back: a clock that is set right, or wrong, makes nothing older by decades. A program that is not
//! run for a month can't be told from a clock that jumps by one, so such a pause counts as a week.

use crate::files::disk;
use std::fmt::Write;
use std::io;
use std::path::Path;

/// Its name in the folder.
pub(super) const FILE: &str = "state";

/// Most that the spool's clock goes forward at once, in seconds: a week.
const LEAP_SECONDS_MAX: u64 = 7 * 24 * 3_600;

/// How far the time of day may be ahead of the last look before somebody should look again, in seconds: a day.
const LOOK_SECONDS: u64 = 24 * 3_600;

/// Most bytes that are read of the file.
const BYTES_MAX: u64 = 4_096;

/// What is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The spool's clock at `seen`, in seconds.
    age: u64,
    /// The time of day of the last look, in seconds since 1970; 0 before the first.
    seen: u64,
    /// Where the last interval of the streams ended, in nanoseconds since 1970; 0 where there was none.
    pub(super) streams: u64,
    wait: Option<(u64, u64)>,
    answered: Option<(u64, u64)>,
}

impl State {
    /// That of `folder`; a new one where there is none, whose clock is the time of day.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let Some(bytes) = disk::read(&folder.join(FILE), BYTES_MAX)? else { return Ok(Self::default()) };
        let mut state = Self::default();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let (word, numbers) = line.split_once(' ').unwrap_or((line, ""));
            let mut numbers = numbers.split(' ').map(|number| number.parse::<u64>().unwrap_or(0));
            let mut number = || numbers.next().unwrap_or(0);
            match word {
                "clock" => (state.age, state.seen) = (number(), number()),
                "streams" => state.streams = number(),
                "wait" => state.wait = Some((number(), number())),
                "answered" => state.answered = Some((number(), number())),
                // Of a later version of this library.
                _ => {}
            }
        }
        Ok(state)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut text = format!("clock {} {}\nstreams {}\n", self.age, self.seen, self.streams);
        for (word, pair) in [("wait", self.wait), ("answered", self.answered)] {
            if let Some((destination, time)) = pair {
                let _ = writeln!(text, "{word} {destination} {time}");
            }
        }
        text.into_bytes()
    }

    /// What the spool's clock shows at `now`, a time of day: no less than the age of the `newest` segment. Where nothing is
    /// remembered, that age, or the time of day.
    pub(super) fn age(&self, now: u64, newest: Option<u64>) -> u64 {
        if self.seen == 0 {
            return newest.unwrap_or(now);
        }
        let leap = now.saturating_sub(self.seen).min(LEAP_SECONDS_MAX);
        (self.age + leap).max(newest.unwrap_or(0))
    }

    /// Whether the clock stands still, or would leap: then somebody who has the turn looks at it.
    pub(super) fn wants_a_look(&self, now: u64) -> bool {
        self.seen == 0 || now < self.seen || now - self.seen > LOOK_SECONDS
    }

    /// Looks at the time of day.
    pub(super) fn look(&mut self, now: u64, newest: Option<u64>) {
        self.age = self.age(now, newest);
        self.seen = now.max(1);
    }

    /// Seconds from `now` for which the collector at `destination` wants no request.
    pub(crate) fn wait(&self, destination: u64, now: u64) -> Option<u64> {
        let (_, until) = self.wait.filter(|(of, _)| *of == destination)?;
        let most = u64::from(automagik_telemetry_core::delivery::RETRY_AFTER_SECONDS_MAX);
        // More than was ever noted is what a clock that was set back makes of it.
        until.checked_sub(now).filter(|wait| (1..=most).contains(wait))
    }

    /// The collector at `destination` wants no request for `seconds`, or says nothing of the kind any more.
    pub(super) fn set_wait(&mut self, destination: u64, now: u64, seconds: Option<u64>) {
        let most = u64::from(automagik_telemetry_core::delivery::RETRY_AFTER_SECONDS_MAX);
        match seconds {
            Some(seconds) => self.wait = Some((destination, now + seconds.min(most))),
            None if self.wait.is_some_and(|(of, _)| of == destination) => self.wait = None,
            None => {}
        }
    }

    /// When the collector at `destination` last took something, in seconds since 1970.
    pub(crate) fn answered(&self, destination: u64) -> Option<u64> {
        self.answered.filter(|(of, _)| *of == destination).map(|(_, time)| time)
    }

    /// The collector at `destination` has taken something at `now`, or does not answer (`None`).
    pub(super) fn set_answered(&mut self, destination: u64, now: Option<u64>) {
        match now {
            Some(now) => self.answered = Some((destination, now)),
            None if self.answered(destination).is_some() => self.answered = None,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_761_048_000;
    const DAY: u64 = 24 * 3_600;

    #[test]
    fn what_is_remembered_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(State::read(folder.path()).unwrap(), State::default());
        let mut state = State { streams: 77, ..State::default() };
        state.look(NOW, None);
        state.set_wait(5, NOW, Some(60));
        state.set_answered(5, Some(NOW));
        disk::publish(folder.path(), FILE, &state.encode()).unwrap();
        assert_eq!(State::read(folder.path()).unwrap(), state);
        assert_eq!((state.wait(5, NOW + 1), state.wait(6, NOW + 1)), (Some(59), None));
    }

    #[test]
    fn a_wait_is_bounded_whatever_the_clock_does() {
        let mut state = State::default();
        state.set_wait(5, NOW, Some(u64::from(u32::MAX)));
        assert_eq!(state.wait(5, NOW), Some(3_600));
        assert_eq!(state.wait(5, NOW + 3_600), None);
        assert_eq!(state.wait(5, NOW - 40 * DAY), None);
    }

    #[test]
    fn a_clock_that_jumps_makes_nothing_older_by_more_than_a_week() {
        let mut state = State::default();
        state.look(NOW, None);
        for jump in [0, NOW - 40 * DAY, NOW + 60 * DAY, NOW] {
            let before = state.age(state.seen, None);
            state.look(jump, None);
            assert!(state.age(jump, None) - before <= LEAP_SECONDS_MAX);
        }
        assert!(state.age(NOW, None) <= NOW + LEAP_SECONDS_MAX * 2);
    }

    proptest! {
        #[test]
        fn the_clock_never_goes_back(times in prop::collection::vec(0_u64..4_000_000_000, 1..50)) {
            let mut state = State::default();
            let mut before = 0;
            for (n, time) in times.into_iter().enumerate() {
                let age = state.age(time, None);
                prop_assert!(n == 0 || age >= before);
                state.look(time, None);
                before = age;
            }
        }
    }
}
