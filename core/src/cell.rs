//! Cells: counts in static memory, 4 bytes each.

use core::sync::atomic::{AtomicU32, Ordering};

/// One count, 4 bytes.
#[derive(Debug, Default)]
pub struct Cell(AtomicU32);

#[cfg(target_has_atomic = "32")]
impl Cell {
    #[inline]
    pub(crate) fn add(&self) {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        if before == u32::MAX {
            self.stay_full();
        }
    }

    /// What was taken, back again.
    pub(crate) fn put_back(&self, count: u32) {
        if self.0.fetch_add(count, Ordering::Relaxed).checked_add(count).is_none() {
            self.stay_full();
        }
    }

    /// The count has wrapped: a reader in between would see too little, by no more than what threads add at once.
    #[cold]
    fn stay_full(&self) {
        self.0.store(u32::MAX, Ordering::Relaxed);
    }

    /// The count since the last call.
    pub(crate) fn take(&self) -> u32 {
        // A cell of 0 is read and not written: most of them are.
        if self.0.load(Ordering::Relaxed) == 0 { 0 } else { self.0.swap(0, Ordering::Relaxed) }
    }
}

/// Without compare-and-swap (thumbv6m): a critical section.
#[cfg(not(target_has_atomic = "32"))]
impl Cell {
    #[inline]
    pub(crate) fn add(&self) {
        self.put_back(1);
    }

    /// What was taken, back again.
    pub(crate) fn put_back(&self, count: u32) {
        critical_section::with(|_| {
            let sum = self.0.load(Ordering::Relaxed).saturating_add(count);
            self.0.store(sum, Ordering::Relaxed);
        });
    }

    /// The count since the last call.
    pub(crate) fn take(&self) -> u32 {
        critical_section::with(|_| {
            let count = self.0.load(Ordering::Relaxed);
            self.0.store(0, Ordering::Relaxed);
            count
        })
    }
}

/// Cells side by side, as many as are known when the program is compiled: a [`Cell`], or an array of `Cells`.
pub trait Cells: Sync + 'static {
    /// All of them 0.
    const ZERO: Self;

    /// How many.
    const COUNT: usize;

    /// The cell at `index`.
    fn cell(&self, index: usize) -> Option<&Cell>;
}

impl Cells for Cell {
    const ZERO: Self = Self(AtomicU32::new(0));
    const COUNT: usize = 1;

    #[inline]
    fn cell(&self, index: usize) -> Option<&Cell> {
        (index == 0).then_some(self)
    }
}

impl<T: Cells, const N: usize> Cells for [T; N] {
    const ZERO: Self = [const { T::ZERO }; N];
    const COUNT: usize = N.saturating_mul(T::COUNT);

    #[inline]
    fn cell(&self, index: usize) -> Option<&Cell> {
        self.get(index.checked_div(T::COUNT)?)?.cell(index.checked_rem(T::COUNT)?)
    }
}
