//! A ring of encoded records in fixed memory.
//!
//! ```text
//!   commit ──►│ oldest ... a batch in flight ... newest │◄── push     full: the newest is dropped and counted
//! ```
//!
//! Only [`Ring::commit`] removes. So a [`Batch`] that is being sent stays as it is, whatever is recorded
//! meanwhile: its `Content-Length` may have left already. What finds no room is counted, and the count becomes a
//! record of its own ([`crate::events::loss`]) in its place among the others, as soon as there is room.

use crate::events::loss::{DROPPED_COUNT_MAX, Reason};
use crate::events::time::Coarse;
use crate::records::record::{Cursor, RECORD_LEN_MAX, Record, VARINTS};

/// Room kept for the record of a loss: index 1 byte, time 5, reason and count 4.
const LOSS_LEN_MAX: usize = 10;

/// The ring is full: the record was dropped, and the drop was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl core::fmt::Display for Full {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the queue is full: the record was dropped and counted")
    }
}

impl core::error::Error for Full {}

/// A run of records, oldest first. It holds no lock: dropping it releases it, [`Ring::commit`] removes its
/// records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    first: Cursor,
    count: u32,
}

impl Batch {
    /// Where its first record stands.
    #[must_use]
    pub const fn first(&self) -> Cursor {
        self.first
    }

    /// Returns the number of records, at least 1.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Sequence number of its last record: what to commit.
    #[must_use]
    pub const fn last(&self) -> u32 {
        self.first.sequence.wrapping_add(self.count.wrapping_sub(1))
    }

    /// Returns whether a record with this sequence number is part of it.
    #[must_use]
    pub const fn contains(&self, sequence: u32) -> bool {
        sequence.wrapping_sub(self.first.sequence) < self.count
    }
}

/// Records in `N` bytes, oldest first. `N` is 64 at least; a record takes 6 to 8 bytes mostly.
///
/// ```
/// use automagik_telemetry_core::{Record, loss::Reason, ring::Ring, time::Coarse};
/// let mut ring = Ring::<64>::new();
/// let record = Record::dropped(Reason::Refused, 1, Coarse::from_steps(1));
/// ring.push(&record)?;
/// let batch = ring.batch(100).unwrap();
/// assert_eq!(ring.next(&mut batch.first()), Some(record));
/// ring.commit(batch.last());
/// assert!(ring.batch(100).is_none());
/// # Ok::<(), automagik_telemetry_core::ring::Full>(())
/// ```
#[derive(Debug)]
pub struct Ring<const N: usize> {
    bytes: [u8; N],
    /// Offset of the oldest record.
    start: usize,
    used: usize,
    /// Sequence number of the oldest record.
    first: u32,
    count: u32,
    lost: u32,
    lost_at: Coarse,
}

