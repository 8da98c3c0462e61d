//! The layout of frames in clear: kinds, the first byte, lengths.

use super::VERSION;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A device says who it is.
    Hello = 0,
    /// A device sends records.
    Data = 1,
    /// A gateway says that a frame is safe.
    Ack = 2,
    /// A device says who it is and sends records.
    Once = 3,
    /// A gateway asks who a session is. Anybody can make one.
    Ask = 4,
}

/// The first byte: version 3 bits, kind 3, hint follows 1, reserved 1.
pub(super) const VERSION_MASK: u8 = 0b111;
pub(super) const KIND_SHIFT: u32 = 3;
pub(super) const HINT: u8 = 1 << 6;
pub(super) const RESERVED: u8 = 1 << 7;

/// Length of a [`Boot`](super::Boot), in bytes.
pub const BOOT_LEN: usize = 8;

/// Length of a [`Hint`](super::Hint), in bytes.
pub const HINT_LEN: usize = 2;

/// Length of a tag, in bytes: who guesses one has a chance of one in 2^64.
pub const TAG_LEN: usize = 8;

/// Length of what a hello seals, in bytes.
pub const SEALED_HELLO_LEN: usize = 26;

/// Length of what is in clear in a hello and a once, a hint not among it.
const FROM_BOOT_LEN: usize = 1 + BOOT_LEN + 2;

/// Length of what is in clear in a data frame.
pub(super) const FROM_SESSION_LEN: usize = 1 + 2 + 2;

/// Length of the longest hello, in bytes.
pub const HELLO_LEN_MAX: usize = FROM_BOOT_LEN + HINT_LEN + SEALED_HELLO_LEN + TAG_LEN;

/// What a data frame takes beside its base and its records, in bytes.
pub const DATA_OVERHEAD: usize = FROM_SESSION_LEN + TAG_LEN;

/// Length of an acknowledgement, in bytes.
pub const ACK_LEN: usize = FROM_SESSION_LEN + TAG_LEN;

/// Length of an ask, in bytes.
pub const ASK_LEN: usize = 1 + 2;

/// The first byte of a frame.
pub(super) const fn head(kind: Kind, has_hint: bool) -> u8 {
    VERSION | ((kind as u8) << KIND_SHIFT) | if has_hint { HINT } else { 0 }
}

/// Returns the frame by which a gateway asks who a session is, where it can be heard. It is not sealed, since the gateway has no number of the boot.
#[must_use]
pub const fn ask(session: u16) -> [u8; ASK_LEN] {
    let [low, high] = session.to_le_bytes();
    [head(Kind::Ask, false), low, high]
}
