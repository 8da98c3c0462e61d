//! Frames: what a device says to a gateway where it can't speak HTTP. Sealed, and about two bytes an event.
//!
//! ```text
//!  device                                                          gateway
//!  records ──► stream (bits) ──► Session::data ──► a frame ──► Clear::parse ──► Key::open ──► stream ──► records, each checked
//!                                Session::hello ─► who, what                        │
//!                                Session::is_acknowledged ◄──── Key::acknowledge ◄──┘
//! ```
//!
//! A frame is sealed once, under a number that is used once, and repeated byte for byte. `docs/FRAMES.md` of the repository specifies every byte.
//! Sizes in bytes; numbers are little-endian:
//!
//! | frame | in clear | sealed | tag | whole |
//! |---|---|---|---|---|
//! | hello | head 1, boot 8, sequence 2, (hint 2) | fingerprint 4, version 3, pseudonym 16, start 3 | 8 | 45 or 47 |
//! | data | head 1, session 2, sequence 2 | base 1 to 5, records | 8 | 13 + base + records |
//! | once | as hello | as hello, then as data | 8 | 45 or 47, + base + records |
//! | ack | head 1, session 2, sequence 2 | | 8 | 13 |
//! | ask | head 1, session 2 | | | 3 |
//!
//! **What an observer sees**: a number that is new at each boot, how many records were sent before in it, and lengths. Whose it is,
//! and what it says, is sealed. The address of the link (a MAC, a DevAddr) links boots all the same.
//!
//! Nothing here reads a clock, a network or a generator of random numbers: who calls brings them.

mod bits;
mod bytes;
mod layout;
mod boot;
mod stream;
mod clear;
mod key;
mod hello;
mod session;

pub use boot::{Boot, Hint};
pub use clear::{Ahead, Clear};
pub use hello::{Hello, Statement};
pub use key::{KEY_LEN, Key};
pub use layout::{
    ACK_LEN, ASK_LEN, BOOT_LEN, DATA_OVERHEAD, HELLO_LEN_MAX, HINT_LEN, Kind, SEALED_HELLO_LEN, TAG_LEN, ask,
};
pub use session::{Sealed, Session};
pub use stream::{Reader, Shape};

/// Smallest frame that a link must carry, in bytes: LoRa's slowest rate in Europe carries 51. Any record fits in it.
pub const MTU_MIN: usize = 48;

/// Largest frame, in bytes: it fits a datagram anywhere.
pub const MTU_MAX: usize = 1_200;

/// The version of the frames.
pub const VERSION: u8 = 1;

/// Returns three bytes that stand for a version in a frame, so that a gateway finds the manifest of it.
#[must_use]
pub const fn version_mark(version: &str) -> [u8; 3] {
    crate::schemas::fingerprint::version_mark(version)
}

/// Why a frame can't be made, or bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The buffer is smaller than the frame.
    BufferTooSmall,
    /// This boot has sent nearly 2^32 records: start another [`Session`].
    Exhausted,
    /// The bytes are longer or shorter than such a frame, or its bits are no records.
    Malformed,
    /// They are of another version than [`VERSION`], or of no known kind.
    Unknown,
    /// The tag is not that of these bytes under this key.
    Tag,
    /// A record is not of the schema.
    OutOfDomain,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::BufferTooSmall => "the buffer is smaller than the frame",
            Self::Exhausted => "the session has sent as many records as it can number",
            Self::Malformed => "the bytes are not a frame",
            Self::Unknown => "the frame has an unknown version or kind",
            Self::Tag => "the tag is not that of this frame under this key",
            Self::OutOfDomain => "a record of the frame is not of the schema",
        })
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests;
