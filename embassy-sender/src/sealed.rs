//! Sealed frames in flash, until the gateway has them: they are repeated byte for byte, after a reset too, so no number ever seals two of them.
//!
//! | of an entry | size | what |
//! |---|---|---|
//! | 0 | 4 | what names the key |
//! | 4 | 8 | the number of the boot |
//! | 12 | 4 | the frame's sequence, little-endian |
//! | 16 | 4 | how many records are in it, little-endian |
//! | 20 | 4 | the sequence of the boot's hello, little-endian |
//! | 24 | 1 | length of the hello |
//! | 25 | 47 | the hello, and zeros behind it: the gateway may have to be told who that was |
//! | 72 | | the frame |

use crate::backlog::NoCache;
use automagik_telemetry_core::frames::{Boot, HELLO_LEN_MAX, Key};
use automagik_telemetry_core::loss::{Losses, Reason};
use core::ops::Range;
use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use sequential_storage::Error;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::queue::{QueueConfig, QueueConfigError, QueueStorage};

/// Length of what stands in front of a frame in flash, in bytes.
pub const SEALED_HEAD_LEN: usize = SAID + HELLO_LEN_MAX;

const BOOT: usize = 4;
const SEQUENCE: usize = 12;
const RECORDS: usize = 16;
const SAID_SEQUENCE: usize = 20;
const SAID_LEN: usize = 24;
const SAID: usize = 25;

/// Where sealed frames go that the gateway did not acknowledge.
pub(crate) trait KeepSealed {
    /// What an entry has in front of the frame, in bytes; 0 where nothing is kept.
    const HEAD_LEN: usize;

    /// Keeps `entry`, and says whether it is safe now.
    async fn keep(&mut self, entry: &[u8]) -> bool;

    /// Puts the oldest entry into `buffer`, and says how long it is.
    async fn oldest(&mut self, buffer: &mut [u8]) -> Option<usize>;

    /// The oldest was acknowledged, or never will be. `buffer` has room for it.
    async fn over(&mut self, buffer: &mut [u8]);

    /// Deletes all; says whether that is done.
    async fn clear(&mut self) -> bool;

    /// What was lost and not told yet.
    fn losses(&mut self) -> &mut Losses;
}

/// What an entry says of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) key: [u8; 4],
    pub(crate) boot: [u8; 8],
    pub(crate) sequence: u32,
    pub(crate) records: u32,
    pub(crate) said_sequence: u32,
    pub(crate) said: [u8; HELLO_LEN_MAX],
    pub(crate) said_len: u8,
}

impl Head {
    /// What names `key` here.
    pub(crate) fn name(key: &Key) -> [u8; 4] {
        let [a, b, c, d, ..] = key.id();
        [a, b, c, d]
    }

    /// The number of the boot.
    pub(crate) const fn boot(&self) -> Boot {
        Boot::random(self.boot)
    }

    /// What the boot said of who it is.
    pub(crate) fn said(&self) -> &[u8] {
        self.said.get(..usize::from(self.said_len)).unwrap_or(&[])
    }

    /// Writes it to the start of `entry`.
    pub(crate) fn write(&self, entry: &mut [u8]) {
        let Some(head) = entry.first_chunk_mut::<SEALED_HEAD_LEN>() else { return };
        let mut put = |at: usize, bytes: &[u8]| {
            if let Some(slot) = head.get_mut(at..at.wrapping_add(bytes.len())) {
                slot.copy_from_slice(bytes);
            }
        };
        put(0, &self.key);
        put(BOOT, &self.boot);
        put(SEQUENCE, &self.sequence.to_le_bytes());
        put(RECORDS, &self.records.to_le_bytes());
        put(SAID_SEQUENCE, &self.said_sequence.to_le_bytes());
        put(SAID_LEN, &[self.said_len]);
        put(SAID, &self.said);
    }

    /// Reads it from the start of `entry`.
    pub(crate) fn read(entry: &[u8]) -> Option<Self> {
        fn part<const N: usize>(entry: &[u8], at: usize) -> Option<[u8; N]> {
            entry.get(at..)?.first_chunk().copied()
        }
        let [said_len] = part(entry, SAID_LEN)?;
        Some(Self {
            key: part(entry, 0)?,
            boot: part(entry, BOOT)?,
            sequence: u32::from_le_bytes(part(entry, SEQUENCE)?),
            records: u32::from_le_bytes(part(entry, RECORDS)?),
            said_sequence: u32::from_le_bytes(part(entry, SAID_SEQUENCE)?),
            said: part(entry, SAID)?,
            said_len,
        })
    }
}

