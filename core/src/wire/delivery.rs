//! What to do with the oldest batch: send it, or wait. Pure: time and randomness come from outside.
//!
//! ```text
//!          next(now)                    done(outcome, now)
//!  Send ◄────────────┐        ┌────────► Accepted, PartlyRefused, Refused: the batch is over, wait no more
//!                    │        ├────────► TooLarge: send it in smaller ones, at once
//!  Wait(ms) ◄────────┴── wait ┴────────► Retry: keep the batch; wait at random up to 1, 2, 4 ... 300 seconds,
//!                                        or as long as the collector asked
//! ```
//!
//! Full jitter ("Exponential backoff and jitter", AWS Architecture Blog, 2015) keeps installations from coming back in
//! step after an outage. Source: OTLP 1.x, "All other responses" and "OTLP/HTTP throttling".

use crate::wire::outcome::Outcome;

/// Ceiling of the first wait, in milliseconds.
pub const WAIT_MS_FIRST: u64 = 1_000;

/// Ceiling of every wait that the collector did not ask for, in milliseconds: five minutes.
pub const WAIT_MS_MAX: u64 = 300_000;

/// Longest `Retry-After` that is honoured, in seconds: an hour. A collector that names more is broken or hostile.
pub const RETRY_AFTER_SECONDS_MAX: u32 = 3_600;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send the oldest batch.
    Send,
    /// Wait for so many milliseconds.
    Wait(u64),
}

/// What becomes of the batch that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Keep it and ask [`Delivery::next`] when to send it again.
    Keep,
    /// It was taken but for so many records, which count as dropped: remove it.
    Taken {
        /// Records that the collector refused.
        refused: u32,
    },
    /// Nobody takes it as it is: send its records in smaller batches; where it is one record, it is refused.
    Split,
    /// Nobody will ever take it: remove it and count all of it as dropped.
    Refused,
}

/// The state of delivery to one collector. 24 bytes.
///
/// ```
/// use automagik_telemetry_core::Outcome;
/// use automagik_telemetry_core::delivery::{Delivery, Next, Verdict};
///
/// let mut delivery = Delivery::new(42);
/// assert_eq!(delivery.next(0), Next::Send);
/// assert_eq!(delivery.done(Outcome::Retry { after_seconds: Some(7) }, 0), Verdict::Keep);
/// assert!(matches!(delivery.next(0), Next::Wait(7_000..=8_000)));
/// ```
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When the next request may go, in the caller's milliseconds.
    not_before: u64,
    /// Requests in a row that want to be repeated.
    failures: u32,
    /// State of xorshift32; never 0.
    random: u32,
}

impl Delivery {
    /// Nothing was sent yet. `seed` should differ between installations: it spreads their waits.
    #[must_use]
    pub const fn new(seed: u32) -> Self {
        Self { not_before: 0, failures: 0, random: if seed == 0 { 1 } else { seed } }
    }

    /// Returns what to do at `now`, in milliseconds of a clock that does not go back.
    #[must_use]
    pub const fn next(&self, now: u64) -> Next {
        match self.not_before.checked_sub(now) {
            None | Some(0) => Next::Send,
            Some(wait) => Next::Wait(wait),
        }
    }

    /// Returns what becomes of the batch whose request ended with `outcome` at `now`.
    pub fn done(&mut self, outcome: Outcome, now: u64) -> Verdict {
        let verdict = match outcome {
            Outcome::Accepted => Verdict::Taken { refused: 0 },
            Outcome::PartlyRefused(refused) => Verdict::Taken { refused },
            Outcome::TooLarge => Verdict::Split,
            Outcome::Refused => Verdict::Refused,
            Outcome::Retry { after_seconds } => {
                let wait = self.wait(after_seconds);
                self.not_before = now.saturating_add(wait);
                self.failures = self.failures.saturating_add(1);
                return Verdict::Keep;
            }
        };
        self.failures = 0;
        self.not_before = now;
        verdict
    }

