//! A ring in a `static`, safe to use from threads, tasks and interrupts.

use crate::records::record::{Cursor, Record, Records};
use crate::records::ring::{Batch, Full, Ring};
use core::cell::RefCell;
use critical_section::Mutex;

/// A [`Ring`] that anyone may push to, from a task or from an interrupt.
///
/// A push writes some 7 bytes inside a critical section. The target supplies the critical
/// section (crate `critical-section`): interrupts off on a single core, a spin lock on several.
///
/// ```
/// use automagik_telemetry_core::{Queue, Record, loss::Reason, time::Coarse};
/// # use critical_section as _;
/// static QUEUE: Queue<256> = Queue::new();
/// QUEUE.push(&Record::dropped(Reason::Refused, 1, Coarse::from_steps(1)))?;
/// # Ok::<(), automagik_telemetry_core::ring::Full>(())
/// ```
#[derive(Debug)]
pub struct Queue<const N: usize>(Mutex<RefCell<Ring<N>>>);

impl<const N: usize> Queue<N> {
    /// Creates an empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(RefCell::new(Ring::new())))
    }

    /// Adds `record`, of an event, as the newest. For a record that stands for more than one event (losses, a metric's count), use
    /// [`offer`](Queue::offer).
    ///
    /// # Errors
    ///
    /// [`Full`] if there is no room: the event is dropped and counted.
    pub fn push(&self, record: &Record) -> Result<(), Full> {
        self.with(|ring| ring.push(record)).unwrap_or(Err(Full))
    }

    /// Like [`push`](Queue::push), for a record that the caller keeps if there is no room, as
    /// [`drain`](crate::counts::aggregate::drain) does: then nothing is dropped or counted.
    ///
    /// # Errors
    ///
    /// [`Full`] if there is no room.
    pub fn offer(&self, record: &Record) -> Result<(), Full> {
        self.with(|ring| ring.offer(record)).unwrap_or(Err(Full))
    }

    /// Returns the oldest records, `most` at most, pinned until they are committed; `None` if there are none.
    pub fn batch(&self, most: u32) -> Option<PinnedBatch<'_, N>> {
        let batch = self.with(|ring| ring.batch(most)).flatten()?;
        Some(PinnedBatch { queue: self, batch })
    }

    /// Returns the number of records.
    pub fn len(&self) -> u32 {
        self.with(|ring| ring.len()).unwrap_or(0)
    }

    /// Returns whether there is nothing to send: no record, and no loss to tell.
    pub fn is_empty(&self) -> bool {
        self.with(|ring| ring.is_empty()).unwrap_or(true)
    }

    /// Removes everything: what a withdrawn consent asks for.
    pub fn clear(&self) {
        self.with(Ring::clear);
    }

    /// The ring is never borrowed twice, since nothing below calls back; `None` if it were.
    fn with<R>(&self, f: impl FnOnce(&mut Ring<N>) -> R) -> Option<R> {
        critical_section::with(|cs| self.0.borrow(cs).try_borrow_mut().ok().map(|mut ring| f(&mut ring)))
    }
}

impl<const N: usize> Default for Queue<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Records of a [`Queue`] that stay as they are until [`commit`](PinnedBatch::commit). Dropping it leaves them
/// in the queue.
#[derive(Clone, Copy, Debug)]
pub struct PinnedBatch<'a, const N: usize> {
    queue: &'a Queue<N>,
    batch: Batch,
}

impl<const N: usize> PinnedBatch<'_, N> {
    /// Returns the number of records, at least 1.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.batch.count()
    }

    /// Removes these records from the queue.
    pub fn commit(self) {
        self.queue.with(|ring| ring.commit(self.batch.last()));
    }
}

impl<const N: usize> Records for PinnedBatch<'_, N> {
    fn first(&self) -> Cursor {
        self.batch.first()
    }

    fn next(&self, at: &mut Cursor) -> Option<Record> {
        if !self.batch.contains(at.sequence) {
            return None;
        }
        self.queue.with(|ring| ring.next(at)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::loss::Reason;
    use crate::events::time::Coarse;

    #[test]
    fn threads_push_to_a_static_and_nothing_is_lost_uncounted() {
        static QUEUE: Queue<1024> = Queue::new();
        let record = Record::dropped(Reason::Refused, 1, Coarse::from_steps(1));
        let taken: usize = std::thread::scope(|scope| {
            let pushers: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| (0..1000).filter(|_| QUEUE.push(&record).is_ok()).count()))
                .collect();
            pushers.into_iter().map(|pusher| pusher.join().unwrap()).sum()
        });
        let batch = QUEUE.batch(u32::MAX).unwrap();
        assert_eq!(batch.count() as usize, taken + 1); // and the record of the loss
        batch.commit();
        assert!(QUEUE.is_empty());
    }
}
