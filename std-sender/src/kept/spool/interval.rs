//! Which time a request of counts tells: the intervals of an installation follow each other, whoever delivers.
//!
//! ```text
//!  ──┤ last interval ├┬──────── next ────────┬┬─ next ─┬──► time
//!                     streams                streams
//! ```

use automagik_telemetry_core::otlp::Interval;
use core::ops::Range;

/// Into how many parts a step of time is divided for those who deliver more than once in it: each request's interval ends
/// later than the one before, and none beyond the present.
const PARTS_OF_STEP: u64 = 1 << 16;

const NANOS: u64 = 1_000_000_000;

/// The least length of an interval, in nanoseconds.
pub(super) const fn part_of_step(seconds: u32) -> u64 {
    seconds as u64 * NANOS / PARTS_OF_STEP
}

/// The interval after the one that ended at `streams`, for what was `counted` in those seconds, at `now` in steps of `step`
/// seconds. It starts where the last one ended, and never before; it ends with the step that was counted, no later than the present
/// step began, or a part of a step after its start, whichever is later: clocks go back, and some deliver often.
pub(crate) fn next_interval(streams: &mut u64, counted: Range<u64>, now: u64, step: u32) -> Interval {
    let nanos = |seconds: u64| seconds.saturating_mul(NANOS);
    let present = now - now % u64::from(step);
    let start = if *streams == 0 { nanos(counted.start.min(present)) } else { *streams };
    let end = nanos(counted.end.min(present)).max(start + part_of_step(step));
    *streams = end;
    Interval { start, end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: u64 = 60 * NANOS;

    #[test]
    fn the_first_starts_where_counting_began_and_the_next_where_it_ended() {
        let mut streams = 0;
        let first = next_interval(&mut streams, 600..3_600, 1_000, 60);
        assert_eq!(first, Interval { start: 10 * MINUTE, end: 16 * MINUTE });
        let next = next_interval(&mut streams, 960..3_600, 1_100, 60);
        assert_eq!(next, Interval { start: 16 * MINUTE, end: 18 * MINUTE });
    }

    #[test]
    fn a_second_one_in_a_step_ends_a_part_of_a_step_later() {
        let mut streams = 0;
        next_interval(&mut streams, 600..3_600, 1_000, 60);
        let second = next_interval(&mut streams, 960..3_600, 1_010, 60);
        assert_eq!(second, Interval { start: 16 * MINUTE, end: 16 * MINUTE + part_of_step(60) });
    }

    proptest! {
        /// What the Collector's `deltatocumulative` processor enforces.
        #[test]
        fn they_never_overlap_or_go_back_whatever_clocks_do(
            times in prop::collection::vec((0_u64..4_000_000_000, 0_u64..100_000, 0_u64..4_000_000_000), 1..60),
            step in prop::sample::select(vec![1_u32, 60, 3_600, 86_400]),
        ) {
            let (mut streams, mut last) = (0, 0);
            for (start, len, now) in times {
                let interval = next_interval(&mut streams, start..start + len, now, step);
                prop_assert!(interval.start >= last && interval.start < interval.end);
                prop_assert!(last == 0 || interval.start == last, "a gap");
                last = interval.end;
            }
        }
    }
}