/// Sealed frames in flash, between power cuts. For [`Telemetry::run_frames_with`](crate::Telemetry::run_frames_with).
///
/// It is bounded by its range of flash. Where that is full, records wait in the queue, which counts what finds no room in it. A frame whose
/// acknowledgement was on its way when the power failed is sent again: the gateway has seen it, and takes it once. Frames of another key are dropped and
/// counted (`corrupt`).
///
/// The flash must let a word be cleared after it was written ([`MultiwriteNorFlash`]): that marks a frame as acknowledged without erasing a page.
///
/// ```
/// use automagik_telemetry_embassy::SealedBacklog;
/// use embedded_storage_async::nor_flash::MultiwriteNorFlash;
///
/// async fn open<F: MultiwriteNorFlash>(flash: F, is_on: bool) -> Option<SealedBacklog<F>> {
///     let mut backlog = SealedBacklog::new(flash, 0x3C000..0x3F000).ok()?;
///     if !is_on {
///         // A no that was said just before the power failed.
///         backlog.erase().await.ok()?;
///     }
///     Some(backlog)
/// }
/// ```
pub struct SealedBacklog<F: MultiwriteNorFlash> {
    queue: QueueStorage<F, NoCache>,
    losses: Losses,
    /// Nothing is in flash, for sure.
    is_empty: bool,
}

impl<F: MultiwriteNorFlash> SealedBacklog<F> {
    /// What is kept in `range` of `flash`, in bytes: whole pages, two at least. A page must have room for a frame and 88 bytes.
    ///
    /// # Errors
    ///
    /// Where `range` is none of `flash`'s.
    pub fn new(flash: F, range: Range<u32>) -> Result<Self, QueueConfigError> {
        let cache = Cache::new(Uncached, Uncached, Uncached);
        let queue = QueueStorage::new(flash, QueueConfig::try_new(range)?, cache);
        Ok(Self { queue, losses: Losses::new(), is_empty: false })
    }

    /// Deletes all that is kept: the person has said no, at a time when
    /// [`Telemetry::run_frames_with`](crate::Telemetry::run_frames_with) did not run.
    ///
    /// # Errors
    ///
    /// Where the flash fails.
    pub async fn erase(&mut self) -> Result<(), Error<F::Error>> {
        self.queue.erase_all().await?;
        self.is_empty = true;
        Ok(())
    }
}

impl<F: MultiwriteNorFlash> KeepSealed for SealedBacklog<F> {
    const HEAD_LEN: usize = SEALED_HEAD_LEN;

    async fn keep(&mut self, entry: &[u8]) -> bool {
        let is_kept = self.queue.push(entry, false).await.is_ok();
        self.is_empty &= !is_kept;
        is_kept
    }

    async fn oldest(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.is_empty {
            return None;
        }
        match self.queue.peek(buffer).await {
            Ok(Some(entry)) => return Some(entry.len()),
            Ok(None) => self.is_empty = true,
            // It could not be repaired, or is of a firmware with longer frames; how many records it held, nobody knows.
            Err(Error::Corrupted { .. } | Error::BufferTooSmall(_)) => {
                self.losses.add(Reason::Corrupt, 1);
                self.is_empty = self.queue.erase_all().await.is_ok();
            }
            // Flash that fails now may not fail later.
            Err(_) => {}
        }
        None
    }

    async fn over(&mut self, buffer: &mut [u8]) {
        // Where it can't be marked it is sent again.
        let _ = self.queue.pop(buffer).await;
    }

    async fn clear(&mut self) -> bool {
        self.erase().await.is_ok()
    }

    fn losses(&mut self) -> &mut Losses {
        &mut self.losses
    }
}

impl<F: MultiwriteNorFlash> core::fmt::Debug for SealedBacklog<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SealedBacklog").field("is_empty", &self.is_empty).finish_non_exhaustive()
    }
}

/// Nothing is kept: a frame waits in memory.
#[derive(Debug, Default)]
pub(crate) struct InMemory(Losses);

impl KeepSealed for InMemory {
    const HEAD_LEN: usize = 0;

    async fn keep(&mut self, _: &[u8]) -> bool {
        false
    }

    async fn oldest(&mut self, _: &mut [u8]) -> Option<usize> {
        None
    }

    async fn over(&mut self, _: &mut [u8]) {}

    async fn clear(&mut self) -> bool {
        true
    }

    fn losses(&mut self) -> &mut Losses {
        &mut self.0
    }
}
