//! Whether a request has left, agreed upon by the worker that sends it and the program that ends: either nothing of its body leaves
//! any more, or the program waits a moment for the answer, since nobody else could know whether it arrived.
//!
//! ```text
//!           leave()                    close()
//!  Ground ──────────► Left ──land()──► Ground ──────► Closed: leave() says no
//! ```

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a program that ends waits for the answer of a collector that has answered before, from the moment that the request
/// left. Healthy ones answer in a fraction of it; where one has just died, that costs the program so much, once.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// The same for a collector of which nobody knows whether it answers: that much a black hole may cost, where a program ends
/// just after its first request left.
pub(crate) const GRACE_UNKNOWN: Duration = Duration::from_millis(100);

const GROUND: u8 = 0;
const LEFT: u8 = 1;
const CLOSED: u8 = 2;

/// The state of the one request that may be under way.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    state: AtomicU8,
    left: Mutex<Option<Instant>>,
    answers: AtomicBool,
    failing: AtomicBool,
}

impl Flight {
    /// The body is about to leave; says whether it may.
    pub(crate) fn leave(&self) -> bool {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        match self.state.compare_exchange(GROUND, LEFT, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => true,
            Err(state) => state == LEFT,
        }
    }

    /// An answer has come, or none will.
    pub(crate) fn answer(&self, is_answered: bool) {
        self.answers.store(is_answered, Ordering::SeqCst);
        self.failing.store(!is_answered, Ordering::SeqCst);
    }

    /// The request is over, and what became of it is remembered.
    pub(crate) fn land(&self) {
        let _ = self.state.compare_exchange(LEFT, GROUND, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Somebody knows that the collector answers.
    pub(crate) fn expect_answers(&self) {
        self.answers.store(true, Ordering::SeqCst);
    }

    /// Nothing leaves any more; gives how long to wait for the answer to what has left.
    pub(crate) fn close(&self) -> Option<Duration> {
        match self.state.compare_exchange(GROUND, CLOSED, Ordering::SeqCst, Ordering::SeqCst) {
            Err(LEFT) => Some(self.grace()),
            _ => None,
        }
    }

    /// Requests may leave again: the person said yes again.
    pub(crate) fn reopen(&self) {
        self.state.store(GROUND, Ordering::SeqCst);
    }

    /// Whether the body has left, and no answer has come.
    pub(crate) fn has_left(&self) -> bool {
        self.state.load(Ordering::SeqCst) == LEFT
    }

    /// How long an answer is waited for from now on.
    pub(crate) fn grace(&self) -> Duration {
        let most = if self.answers.load(Ordering::SeqCst) { GRACE } else { GRACE_UNKNOWN };
        let left = *self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.map_or(Duration::ZERO, |left| most.saturating_sub(left.elapsed()))
    }

    /// Whether requests get answers, as far as anybody knows.
    pub(crate) fn is_answering(&self) -> bool {
        self.answers.load(Ordering::SeqCst)
    }

    /// Whether the last request of this process got no answer: then the end waits for none.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_left_is_waited_for_and_what_has_not_never_leaves() {
        let flight = Flight::default();
        assert!(flight.leave() && flight.has_left());
        assert!(flight.close().is_some_and(|grace| grace <= GRACE_UNKNOWN));
        flight.answer(true);
        flight.land();
        assert_eq!(flight.close(), None);
        assert!(!flight.leave());
    }

    #[test]
    fn a_collector_that_answers_is_waited_for_longer() {
        let flight = Flight::default();
        flight.expect_answers();
        flight.leave();
        assert!(flight.grace() > GRACE_UNKNOWN);
        flight.answer(false);
        flight.land();
        flight.leave();
        assert!(flight.grace() <= GRACE_UNKNOWN);
    }
}
