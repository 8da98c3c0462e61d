//! A device's side: frames, each sealed once.

use super::Error;
use super::boot::{Boot, Hint};
use super::bytes::Bytes;
use super::hello::Hello;
use super::key::{Key, Way};
use super::layout::{BOOT_LEN, Kind, SEALED_HELLO_LEN, TAG_LEN, ask, head};
use super::stream::Writer;
use crate::records::record::{Cursor, Records};

/// Seals the frames of one boot. **It can't be copied, and numbers each frame once**, so no nonce seals two plaintexts. A frame that may not have
/// arrived is sent again as the bytes that it is: keep them, and never ask for them twice.
///
/// The sequence counts records, a hello as one: so whoever receives frames knows how many records stood in those that it has not seen.
///
/// ```
/// # use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
/// # use automagik_telemetry_core::{Record, Schema, loss::Reason, pseudonym::Pseudonym, schema::Checked, time::Coarse};
/// # struct Pump;
/// # impl Schema for Pump {
/// #     const ORGANIZATION: &'static str = "automagik";
/// #     const PROJECT: &'static str = "pump";
/// #     const VERSION: &'static str = "1.0.0";
/// #     const EVENTS: &'static [EventDescriptor] = &[];
/// #     fn position(&self) -> (u16, Ordinals) { (0, Ordinals::new([])) }
/// # }
/// use automagik_telemetry_core::frames::{Boot, Clear, Hello, Key, Reader, Session, Statement};
/// use automagik_telemetry_core::record::Records;
///
/// // The device. Its boot's number is random.
/// let key = Key::new([7; 16]);
/// let mut session = Session::new(key.clone(), Boot::random([1, 2, 3, 4, 5, 6, 7, 8]), None);
/// let hello = Hello::new(Checked::<Pump>::DESCRIPTOR, Pseudonym::NOBODY, None);
/// let mut frame = [0; 48];
/// let sealed = session.hello(&hello, &mut frame)?;
/// assert_eq!(sealed.len, 45);
///
/// // The gateway.
/// let clear = Clear::parse(&frame[..sealed.len])?;
/// let (boot, mut plain) = (clear.boot().unwrap(), [0; 48]);
/// let (who, _) = Statement::read(key.open(&clear, boot, 0, &mut plain)?)?;
/// assert_eq!(who.fingerprint, Checked::<Pump>::DESCRIPTOR.fingerprint() as u32);
///
/// // Records, as many as fit.
/// let records = [Record::dropped(Reason::QueueFull, 3, Coarse::from_steps(2))];
/// let (records, mut at) = (&records[..], Default::default());
/// let sealed = session.data(&hello, &records, &mut at, &mut frame)?.unwrap();
/// let clear = Clear::parse(&frame[..sealed.len])?;
/// let plain = key.open(&clear, boot, sealed.sequence, &mut plain)?;
/// let mut read = Reader::new(Checked::<Pump>::DESCRIPTOR, plain);
/// assert_eq!(read.next(), Some(Ok(records[0])));
///
/// // It is safe there.
/// assert!(key.is_acknowledged(boot, sealed.sequence, &key.acknowledge(boot, sealed.sequence)));
/// # Ok::<(), automagik_telemetry_core::frames::Error>(())
/// ```
#[derive(Debug)]
pub struct Session {
    key: Key,
    boot: Boot,
    hint: Option<Hint>,
    next: u32,
}

/// The last number that a frame may have: a record takes three bits at least, so its records have numbers too.
const LAST: u32 = u32::MAX - 8 * super::MTU_MAX as u32;

/// A frame that was sealed into a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its length, in bytes.
    pub len: usize,
    /// Its whole sequence: what its acknowledgement names.
    pub sequence: u32,
    /// How many records are in it.
    pub records: u32,
}

impl Session {
    /// The session of `boot`, **which no other had or will have under this key**. `hint` is [`Key::hint`] of it where each device has a key of its own.
    #[must_use]
    pub const fn new(key: Key, boot: Boot, hint: Option<Hint>) -> Self {
        Self { key, boot, hint, next: 0 }
    }

    /// Returns the number of the boot.
    #[must_use]
    pub const fn boot(&self) -> Boot {
        self.boot
    }

    /// Returns the key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the sequence that the next frame will have: how many records were sealed, each hello counted as one.
    #[must_use]
    pub const fn next(&self) -> u32 {
        self.next
    }

    /// Seals what the device says of itself into `buffer`.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] below [`HELLO_LEN_MAX`](super::HELLO_LEN_MAX) bytes; [`Error::Exhausted`].
    pub fn hello(&mut self, hello: &Hello, buffer: &mut [u8]) -> Result<Sealed, Error> {
        let clear_len = self.begin(Kind::Hello, hello, buffer)?;
        self.seal(buffer, clear_len, SEALED_HELLO_LEN, 0)
    }

