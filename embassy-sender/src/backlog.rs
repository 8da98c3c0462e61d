//! Store and forward: records that a collector did not take, in flash, until one does.
//!
//! | of a frame | size | what |
//! |---|---|---|
//! | 0 | 8 | fingerprint of the schema, little-endian |
//! | 8 | 4 | how many records it stands for, little-endian |
//! | 12 | | records in postcard, all of one signal |
//!
//! sequential-storage keeps frames in order with a checksum each, levels the wear over the pages, and finds its way after a
//! power cut at any write. Flash is written only while the collector is away.

use automagik_telemetry_core::Record;
use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::record::{Cursor, Records};
use automagik_telemetry_core::schema::SchemaDescriptor;
use automagik_telemetry_core::time::Coarse;
use core::ops::Range;
use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use sequential_storage::Error;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::queue::{QueueConfig, QueueConfigError, QueueStorage};

/// Most bytes of a frame, some 30 records: it fits the smallest pages there are, of 256 bytes.
pub const FRAME_LEN_MAX: usize = 208;

/// Longest that records are kept, in seconds of the device's clock: 30 days.
pub const BACKLOG_SECONDS_MAX: u64 = 30 * 24 * 3_600;

const HEAD_LEN: usize = 12;

/// A frame is written once and read once: nothing to remember between.
pub(crate) type NoCache = Cache<Uncached, Uncached, Uncached, ()>;

/// Where records go that could not be sent.
pub(crate) trait Keep {
    /// Some of them, all of one signal.
    type Frame: Records;

    /// Keeps `records`, all of one signal, and says whether they are safe now.
    async fn keep(&mut self, schema: &SchemaDescriptor, records: &dyn Records) -> bool;

    /// The oldest that are kept: in hand until the next call or [`over`](Keep::over).
    async fn oldest(&mut self, schema: &'static SchemaDescriptor, now: Coarse) -> Option<Self::Frame>;

    /// Those in hand were delivered, or never will be.
    async fn over(&mut self);

    /// Deletes all; says whether that is done.
    async fn clear(&mut self) -> bool;

    /// What was lost and not told yet.
    fn losses(&mut self) -> &mut Losses;
}

/// Records in flash, between power cuts. For [`Telemetry::run_with`](crate::Telemetry::run_with).
///
/// It is bounded by its range of flash: where that is full the oldest records go first and are counted (`store_full`), as are
/// those of another firmware's schema (`corrupt`) and those older than 30 days (`expired`). What was sent when the power failed,
/// and was not marked as sent yet, is sent again: one frame at most.
///
/// The flash must let a word be cleared after it was written ([`MultiwriteNorFlash`]): that marks a frame as sent without
/// erasing a page.
///
/// ```
/// use automagik_telemetry_embassy::Backlog;
/// use embedded_storage_async::nor_flash::MultiwriteNorFlash;
///
/// async fn open<F: MultiwriteNorFlash>(flash: F, is_on: bool) -> Option<Backlog<F>> {
///     let mut backlog = Backlog::new(flash, 0x3C000..0x3F000).ok()?;
///     if !is_on {
///         // A no that was said just before the power failed.
///         backlog.erase().await.ok()?;
///     }
///     Some(backlog)
/// }
/// ```
pub struct Backlog<F: MultiwriteNorFlash> {
    queue: QueueStorage<F, NoCache>,
    losses: Losses,
    /// Nothing is in flash, for sure.
    is_empty: bool,
    /// The oldest frame in flash is being sent.
    in_hand: bool,
}

impl<F: MultiwriteNorFlash> Backlog<F> {
    /// What is kept in `range` of `flash`, in bytes: whole pages, two at least, of 256 bytes or more.
    ///
    /// # Errors
    ///
    /// Where `range` is none of `flash`'s.
    pub fn new(flash: F, range: Range<u32>) -> Result<Self, QueueConfigError> {
        let cache = Cache::new(Uncached, Uncached, Uncached);
        Ok(Self {
            queue: QueueStorage::new(flash, QueueConfig::try_new(range)?, cache),
            losses: Losses::new(),
            is_empty: false,
            in_hand: false,
        })
    }

