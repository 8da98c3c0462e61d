//! A key, and what is sealed and opened with it: Ascon-AEAD128 ([NIST SP 800-232](https://doi.org/10.6028/NIST.SP.800-232)),
//! its tag cut to 8 bytes.
//!
//! | of the key | HMAC-SHA256 under it, cut, of |
//! |---|---|
//! | the sealing key, 16 | `"automagik-telemetry frames seal\0"` |
//! | a hint, 2 | `"automagik-telemetry frames hint\0"`, boot |
//! | its id, 8 | `"automagik-telemetry frames id\0"` |
//! | what records of a boot are named by, 12 | `"automagik-telemetry frames uid\0"`, boot |
//! | a boot's number, 8 | `"automagik-telemetry frames boot\0"`, counter (8) |
//!
//! What is sealed with a frame: its first three bytes, and the last two in clear.
//!
//! | nonce, 16 | bytes |
//! |---|---|
//! | boot | 8 |
//! | whole sequence | 4 |
//! | 0x80 where the gateway speaks, else 0 | 1 |
//! | zeros | 3 |

use super::Error;
use super::boot::{Boot, Hint};
use super::bytes::Bytes;
use super::clear::Clear;
use super::layout::{ACK_LEN, BOOT_LEN, FROM_SESSION_LEN, HINT_LEN, Kind, TAG_LEN, head};
use crate::person::pseudonym::hmac_sha256;
use ascon_aead::TruncatedAsconAead128;
use ascon_aead::aead::consts::U8;
use ascon_aead::aead::{AeadInOut, KeyInit, Tag};

/// Length of a key, in bytes.
pub const KEY_LEN: usize = 16;

const SEAL: &[u8] = b"automagik-telemetry frames seal\0";
const HINT: &[u8] = b"automagik-telemetry frames hint\0";
const ID: &[u8] = b"automagik-telemetry frames id\0";
const UID: &[u8] = b"automagik-telemetry frames uid\0";
const BOOT: &[u8] = b"automagik-telemetry frames boot\0";

type Ascon = TruncatedAsconAead128<U8>;

/// A key that a gateway shares with a fleet, or with one device. `Debug` does not show it.
///
/// | one key | what it gives up |
/// |---|---|
/// | for a fleet | who takes a device apart can read what the others send, and speak as any of them |
/// | a device | each must be given its own; the gateway finds it by a [`Hint`] |
#[derive(Clone)]
pub struct Key {
    bytes: [u8; KEY_LEN],
    seal: [u8; KEY_LEN],
}

/// Who speaks.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Up,
    Down,
}

