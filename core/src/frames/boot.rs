//! The number of a boot: new each time a device starts, and each day. Nobody else's, and linked to no other.

use super::Error;
use super::layout::{BOOT_LEN, HINT_LEN};

/// The number of a boot, 8 bytes. **Use each once under its key**: two sessions with one number would seal with the same nonces.
///
/// | the device has | it makes it of |
/// |---|---|
/// | a generator of random numbers | [`random`](Boot::random): 8 bytes of it |
/// | none, and a key of its own | [`Key::boot`](super::Key::boot): a counter in flash, written before it is used |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Boot([u8; BOOT_LEN]);

impl Boot {
    /// The number that these bytes are. They must come from a generator fit for cryptography: among 10^8 boots under one key, two are alike with a
    /// chance of 3 in 10,000, and then an observer learns the difference of their plaintexts.
    #[must_use]
    pub const fn random(bytes: [u8; BOOT_LEN]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, as they stand in a frame.
    #[must_use]
    pub const fn bytes(self) -> [u8; BOOT_LEN] {
        self.0
    }

    /// Returns what stands for it in most frames: its first two bytes. Devices that share them are told apart by the tag.
    #[must_use]
    pub const fn session(self) -> u16 {
        let [first, second, ..] = self.0;
        u16::from_le_bytes([first, second])
    }

    /// The number at the start of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        bytes.first_chunk().copied().map(Self).ok_or(Error::Malformed)
    }
}

/// Two bytes that say whose key a frame is sealed with, to those who hold it: a keyed hash of the [`Boot`], so it is new each boot.
/// See [`Key::hint`](super::Key::hint).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint(pub(super) [u8; HINT_LEN]);

impl Hint {
    /// Returns the bytes, as they stand in a frame.
    #[must_use]
    pub const fn bytes(self) -> [u8; HINT_LEN] {
        self.0
    }
}