    /// Deletes all that is kept: the person has said no, at a time when [`Telemetry::run_with`](crate::Telemetry::run_with)
    /// did not run.
    ///
    /// # Errors
    ///
    /// Where the flash fails.
    pub async fn erase(&mut self) -> Result<(), Error<F::Error>> {
        self.queue.erase_all().await?;
        (self.is_empty, self.in_hand) = (true, false);
        Ok(())
    }

    /// Puts a frame in flash; the oldest make room.
    async fn push(&mut self, frame: &[u8]) -> Result<(), Error<F::Error>> {
        loop {
            match self.queue.push(frame, false).await {
                Err(Error::FullStorage) => {}
                other => return other,
            }
            let mut buffer = [0; FRAME_LEN_MAX];
            let Some(oldest) = self.queue.pop(&mut buffer).await? else { return Err(Error::FullStorage) };
            // The frame in hand is in memory as well: it is not lost yet.
            if !core::mem::take(&mut self.in_hand) {
                lose(&mut self.losses, oldest, Reason::StoreFull);
            }
        }
    }

    /// Whether the frame that is being sent is in flash as well.
    #[cfg(test)]
    pub(crate) fn is_in_hand(&self) -> bool {
        self.in_hand
    }

    async fn peek(&mut self) -> Option<heapless::Vec<u8, FRAME_LEN_MAX>> {
        let mut buffer = [0; FRAME_LEN_MAX];
        match self.queue.peek(&mut buffer).await {
            Ok(Some(bytes)) => return heapless::Vec::from_slice(bytes).ok(),
            Ok(None) => self.is_empty = true,
            Err(Error::Corrupted { .. }) => {
                // It could not be repaired; how many records it held, nobody knows.
                self.losses.add(Reason::Corrupt, 1);
                self.is_empty = self.queue.erase_all().await.is_ok();
            }
            // Flash that fails now may not fail later.
            Err(_) => {}
        }
        None
    }
}

impl<F: MultiwriteNorFlash> Keep for Backlog<F> {
    type Frame = Frame;

    async fn keep(&mut self, schema: &SchemaDescriptor, records: &dyn Records) -> bool {
        let mut at = records.first();
        while let Some(frame) = next_frame(schema, records, &mut at) {
            if self.push(&frame).await.is_err() {
                // What was kept before of these is kept twice: better than not at all.
                return false;
            }
            self.is_empty = false;
        }
        true
    }

    async fn oldest(&mut self, schema: &'static SchemaDescriptor, now: Coarse) -> Option<Frame> {
        self.in_hand = false;
        while !self.is_empty {
            let frame = Frame { bytes: self.peek().await?, schema };
            match frame.fault(now) {
                None => {
                    self.in_hand = true;
                    return Some(frame);
                }
                Some(reason) => {
                    self.queue.pop(&mut [0; FRAME_LEN_MAX]).await.ok()?;
                    lose(&mut self.losses, &frame.bytes, reason);
                }
            }
        }
        None
    }

    async fn over(&mut self) {
        if core::mem::take(&mut self.in_hand) {
            // Where it can't be marked it is sent again.
            let _ = self.queue.pop(&mut [0; FRAME_LEN_MAX]).await;
        }
    }

    async fn clear(&mut self) -> bool {
        self.erase().await.is_ok()
    }

    fn losses(&mut self) -> &mut Losses {
        &mut self.losses
    }
}

impl<F: MultiwriteNorFlash> core::fmt::Debug for Backlog<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Backlog").field("is_empty", &self.is_empty).finish_non_exhaustive()
    }
}

/// Records of one frame, in memory.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    bytes: heapless::Vec<u8, FRAME_LEN_MAX>,
    schema: &'static SchemaDescriptor,
}