    /// Milliseconds to wait before the batch goes again.
    fn wait(&mut self, after_seconds: Option<u32>) -> u64 {
        match after_seconds {
            // As long as asked, and up to a second more: all who were told the same come back at different times.
            Some(seconds) => {
                let asked = u64::from(seconds.min(RETRY_AFTER_SECONDS_MAX)).saturating_mul(1_000);
                asked.saturating_add(self.below(1_000))
            }
            None => {
                let ceiling = WAIT_MS_FIRST.checked_shl(self.failures.min(16)).unwrap_or(WAIT_MS_MAX);
                self.below(ceiling.min(WAIT_MS_MAX))
            }
        }
    }

    /// A number from 0 to `ceiling`.
    fn below(&mut self, ceiling: u64) -> u64 {
        // xorshift32 (Marsaglia 2003): the waits need to differ, not to be secret.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        u64::from(self.random).saturating_mul(ceiling.saturating_add(1)) >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RETRY: Outcome = Outcome::Retry { after_seconds: None };

    fn waits(seed: u32, count: usize) -> Vec<u64> {
        let mut delivery = Delivery::new(seed);
        let mut now = 0;
        std::iter::repeat_with(|| {
            delivery.done(RETRY, now);
            let Next::Wait(wait) = delivery.next(now) else { return 0 };
            now += wait;
            wait
        })
        .take(count)
        .collect()
    }

    #[test]
    fn the_ceiling_doubles_up_to_five_minutes() {
        for seed in 1..1_000 {
            for (failure, wait) in waits(seed, 20).into_iter().enumerate() {
                let ceiling = (WAIT_MS_FIRST << failure.min(16)).min(WAIT_MS_MAX);
                assert!(wait <= ceiling, "seed {seed}, failure {failure}: {wait}");
            }
        }
    }

    #[test]
    fn waits_fill_the_range_below_the_ceiling_evenly() {
        let mut quarters = [0_u32; 4];
        for seed in 1..=1_000_u32 {
            let wait = waits(seed.wrapping_mul(0x9E37_79B9), 3)[2];
            quarters[usize::try_from(wait * 4 / (4 * WAIT_MS_FIRST + 1)).unwrap()] += 1;
        }
        assert!(quarters.iter().all(|count| (200..300).contains(count)), "{quarters:?}");
    }

    #[test]
    fn the_collectors_wait_is_kept_and_bounded() {
        let mut delivery = Delivery::new(1);
        delivery.done(Outcome::Retry { after_seconds: Some(30) }, 5);
        assert!(matches!(delivery.next(5), Next::Wait(30_000..=31_000)));
        delivery.done(Outcome::Retry { after_seconds: Some(u32::MAX) }, 5);
        assert!(matches!(delivery.next(5), Next::Wait(3_600_000..=3_601_000)));
    }

    #[test]
    fn an_answer_ends_the_waiting() {
        for (outcome, verdict) in [
            (Outcome::Accepted, Verdict::Taken { refused: 0 }),
            (Outcome::PartlyRefused(3), Verdict::Taken { refused: 3 }),
            (Outcome::TooLarge, Verdict::Split),
            (Outcome::Refused, Verdict::Refused),
        ] {
            let mut delivery = Delivery::new(1);
            delivery.done(RETRY, 0);
            assert_eq!(delivery.done(outcome, 9), verdict);
            assert_eq!(delivery.next(9), Next::Send);
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_the_next_request_goes_within_an_hour_and_a_second(
            seed: u32,
            steps in prop::collection::vec((any::<Option<u32>>(), 0_u64..10_000_000), 0..50),
        ) {
            let mut delivery = Delivery::new(seed);
            let mut now = 0;
            for (after_seconds, later) in steps {
                now += later;
                delivery.done(Outcome::Retry { after_seconds }, now);
                match delivery.next(now) {
                    Next::Send => {}
                    Next::Wait(wait) => {
                        prop_assert!(wait <= 3_601_000);
                        prop_assert_eq!(delivery.next(now + wait), Next::Send);
                    }
                }
            }
        }
    }
}