    /// Seals the records from `at` on, as many as fit `buffer`, whose length is the link's largest frame; `at` moves on behind them. `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] where not even one fits, never with [`MTU_MIN`](super::MTU_MIN) bytes; [`Error::Exhausted`]; [`Error::OutOfDomain`]
    /// where the first is not of the schema of `hello`. Then `at` stands where it stood.
    pub fn data(
        &mut self,
        hello: &Hello,
        records: &dyn Records,
        at: &mut Cursor,
        buffer: &mut [u8],
    ) -> Result<Option<Sealed>, Error> {
        let clear_len = self.begin(Kind::Data, hello, buffer)?;
        self.records(hello, records, at, buffer, clear_len, 0)
    }

    /// Seals both: what the device says of itself, and records, as [`data`](Session::data) does. For a device that wakes, says one thing and
    /// forgets.
    ///
    /// # Errors
    ///
    /// Those of [`data`](Session::data), but one record takes up to 80 bytes.
    pub fn once(
        &mut self,
        hello: &Hello,
        records: &dyn Records,
        at: &mut Cursor,
        buffer: &mut [u8],
    ) -> Result<Option<Sealed>, Error> {
        let clear_len = self.begin(Kind::Once, hello, buffer)?;
        self.records(hello, records, at, buffer, clear_len, SEALED_HELLO_LEN)
    }

    /// Returns whether `frame` acknowledges the frame that has `sequence`.
    #[must_use]
    pub fn is_acknowledged(&self, sequence: u32, frame: &[u8]) -> bool {
        self.key.is_acknowledged(self.boot, sequence, frame)
    }

    /// Returns whether `frame` asks who this session is. Anybody can ask: answer with the same hello, and seldom.
    #[must_use]
    pub fn is_asked(&self, frame: &[u8]) -> bool {
        frame == ask(self.boot.session())
    }

    #[cfg(test)]
    pub(super) const fn skip_to(&mut self, next: u32) {
        self.next = next;
    }

    fn records(
        &mut self,
        hello: &Hello,
        records: &dyn Records,
        at: &mut Cursor,
        buffer: &mut [u8],
        clear_len: usize,
        before: usize,
    ) -> Result<Option<Sealed>, Error> {
        let begin = clear_len.wrapping_add(before);
        let end = buffer.len().min(super::MTU_MAX).wrapping_sub(TAG_LEN);
        let room = buffer.get_mut(begin..end).ok_or(Error::BufferTooSmall)?;
        let mut stream = Writer::new(hello.schema(), hello.start(), room);
        let mut count = 0_u32;
        loop {
            let mut following = *at;
            let Some(record) = records.next(&mut following) else { break };
            if let Err(error) = stream.put(&record) {
                if count == 0 {
                    return Err(error);
                }
                break;
            }
            *at = following;
            count = count.wrapping_add(1);
        }
        if count == 0 {
            return Ok(None);
        }
        let len = before.wrapping_add(stream.len());
        self.seal(buffer, clear_len, len, count).map(Some)
    }

    /// Writes what is in clear, and says how long it is; then what the device says of itself, but not in data.
    fn begin(&self, kind: Kind, hello: &Hello, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.next > LAST {
            return Err(Error::Exhausted);
        }
        let mut bytes = Bytes::new(buffer);
        let hint = self.hint.filter(|_| kind != Kind::Data);
        bytes.put(&[head(kind, hint.is_some())]);
        let boot = self.boot.bytes();
        bytes.put(boot.get(..if kind == Kind::Data { 2 } else { BOOT_LEN }).unwrap_or(&[]));
        let [low, high, ..] = self.next.to_le_bytes();
        bytes.put(&[low, high]);
        if let Some(hint) = hint {
            bytes.put(&hint.bytes());
        }
        let clear_len = bytes.len();
        if kind != Kind::Data {
            bytes.put(&hello.sealed);
        }
        bytes.len().and(clear_len)
    }

    /// Seals the `len` bytes behind what is in clear, and takes the frame's number: whatever becomes of it, that is used.
    fn seal(
        &mut self,
        buffer: &mut [u8],
        clear_len: usize,
        len: usize,
        records: u32,
    ) -> Result<Sealed, Error> {
        let (clear, rest) = buffer.split_at_mut_checked(clear_len).ok_or(Error::BufferTooSmall)?;
        let (plain, rest) = rest.split_at_mut_checked(len).ok_or(Error::BufferTooSmall)?;
        let tag: &mut [u8; TAG_LEN] = rest.first_chunk_mut().ok_or(Error::BufferTooSmall)?;
        let sequence = self.next;
        // A frame has fewer records than there are numbers behind the last.
        self.next = sequence.wrapping_add(records.max(1));
        *tag = self.key.seal(self.boot, sequence, Way::Up, clear, plain);
        Ok(Sealed { len: clear_len.wrapping_add(len).wrapping_add(TAG_LEN), sequence, records })
    }
}