impl Frame {
    /// Why it can't be sent, where it can't.
    fn fault(&self, now: Coarse) -> Option<Reason> {
        if self.bytes.first_chunk() != Some(&self.schema.fingerprint().to_le_bytes()) {
            return Some(Reason::Corrupt);
        }
        let Some(first) = self.next(&mut self.first()) else { return Some(Reason::Corrupt) };
        let nanos = |time: Coarse| time.unix_nanos(self.schema.resolution());
        let age = nanos(now).saturating_sub(nanos(first.time()));
        (age > BACKLOG_SECONDS_MAX.saturating_mul(1_000_000_000)).then_some(Reason::Expired)
    }
}

impl Records for Frame {
    fn first(&self) -> Cursor {
        Cursor { sequence: 0, offset: HEAD_LEN as u32 }
    }

    fn next(&self, at: &mut Cursor) -> Option<Record> {
        let bytes = self.bytes.get(usize::try_from(at.offset).ok()?..)?;
        let (record, rest) = Record::decode(self.schema, bytes).ok()?;
        at.offset = u32::try_from(self.bytes.len().checked_sub(rest.len())?).ok()?;
        Some(record)
    }
}

/// The frame of the records from `at` on, as many as fit; `None` behind the last.
fn next_frame(
    schema: &SchemaDescriptor,
    records: &dyn Records,
    at: &mut Cursor,
) -> Option<heapless::Vec<u8, FRAME_LEN_MAX>> {
    let mut frame = heapless::Vec::new();
    frame.extend_from_slice(&schema.fingerprint().to_le_bytes()).ok()?;
    frame.extend_from_slice(&[0; 4]).ok()?;
    let mut count = 0_u32;
    let mut next = *at;
    while let Some(record) = records.next(&mut next) {
        if frame.extend_from_slice(record.encode().as_slice()).is_err() {
            break;
        }
        count = count.saturating_add(record.stands_for());
        *at = next;
    }
    frame.get_mut(8..HEAD_LEN)?.copy_from_slice(&count.to_le_bytes());
    (frame.len() > HEAD_LEN).then_some(frame)
}

/// Counts all that a frame stands for as lost for `reason`: each record that can be read by its own, whatever schema it is of, and
/// the rest by the frame's head.
fn lose(losses: &mut Losses, frame: &[u8], reason: Reason) {
    let Some((head, mut bytes)) = frame.split_first_chunk::<HEAD_LEN>() else { return losses.add(reason, 1) };
    let mut rest = head.last_chunk().map_or(1, |count| u32::from_le_bytes(*count));
    while let Ok((record, behind)) = Record::read(bytes) {
        let (reason, count) = record.lost_for(reason);
        losses.add(reason, count);
        rest = rest.saturating_sub(count);
        bytes = behind;
    }
    losses.add(reason, rest);
}

/// Nothing is kept: records wait in memory.
#[derive(Debug, Default)]
pub(crate) struct Nowhere(Losses);

impl Keep for Nowhere {
    type Frame = &'static [Record];

    async fn keep(&mut self, _: &SchemaDescriptor, _: &dyn Records) -> bool {
        false
    }

    async fn oldest(&mut self, _: &'static SchemaDescriptor, _: Coarse) -> Option<Self::Frame> {
        None
    }

    async fn over(&mut self) {}

    async fn clear(&mut self) -> bool {
        true
    }

    fn losses(&mut self) -> &mut Losses {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Flash, PAGE, RANGE};
    use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
    use automagik_telemetry_core::schema::{Checked, Schema};
    use embassy_futures::block_on;
    use std::vec::Vec;

    struct One;
    struct Two;

    impl Schema for One {
        const ORGANIZATION: &'static str = "automagik";
        const PROJECT: &'static str = "one";
        const VERSION: &'static str = "1.0.0";
        const EVENTS: &'static [EventDescriptor] = &[];
        fn position(&self) -> (u16, Ordinals) {
            (0, Ordinals::new([]))
        }
    }

