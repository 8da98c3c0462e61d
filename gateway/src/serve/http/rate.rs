//! How many requests a second there may be.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many requests came in this second: which second it is, and how many, in one number.
pub(super) struct Rate {
    most: u32,
    second: AtomicU64,
}

impl Rate {
    pub(super) const fn new(most: u32) -> Self {
        Self { most, second: AtomicU64::new(0) }
    }

    /// Whether one more may come.
    pub(super) fn admits(&self, second: u64) -> bool {
        let next =
            |before: u64| if before >> 32 == second & 0xFFFF_FFFF { before + 1 } else { (second << 32) | 1 };
        let update =
            self.second.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| Some(next(before)));
        next(update.unwrap_or(0)) & 0xFFFF_FFFF <= u64::from(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_second_and_the_next_second_as_many_again() {
        let rate = Rate::new(3);
        for second in [0, 1_795_000_000, 1_795_000_001, u64::MAX] {
            let admitted = (0..10).filter(|_| rate.admits(second)).count();
            assert_eq!(admitted, 3, "{second}");
        }
    }
}