impl Key {
    /// The key that these bytes are. They must come from a generator fit for cryptography.
    #[must_use]
    pub fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self { seal: cut(&hmac_sha256(&bytes, &[SEAL])), bytes }
    }

    /// Returns the hint that says to those who hold this key that `boot` is one of it.
    #[must_use]
    pub fn hint(&self, boot: Boot) -> Hint {
        Hint(cut::<HINT_LEN>(&hmac_sha256(&self.bytes, &[HINT, &boot.bytes()])))
    }

    /// Returns what names this key in lists and stores, and says nothing of it.
    #[must_use]
    pub fn id(&self) -> [u8; 8] {
        cut(&hmac_sha256(&self.bytes, &[ID]))
    }

    /// Returns what names the records of `boot` to a backend, the same at each gateway that has this key: with the number of a record behind it, it is one
    /// record's alone, and says nothing of the boot that stands in clear in frames.
    #[must_use]
    pub fn uid(&self, boot: Boot) -> [u8; 12] {
        cut(&hmac_sha256(&self.bytes, &[UID, &boot.bytes()]))
    }

    /// Returns the number of the boot that `counter` counts, for a device without a generator of random numbers. The key must be this device's
    /// alone, and the counter must be in flash before it is used: no two boots may have the same, a power cut between them or not.
    ///
    /// ```
    /// use automagik_telemetry_core::frames::Key;
    /// let key = Key::new([7; 16]);
    /// assert_ne!(key.boot(1), key.boot(2));
    /// ```
    #[must_use]
    pub fn boot(&self, counter: u64) -> Boot {
        Boot::random(cut::<BOOT_LEN>(&hmac_sha256(&self.bytes, &[BOOT, &counter.to_le_bytes()])))
    }

    /// Opens a frame of a device, and returns what was sealed, in `plain`: [`Clear::sealed_len`] bytes of it. `sequence` is the whole number whose low bytes the
    /// frame says. Nothing of what it returns is trusted yet beyond that a holder of the key said it.
    ///
    /// # Errors
    ///
    /// [`Error::Tag`] where the frame was made with another key, boot or sequence, or was changed; [`Error::BufferTooSmall`];
    /// [`Error::Malformed`] where it is not a device's.
    pub fn open<'p>(
        &self,
        frame: &Clear<'_>,
        boot: Boot,
        sequence: u32,
        plain: &'p mut [u8],
    ) -> Result<&'p [u8], Error> {
        if !matches!(frame.kind(), Kind::Hello | Kind::Data | Kind::Once) {
            return Err(Error::Malformed);
        }
        let (clear, sealed, tag) = frame.parts();
        let plain = plain.get_mut(..sealed.len()).ok_or(Error::BufferTooSmall)?;
        plain.copy_from_slice(sealed);
        let ascon = Ascon::new(&self.seal.into());
        let tag: &Tag<Ascon> = tag.try_into().map_err(|_| Error::Malformed)?;
        let (nonce, associated) = (nonce(boot, sequence, Way::Up), associated(clear));
        ascon
            .decrypt_inout_detached(&nonce.into(), &associated, (&mut *plain).into(), tag)
            .map_err(|_| Error::Tag)?;
        Ok(plain)
    }

    /// Returns the acknowledgement of the frame of `boot` that has `sequence`. It is the same bytes each time.
    #[must_use]
    pub fn acknowledge(&self, boot: Boot, sequence: u32) -> [u8; ACK_LEN] {
        let [session, session_high] = boot.session().to_le_bytes();
        let [low, high, ..] = sequence.to_le_bytes();
        let head: [u8; FROM_SESSION_LEN] = [head(Kind::Ack, false), session, session_high, low, high];
        let mut frame = [0; ACK_LEN];
        let mut bytes = Bytes::new(&mut frame);
        // They fit.
        bytes.put(&head);
        bytes.put(&self.seal(boot, sequence, Way::Down, &head, &mut []));
        frame
    }

    /// Returns whether `frame` acknowledges the frame of `boot` that has `sequence`.
    #[must_use]
    pub fn is_acknowledged(&self, boot: Boot, sequence: u32, frame: &[u8]) -> bool {
        let (Some((clear, tag)), ACK_LEN) = (frame.split_last_chunk::<TAG_LEN>(), frame.len()) else {
            return false;
        };
        // A gateway seals one head under these numbers: the tag holds for no other. One comparison of a number takes as long for any tag.
        let expected = self.seal(boot, sequence, Way::Down, clear, &mut []);
        u64::from_le_bytes(*tag) == u64::from_le_bytes(expected)
    }

    /// Seals `plain` in place, and returns its tag.
    pub(super) fn seal(
        &self,
        boot: Boot,
        sequence: u32,
        way: Way,
        clear: &[u8],
        plain: &mut [u8],
    ) -> [u8; TAG_LEN] {
        let ascon = Ascon::new(&self.seal.into());
        let (nonce, associated) = (nonce(boot, sequence, way), associated(clear));
        match ascon.encrypt_inout_detached(&nonce.into(), &associated, plain.into()) {
            Ok(tag) => tag.into(),
            // Lengths that a machine can't have. What then leaves must not be read.
            Err(_) => {
                plain.fill(0);
                [0; TAG_LEN]
            }
        }
    }
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(..)")
    }
}

fn nonce(boot: Boot, sequence: u32, way: Way) -> [u8; 16] {
    let way = match way {
        Way::Up => 0,
        Way::Down => 0x80,
    };
    let boot = u128::from(u64::from_le_bytes(boot.bytes()));
    (boot | u128::from(sequence) << 64 | way << 96).to_le_bytes()
}

/// What is sealed with the rest of a frame: its first three bytes, and the last two in clear. That is all of what data and acknowledgements have in clear. In a
/// hello the bytes between are of the boot and the sequence, which the nonce has whole.
const fn associated(clear: &[u8]) -> [u8; FROM_SESSION_LEN] {
    match clear {
        [first, session, session_end, .., last, end] => [*first, *session, *session_end, *last, *end],
        // No frame has fewer.
        _ => [0; FROM_SESSION_LEN],
    }
}

/// The first bytes of a hash.
fn cut<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut cut = [0; N];
    for (slot, byte) in cut.iter_mut().zip(hash) {
        *slot = *byte;
    }
    cut
}
