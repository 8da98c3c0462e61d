//! When it was: steps since a boot began become a time of day.
//!
//! A frame may have waited for weeks in a broker, so the age of a record is not known from its arrival. What is known: nothing arrives before it is
//! sent. So a boot began no later than (arrival - steps) of any of its frames, and the least of them is the best estimate: off by the shortest time that a frame
//! took, and by how much the device's clock went wrong. Where the device knows the time, it says when the boot began.

use automagik_telemetry_core::time::Resolution;
use std::time::{SystemTime, UNIX_EPOCH};

/// Records older than this are placed there, in seconds: 30 days, as long as anything is kept.
pub const AGE_SECONDS_MAX: u64 = 30 * 86_400;

/// What a gateway's clock says, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now(pub u64);

/// 1970, where the clock says less.
impl From<SystemTime> for Now {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl Now {
    /// The step of `resolution` that it is.
    #[must_use]
    pub fn step(self, resolution: Resolution) -> u32 {
        u32::try_from(self.0 / u64::from(resolution.seconds())).unwrap_or(u32::MAX)
    }
}

/// The latest step in which a boot can have begun that has a record of `steps`, of which it is told at `now`.
#[must_use]
pub fn latest_start(now: Now, steps: u32, resolution: Resolution) -> u32 {
    now.step(resolution).saturating_sub(steps)
}

/// When records of one boot happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placing {
    /// The step in which the boot began.
    pub start: u32,
    /// The first step that is not too long ago.
    earliest: u32,
    /// The last step that is not in the future.
    latest: u32,
}

impl Placing {
    /// That of a boot that began at `start`, at `now`.
    #[must_use]
    pub fn new(start: u32, now: Now, resolution: Resolution) -> Self {
        let earliest = Now(now.0.saturating_sub(AGE_SECONDS_MAX)).step(resolution);
        // A delta ends with the step that has begun.
        Self { start, earliest, latest: now.step(resolution).saturating_add(1) }
    }

    /// The step of a record that says `steps` since the boot began, and whether it had to be moved.
    #[inline]
    #[must_use]
    pub fn place(&self, steps: u32) -> (u32, bool) {
        let step = self.start.saturating_add(steps);
        let placed = step.clamp(self.earliest, self.latest);
        (placed, placed != step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_1970_or_2099_is_placed_within_what_is_kept() {
        let now = Now(1_800_000_000);
        let placing = |start| Placing::new(start, now, Resolution::Minute);
        assert_eq!(placing(0).place(5), ((1_800_000_000 - 30 * 86_400) / 60, true));
        assert_eq!(placing(67_000_000).place(5), (30_000_001, true));
        assert_eq!(placing(29_999_990).place(5), (29_999_995, false));
    }

    #[test]
    fn the_least_of_arrival_less_steps_is_within_a_step_and_the_shortest_delay() {
        // A boot at a time within a minute; frames that took from 3 seconds to a day; records of the moment before they were sent.
        let began = 1_800_000_037_u64;
        let start = (1..200_u64)
            .map(|frame| {
                let uptime = frame * 457;
                let delay = 3 + frame % 10 * 8_640;
                latest_start(Now(began + uptime + delay), (uptime / 60) as u32, Resolution::Minute)
            })
            .min()
            .unwrap();
        let exact = u32::try_from(began / 60).unwrap();
        assert!((exact..=exact + 1).contains(&start), "{start} {exact}");
    }

    #[test]
    fn a_clock_that_drifts_by_two_percent_moves_records_by_that_much() {
        let began = 1_800_000_000_u64;
        for drift in [98_u64, 102] {
            let frames = (1..400_u64).map(|frame| (frame * 600, (frame * 600 * drift / 100 / 60) as u32));
            let start = frames
                .clone()
                .map(|(uptime, steps)| latest_start(Now(began + uptime + 1), steps, Resolution::Minute))
                .min()
                .unwrap();
            for (uptime, steps) in frames {
                let placed = u64::from(start + steps) * 60;
                let drifted = 400 * 600 * 2 / 100;
                assert!(placed.abs_diff(began + uptime) <= 60 + 60 + drifted, "{drift} {uptime}");
            }
        }
    }
}