    impl Schema for Two {
        const ORGANIZATION: &'static str = "automagik";
        const PROJECT: &'static str = "two";
        const VERSION: &'static str = "1.0.0";
        const EVENTS: &'static [EventDescriptor] = &[];
        fn position(&self) -> (u16, Ordinals) {
            (0, Ordinals::new([]))
        }
    }

    const ONE: &SchemaDescriptor = Checked::<One>::DESCRIPTOR;
    const NOW: Coarse = Coarse::from_steps(29_000_000);

    /// Records that can be told apart: each tells of `number` losses, and so stands for them.
    fn records(numbers: Range<u32>) -> Vec<Record> {
        numbers.map(|number| Record::dropped(Reason::Refused, number, NOW)).collect()
    }

    fn open(flash: &mut Flash) -> Backlog<&mut Flash> {
        Backlog::new(flash, RANGE).unwrap()
    }

    fn keep(flash: &mut Flash, numbers: Range<u32>) -> bool {
        block_on(open(flash).keep(ONE, &records(numbers).as_slice()))
    }

    fn numbers(frame: &Frame) -> Vec<u32> {
        let (mut at, mut numbers) = (frame.first(), Vec::new());
        while let Some(record) = frame.next(&mut at) {
            numbers.push(record.loss().unwrap().1);
        }
        numbers
    }

    /// Takes all there is, and marks it as sent.
    fn drain<F: MultiwriteNorFlash>(backlog: &mut Backlog<F>) -> Vec<u32> {
        let mut all = Vec::new();
        while let Some(frame) = block_on(backlog.oldest(ONE, NOW)) {
            all.extend(numbers(&frame));
            block_on(backlog.over());
        }
        all
    }

    fn lost<F: MultiwriteNorFlash>(backlog: &mut Backlog<F>) -> Vec<(Reason, u32)> {
        backlog.losses.take().collect()
    }

    #[test]
    fn what_was_kept_comes_back_in_order_after_a_reset() {
        let mut flash = Flash::new();
        assert!(keep(&mut flash, 1..50));
        assert!(keep(&mut flash, 50..60));
        assert_eq!(drain(&mut open(&mut flash)), (1..60).collect::<Vec<_>>());
        assert_eq!(drain(&mut open(&mut flash)), []);
    }

    #[test]
    fn where_flash_is_full_the_oldest_go_first_and_are_counted() {
        let mut flash = Flash::new();
        let mut backlog = open(&mut flash);
        for number in 1..=500 {
            assert!(block_on(backlog.keep(ONE, &records(number..number + 1).as_slice())));
        }
        let kept = drain(&mut backlog);
        let first = kept[0];
        assert!(first > 1 && kept.len() > 20, "{} are kept", kept.len());
        assert_eq!(kept, (first..=500).collect::<Vec<_>>());
        // Each tells of losses, and keeps its reason.
        assert_eq!(lost(&mut backlog), [(Reason::Refused, (1..first).sum())]);
    }

    #[test]
    fn a_frame_in_hand_that_has_to_make_room_is_not_lost_and_no_other_goes_for_it() {
        let mut flash = Flash::new();
        let mut backlog = open(&mut flash);
        assert!(block_on(backlog.keep(ONE, &records(1..20).as_slice())));
        let in_hand = block_on(backlog.oldest(ONE, NOW)).unwrap();
        for number in 20..=500 {
            assert!(block_on(backlog.keep(ONE, &records(number..number + 1).as_slice())));
        }
        block_on(backlog.over());
        let (sent, kept) = (numbers(&in_hand), drain(&mut backlog));
        let told: u32 = lost(&mut backlog).iter().map(|(_, count)| count).sum();
        assert_eq!(sent.iter().chain(&kept).sum::<u32>() + told, (1..=500).sum());
    }

