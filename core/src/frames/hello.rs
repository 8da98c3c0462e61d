//! What a device says of itself, sealed: 26 bytes.
//!
//! | what | bytes |
//! |---|---|
//! | the low half of the schema's fingerprint | 4 |
//! | a mark of the program's version | 3 |
//! | pseudonym | 16 |
//! | the step of time in which the boot began, its low 24 bits; all ones where the device does not know | 3 |

use super::Error;
use super::bytes::Bytes;
use super::layout::SEALED_HELLO_LEN;
use crate::events::time::Coarse;
use crate::person::pseudonym::Pseudonym;
use crate::schemas::schema::SchemaDescriptor;

/// A device that does not know the time.
const UNKNOWN: u32 = 0xFF_FFFF;

/// Who speaks: what a device puts into a hello.
#[derive(Clone, Copy, Debug)]
pub struct Hello {
    schema: &'static SchemaDescriptor,
    start: Option<Coarse>,
    /// Ready to be sealed.
    pub(super) sealed: [u8; SEALED_HELLO_LEN],
}

impl Hello {
    /// A device that runs the program of `schema`, under `pseudonym`. `start` is when this boot began, where the device knows the time.
    #[must_use]
    pub fn new(schema: &'static SchemaDescriptor, pseudonym: Pseudonym, start: Option<Coarse>) -> Self {
        let mut hello = Self { schema, start: None, sealed: [0xFF; SEALED_HELLO_LEN] };
        let [a, b, c, d, ..] = schema.fingerprint().to_le_bytes();
        let [e, f, g] = schema.version_mark();
        let mut sealed = Bytes::new(&mut hello.sealed);
        // They fit.
        sealed.put(&[a, b, c, d, e, f, g]);
        sealed.put(&pseudonym.bytes());
        if let Some(start) = start {
            hello.set_start(start);
        }
        hello
    }

    /// Returns the schema.
    #[must_use]
    pub const fn schema(&self) -> &'static SchemaDescriptor {
        self.schema
    }

    /// Returns when this boot began, if the device knows.
    #[must_use]
    pub const fn start(&self) -> Option<Coarse> {
        self.start
    }

    /// Sets when this boot began: the device has learned the time.
    pub fn set_start(&mut self, start: Coarse) {
        self.start = Some(start);
        let [low, middle, high, _] = (start.steps() & UNKNOWN).min(UNKNOWN.wrapping_sub(1)).to_le_bytes();
        if let Some(last) = self.sealed.last_chunk_mut() {
            *last = [low, middle, high];
        }
    }
}

/// What a gateway reads in a hello that it has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The low half of the fingerprint of a schema.
    pub fingerprint: u32,
    /// The [mark](super::version_mark) of a version.
    pub version: [u8; 3],
    /// The installation's pseudonym.
    pub pseudonym: [u8; Pseudonym::LEN],
    /// The low 24 bits of the step in which the boot began, if the device knew.
    pub start: Option<u32>,
}

impl Statement {
    /// The statement at the start of what was sealed, and what follows it.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] where that is too short.
    pub fn read(plain: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (fingerprint, rest) = plain.split_first_chunk().ok_or(Error::Malformed)?;
        let (version, rest) = rest.split_first_chunk().ok_or(Error::Malformed)?;
        let (pseudonym, rest) = rest.split_first_chunk().ok_or(Error::Malformed)?;
        let ([low, middle, high], rest) = rest.split_first_chunk().ok_or(Error::Malformed)?;
        let start = u32::from_le_bytes([*low, *middle, *high, 0]);
        let statement = Self {
            fingerprint: u32::from_le_bytes(*fingerprint),
            version: *version,
            pseudonym: *pseudonym,
            start: (start != UNKNOWN).then_some(start),
        };
        Ok((statement, rest))
    }

    /// Returns the step in which the boot began, if the device knew: the last whose low bits it said that is not after `now`, the receiver's
    /// step and one more, since clocks differ.
    ///
    /// ```
    /// use automagik_telemetry_core::frames::Statement;
    /// let said = Statement { fingerprint: 0, version: [0; 3], pseudonym: [0; 16], start: Some(0x00_0005) };
    /// assert_eq!(said.start_before(0x0100_0004), Some(0x0100_0005));
    /// assert_eq!(said.start_before(0x0100_0003), Some(0x0000_0005));
    /// ```
    #[must_use]
    pub const fn start_before(&self, now: u32) -> Option<u32> {
        let Some(low) = self.start else { return None };
        let latest = now.saturating_add(1);
        Some(latest.saturating_sub(latest.wrapping_sub(low) & UNKNOWN))
    }
}
