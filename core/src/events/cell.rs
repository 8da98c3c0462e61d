//! Cells: counts in static memory, 4 bytes each; and shards, so that threads that count the same don't meet.

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

/// How many times over cells are there.
pub(crate) const SHARDS: usize = if cfg!(target_os = "none") { 1 } else { 16 };

/// Cells several times over, of which a thread adds to the one that its stack's place chooses. Those that no thread has added to
/// stay untouched memory.
///
/// Index `shard * T::COUNT + index` is the cell at `index` of a shard.
#[cfg(not(target_os = "none"))]
pub(crate) struct Shards<T> {
    /// One bit a shard: whether a thread has added to it.
    used: Line<AtomicU32>,
    shards: [Line<T>; SHARDS],
}

/// Alone in its cache lines, of which processors fetch pairs.
#[cfg(not(target_os = "none"))]
#[repr(align(128))]
struct Line<T>(T);

#[cfg(not(target_os = "none"))]
impl<T: Cells> Shards<T> {
    /// All of them 0.
    pub(crate) const fn new() -> Self {
        Self { used: Line(AtomicU32::new(0)), shards: [const { Line(T::ZERO) }; SHARDS] }
    }

    /// One more in the cell at `index`.
    #[inline]
    pub(crate) fn add(&self, index: usize) {
        let shard = shard_of_this_thread();
        let bit = 1_u32 << shard;
        if self.used.0.load(Ordering::Relaxed) & bit == 0 {
            self.used.0.fetch_or(bit, Ordering::Relaxed);
        }
        if let Some(cell) = self.shards.get(shard).and_then(|cells| cells.0.cell(index)) {
            cell.add();
        }
    }

    /// The cell at `index`, if a thread has added to its shard.
    pub(crate) fn cell(&self, index: usize) -> Option<&Cell> {
        let shard = index.checked_div(T::COUNT)?;
        let cells = self.shards.get(shard)?;
        if self.used.0.load(Ordering::Relaxed) & (1 << shard) == 0 {
            return None;
        }
        cells.0.cell(index.checked_rem(T::COUNT)?)
    }
}

/// Threads have their stacks one behind the other, of 2 MiB mostly, so neighbours get different shards. Whichever it is, the
/// count is right: without `std` there is no better way to tell threads apart.
#[cfg(not(target_os = "none"))]
#[inline]
fn shard_of_this_thread() -> usize {
    const STACK_LEN_LOG: u32 = 21;
    let here = 0_u8;
    (core::ptr::from_ref(&here).addr() >> STACK_LEN_LOG) % SHARDS
}

/// The cells once: a device has one core, and little memory.
#[cfg(target_os = "none")]
pub(crate) struct Shards<T>(T);

#[cfg(target_os = "none")]
impl<T: Cells> Shards<T> {
    /// All of them 0.
    pub(crate) const fn new() -> Self {
        Self(T::ZERO)
    }

    /// One more in the cell at `index`.
    #[inline]
    pub(crate) fn add(&self, index: usize) {
        if let Some(cell) = self.0.cell(index) {
            cell.add();
        }
    }

    /// The cell at `index`.
    pub(crate) fn cell(&self, index: usize) -> Option<&Cell> {
        self.0.cell(index)
    }
}