    #[test]
    fn power_that_fails_at_any_write_costs_nothing_that_was_kept() {
        for writes in 0..400 {
            let mut flash = Flash::new();
            assert!(keep(&mut flash, 1..40));
            flash.left = writes;
            // Sends two frames, and keeps more than one.
            let mut backlog = open(&mut flash);
            let mut sent = Vec::new();
            for _ in 0..2 {
                sent.extend(block_on(backlog.oldest(ONE, NOW)).iter().flat_map(numbers));
                block_on(backlog.over());
            }
            let is_safe = block_on(backlog.keep(ONE, &records(40..80).as_slice()));
            flash.left = usize::MAX;
            let mut backlog = open(&mut flash);
            let rest = drain(&mut backlog);
            let all = if is_safe { 80 } else { 40 };
            for number in 1..all {
                assert!(sent.contains(&number) || rest.contains(&number), "{number} after {writes} writes");
            }
            assert!(rest.is_sorted() && rest.iter().all(|number| *number < 80), "{rest:?}");
            assert_eq!(lost(&mut backlog), [], "{writes}");
            assert!(keep(&mut flash, 1..3), "it works as before");
            assert_eq!(drain(&mut open(&mut flash)), [1, 2]);
        }
    }

    #[test]
    fn records_of_another_firmware_are_counted_and_not_sent() {
        let mut flash = Flash::new();
        assert!(keep(&mut flash, 1..4));
        let mut backlog = open(&mut flash);
        assert!(block_on(backlog.oldest(Checked::<Two>::DESCRIPTOR, NOW)).is_none());
        assert_eq!(lost(&mut backlog), [(Reason::Refused, 6)]);
    }

    #[test]
    fn records_older_than_thirty_days_are_counted_and_not_sent() {
        let mut flash = Flash::new();
        assert!(keep(&mut flash, 1..4));
        let at = |seconds: u64| {
            let now = NOW.unix_nanos(ONE.resolution()) / 1_000_000_000 + seconds;
            Coarse::from_unix_seconds(now, ONE.resolution())
        };
        let mut backlog = open(&mut flash);
        assert!(block_on(backlog.oldest(ONE, at(BACKLOG_SECONDS_MAX))).is_some());
        assert!(block_on(backlog.oldest(ONE, at(BACKLOG_SECONDS_MAX + 3_600))).is_none());
        assert_eq!(lost(&mut backlog), [(Reason::Refused, 6)]);
    }

    #[test]
    fn noise_in_flash_is_no_record_and_is_got_over() {
        let mut flash = Flash::new();
        (0_u8..=255).cycle().zip(&mut flash.bytes).for_each(|(n, byte)| *byte = n.wrapping_mul(31));
        assert_eq!(drain(&mut open(&mut flash)), []);
        assert!(keep(&mut flash, 1..4));
        assert_eq!(drain(&mut open(&mut flash)), [1, 2, 3]);
    }

    #[test]
    fn flash_that_can_not_be_read_for_a_while_is_asked_again() {
        let mut flash = Flash::new();
        assert!(keep(&mut flash, 1..4));
        let mut backlog = open(&mut flash);
        backlog.queue.flash().is_unreadable = true;
        assert_eq!(drain(&mut backlog), []);
        backlog.queue.flash().is_unreadable = false;
        assert_eq!(drain(&mut backlog), [1, 2, 3]);
        assert_eq!(lost(&mut backlog), []);
    }

    #[test]
    fn erasing_leaves_nothing() {
        let mut flash = Flash::new();
        assert!(keep(&mut flash, 1..100));
        block_on(open(&mut flash).erase()).unwrap();
        let range = RANGE.start as usize..RANGE.end as usize;
        assert!(flash.bytes[range].iter().all(|byte| *byte == 0xFF));
    }

    #[test]
    fn a_range_that_is_no_whole_pages_is_refused() {
        assert!(Backlog::new(&mut Flash::new(), 0..PAGE as u32 + 1).is_err());
    }
}
