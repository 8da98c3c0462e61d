//! What anybody can read of a frame, and what a receiver finds its session by.

use super::boot::{Boot, Hint};
use super::layout::{self, ACK_LEN, ASK_LEN, BOOT_LEN, HINT_LEN, Kind, SEALED_HELLO_LEN, TAG_LEN};
use super::{Error, VERSION};

/// A frame of which nothing was opened. Everything it says may be a stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clear<'a> {
    kind: Kind,
    boot: Option<Boot>,
    hint: Option<Hint>,
    session: u16,
    sequence: u16,
    /// All bytes, and where what is in clear ends.
    bytes: &'a [u8],
    clear_len: usize,
}

impl<'a> Clear<'a> {
    /// Takes a frame apart. Bytes of any origin are safe to give.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] where the length is not one of that kind; [`Error::Unknown`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (first, rest) = bytes.split_first().ok_or(Error::Malformed)?;
        let kind = match (first >> layout::KIND_SHIFT) & 0b111 {
            0 => Kind::Hello,
            1 => Kind::Data,
            2 => Kind::Ack,
            3 => Kind::Once,
            4 => Kind::Ask,
            _ => return Err(Error::Unknown),
        };
        let has_hint = first & layout::HINT != 0;
        let names_boot = matches!(kind, Kind::Hello | Kind::Once);
        if first & layout::VERSION_MASK != VERSION
            || first & layout::RESERVED != 0
            || (has_hint && !names_boot)
        {
            return Err(Error::Unknown);
        }
        let (boot, rest) = if names_boot {
            (Some(Boot::read(rest)?), rest.get(BOOT_LEN..).unwrap_or(&[]))
        } else {
            (None, rest)
        };
        let (session, rest) = match boot {
            Some(boot) => (boot.session(), rest),
            None => take_u16(rest)?,
        };
        let (sequence, rest) = if kind == Kind::Ask { (0, rest) } else { take_u16(rest)? };
        let (hint, rest) = match rest.first_chunk::<HINT_LEN>() {
            Some(hint) if has_hint => (Some(Hint(*hint)), rest.get(HINT_LEN..).unwrap_or(&[])),
            _ if has_hint => return Err(Error::Malformed),
            _ => (None, rest),
        };
        let fits = match kind {
            Kind::Hello => rest.len() == SEALED_HELLO_LEN.wrapping_add(TAG_LEN),
            Kind::Once => rest.len() > SEALED_HELLO_LEN.wrapping_add(TAG_LEN),
            Kind::Data => rest.len() > TAG_LEN,
            Kind::Ack => bytes.len() == ACK_LEN,
            Kind::Ask => bytes.len() == ASK_LEN,
        };
        if !fits || bytes.len() > super::MTU_MAX {
            return Err(Error::Malformed);
        }
        let clear_len = bytes.len().wrapping_sub(rest.len());
        Ok(Self { kind, boot, hint, session, sequence, bytes, clear_len })
    }

    /// Returns what it is for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the number of the boot, which a hello and a once say.
    #[must_use]
    pub const fn boot(&self) -> Option<Boot> {
        self.boot
    }

    /// Returns what stands for the boot in other frames.
    #[must_use]
    pub const fn session(&self) -> u16 {
        self.session
    }

    /// Returns the hint, which a hello and a once have where each device has a key of its own.
    #[must_use]
    pub const fn hint(&self) -> Option<Hint> {
        self.hint
    }

    /// Returns the low bytes of the sequence.
    #[must_use]
    pub const fn sequence(&self) -> u16 {
        self.sequence
    }

    /// Returns the whole sequences that this could have, the likeliest first, where the records below `next` have been seen: the nearest, then
    /// those that longer gaps, or frames that waited long, would have.
    #[must_use]
    pub const fn sequences(&self, next: u32) -> Ahead {
        let low = self.sequence as u32;
        let nearest = next.wrapping_add(low.wrapping_sub(next) & 0xFFFF);
        // More than half of the way round is behind.
        let nearest = match nearest.checked_sub(1 << 16) {
            Some(before) if nearest.wrapping_sub(next) > 1 << 15 => before,
            _ => nearest,
        };
        Ahead { nearest, tried: 0 }
    }

    /// Returns the length of what is sealed, in bytes.
    #[must_use]
    pub fn sealed_len(&self) -> usize {
        self.parts().1.len()
    }

    /// What is in clear, what is sealed, and the tag.
    pub(super) fn parts(&self) -> (&'a [u8], &'a [u8], &'a [u8]) {
        let (clear, rest) = self.bytes.split_at_checked(self.clear_len).unwrap_or((&[], &[]));
        let (sealed, tag) = rest.split_at_checked(rest.len().wrapping_sub(TAG_LEN)).unwrap_or((&[], &[]));
        (clear, sealed, tag)
    }
}

/// Sequences that a receiver tries: see [`Clear::sequences`].
#[derive(Clone, Debug)]
pub struct Ahead {
    nearest: u32,
    tried: usize,
}

/// How often a receiver goes the way round of 2^16 records further, in the order of its tries.
const ROUNDS: [i32; 4] = [0, 1, -1, 2];

impl Iterator for Ahead {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            let rounds = ROUNDS.get(self.tried)?;
            self.tried = self.tried.saturating_add(1);
            if let Some(sequence) = self.nearest.checked_add_signed(rounds << 16) {
                return Some(sequence);
            }
        }
    }
}

fn take_u16(bytes: &[u8]) -> Result<(u16, &[u8]), Error> {
    let (two, rest) = bytes.split_first_chunk().ok_or(Error::Malformed)?;
    Ok((u16::from_le_bytes(*two), rest))
}