impl<const N: usize> Ring<N> {
    /// Creates an empty ring.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N >= 64, "a ring of fewer than 64 bytes holds too little: give it more") }
        const { assert!(N <= 1 << 30, "a ring is at most 1 GiB") }
        Self { bytes: [0; N], start: 0, used: 0, first: 0, count: 0, lost: 0, lost_at: Coarse::from_steps(0) }
    }

    /// Adds `record`, of an event, as the newest. For a record that stands for more than one event, use [`offer`](Ring::offer).
    ///
    /// # Errors
    ///
    /// [`Full`] if there is no room: the event is dropped and counted.
    #[inline]
    pub fn push(&mut self, record: &Record) -> Result<(), Full> {
        let offered = self.offer(record);
        if offered.is_err() {
            self.count_lost(1, record.time());
        }
        offered
    }

    /// Like [`push`](Ring::push), for a record that the caller keeps if there is no room: then nothing is dropped or counted.
    ///
    /// # Errors
    ///
    /// [`Full`] if there is no room.
    pub fn offer(&mut self, record: &Record) -> Result<(), Full> {
        // Room stays for the record of the next loss. What was lost before is told first, once there is room behind it.
        const { assert!(N >= 2 * LOSS_LEN_MAX + RECORD_LEN_MAX, "a ring holds a record between two losses") }
        self.settle(N.wrapping_sub(LOSS_LEN_MAX + RECORD_LEN_MAX))?;
        self.append(record, N.wrapping_sub(LOSS_LEN_MAX))
    }

    /// Counts `lost` events that never reached this ring; they are reported as [`Reason::QueueFull`].
    pub fn count_lost(&mut self, lost: u32, time: Coarse) {
        self.lost = self.lost.saturating_add(lost);
        self.lost_at = time;
    }

    /// Returns the oldest records, `most` at most, or `None` if there are none.
    pub fn batch(&mut self, most: u32) -> Option<Batch> {
        // The room that was kept for it.
        let _ = self.settle(N);
        let count = self.count.min(most);
        let first = Cursor { sequence: self.first, offset: u32::try_from(self.start).ok()? };
        (count > 0).then_some(Batch { first, count })
    }

    /// Returns the record at `at`, which moves on to the next one; `None` if it was committed, or is not there yet.
    #[must_use]
    pub fn next(&self, at: &mut Cursor) -> Option<Record> {
        if at.sequence.wrapping_sub(self.first) >= self.count {
            return None;
        }
        let mut offset = usize::try_from(at.offset).ok()?;
        let record = Record::take(&mut core::iter::from_fn(|| {
            let byte = self.bytes.get(offset).copied();
            offset = Self::advance(offset, 1);
            byte
        }));
        *at = Cursor { sequence: at.sequence.wrapping_add(1), offset: u32::try_from(offset).ok()? };
        Some(record)
    }

    /// Removes the records up to and including sequence number `last`. Committing again is harmless.
    pub fn commit(&mut self, last: u32) {
        let done = last.wrapping_sub(self.first).wrapping_add(1);
        if done > self.count {
            return;
        }
        self.first = self.first.wrapping_add(done);
        self.count = self.count.wrapping_sub(done);
        let mut varints = done.wrapping_mul(VARINTS);
        while varints > 0 && self.used > 0 {
            varints = varints.wrapping_sub(u32::from(self.bytes.get(self.start).is_some_and(u8::is_ascii)));
            self.start = Self::advance(self.start, 1);
            self.used = self.used.wrapping_sub(1);
        }
    }

    /// Removes everything, and forgets what was lost.
    pub fn clear(&mut self) {
        self.first = self.first.wrapping_add(self.count);
        (self.start, self.used, self.count, self.lost) = (0, 0, 0, 0);
    }

    /// Returns the number of records.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Returns whether there is nothing to send: no record, and no loss to tell.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0 && self.lost == 0
    }

    /// Makes a record of what was lost, as much as one can tell, where no more than `limit` bytes are in use afterwards.
    fn settle(&mut self, limit: usize) -> Result<(), Full> {
        if self.lost > 0 {
            let told = self.lost.min(DROPPED_COUNT_MAX);
            self.append(&Record::dropped(Reason::QueueFull, told, self.lost_at), limit)?;
            self.lost = self.lost.wrapping_sub(told);
        }
        Ok(())
    }

    /// Appends `record`, where no more than `limit` bytes, `N` at most, are in use afterwards.
    fn append(&mut self, record: &Record, limit: usize) -> Result<(), Full> {
        let before = self.used;
        record.write(&mut |byte| {
            let end = Self::advance(self.start, self.used);
            if self.used < limit {
                if let Some(slot) = self.bytes.get_mut(end) {
                    *slot = byte;
                }
            }
            self.used = self.used.wrapping_add(1);
        });
        if self.used > limit {
            self.used = before;
            return Err(Full);
        }
        self.count = self.count.wrapping_add(1);
        Ok(())
    }

    const fn advance(offset: usize, len: usize) -> usize {
        let end = offset.wrapping_add(len);
        if end >= N { end.wrapping_sub(N) } else { end }
    }
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Testing, event, schema};
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn at(time: u32) -> Coarse {
        Coarse::from_steps(time)
    }

    fn contents<const N: usize>(ring: &Ring<N>, batch: Batch) -> Vec<Record> {
        let mut cursor = batch.first();
        std::iter::from_fn(|| if batch.contains(cursor.sequence) { ring.next(&mut cursor) } else { None })
            .collect()
    }

    #[test]
    fn what_is_offered_in_vain_is_not_counted_as_lost() {
        let mut ring = Ring::<64>::new();
        let record = Record::dropped(Reason::Refused, 1, Coarse::from_steps(1));
        while ring.offer(&record).is_ok() {}
        let before = ring.len();
        ring.offer(&record).unwrap_err();
        assert_eq!(ring.batch(u32::MAX).unwrap().count(), before);
    }

    #[test]
    fn a_full_ring_drops_the_newest_and_tells_how_many() {
        let mut ring = Ring::<64>::new();
        let record = Record::dropped(Reason::Refused, 1, at(1));
        while ring.push(&record).is_ok() {}
        assert_eq!(ring.push(&record), Err(Full));
        let batch = ring.batch(u32::MAX).unwrap();
        let records = contents(&ring, batch);
        assert_eq!(*records.last().unwrap(), Record::dropped(Reason::QueueFull, 2, at(1)));
        assert_eq!(records.len(), batch.count() as usize);
    }

    #[test]
    fn more_losses_than_one_record_can_tell_take_several() {
        let mut ring = Ring::<64>::new();
        ring.count_lost(2_500_000, at(1));
        let mut told = Vec::new();
        while let Some(batch) = ring.batch(1) {
            told.extend(contents(&ring, batch).iter().map(Record::stands_for));
            ring.commit(batch.last());
        }
        assert_eq!(told, [DROPPED_COUNT_MAX, DROPPED_COUNT_MAX, 2_500_000 - 2 * DROPPED_COUNT_MAX]);
        assert!(ring.is_empty());
    }

    #[test]
    fn losses_wait_for_room_like_everything() {
        let mut ring = Ring::<64>::new();
        let record = Record::dropped(Reason::Refused, 1, at(1));
        // Each round loses one more and asks for it to be told, until there is no room even for that.
        for _ in 0..40 {
            let _ = ring.push(&record);
            ring.batch(u32::MAX).unwrap();
        }
        let mut told = 0;
        while let Some(batch) = ring.batch(u32::MAX) {
            told += contents(&ring, batch).iter().map(|told| told.loss().unwrap().1).sum::<u32>();
            ring.commit(batch.last());
        }
        assert_eq!(told, 40);
    }

    #[test]
    fn committing_twice_removes_once() {
        let mut ring = Ring::<64>::new();
        let record = |time| Record::dropped(Reason::Refused, 1, at(time));
        for time in 0..3 {
            ring.push(&record(time)).unwrap();
        }
        let batch = ring.batch(2).unwrap();
        ring.commit(batch.last());
        ring.commit(batch.last());
        let rest = ring.batch(9).unwrap();
        assert_eq!(contents(&ring, rest), [record(2)]);
    }

    #[test]
    fn a_committed_batch_reads_as_nothing() {
        let mut ring = Ring::<64>::new();
        ring.push(&Record::dropped(Reason::Refused, 1, at(1))).unwrap();
        let batch = ring.batch(9).unwrap();
        ring.commit(batch.last());
        assert_eq!(ring.next(&mut batch.first()), None);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(Testing),
        Commit(u32),
        Again,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => event().prop_map(Step::Push),
            2 => (0_u32..9).prop_map(Step::Commit),
            1 => Just(Step::Again),
        ]
    }

    proptest! {
        /// The model: a queue without bounds, which the ring may cut short only by a counted loss.
        #[test]
        fn the_ring_is_a_queue_that_counts_what_it_drops(steps in prop::collection::vec(step(), 0..300)) {
            let mut ring = Ring::<96>::new();
            let mut model = VecDeque::new();
            let (mut pushed, mut told, mut committed, mut last) = (0_u32, 0_u32, 0_u32, None);
            for (time, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push(event) => {
                        let record = Record::new(&event, at(u32::try_from(time).unwrap())).unwrap();
                        pushed += 1;
                        if ring.push(&record).is_ok() {
                            model.push_back(record);
                        }
                    }
                    Step::Commit(most) => {
                        let Some(batch) = ring.batch(most) else { continue };
                        for record in contents(&ring, batch) {
                            prop_assert!(record.check(schema()).is_ok());
                            if record.event() == 0 {
                                told += record.loss().unwrap().1;
                            } else {
                                prop_assert_eq!(model.pop_front(), Some(record));
                                committed += 1;
                            }
                        }
                        ring.commit(batch.last());
                        last = Some(batch.last());
                    }
                    Step::Again => if let Some(last) = last {
                        ring.commit(last);
                    },
                }
            }
            let waiting = u32::try_from(model.len()).unwrap();
            while let Some(batch) = ring.batch(1) {
                let record = contents(&ring, batch)[0];
                if record.event() == 0 {
                    told += record.loss().unwrap().1;
                } else {
                    prop_assert_eq!(model.pop_front(), Some(record));
                }
                ring.commit(batch.last());
            }
            prop_assert!(ring.is_empty() && model.is_empty());
            prop_assert_eq!(committed + waiting + told, pushed);
        }

        #[test]
        fn what_is_pushed_later_never_changes_a_batch(
            before in prop::collection::vec(event(), 1..20),
            after in prop::collection::vec(event(), 0..40),
        ) {
            let mut ring = Ring::<128>::new();
            for event in before {
                let _ = ring.push(&Record::new(&event, at(1)).unwrap());
            }
            let batch = ring.batch(u32::MAX).unwrap();
            let pinned = contents(&ring, batch);
            for event in after {
                let _ = ring.push(&Record::new(&event, at(2)).unwrap());
                prop_assert_eq!(&contents(&ring, batch), &pinned);
            }
        }
    }
}
