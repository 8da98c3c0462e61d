//! A place in the program, as a number: where something was said, and nothing of what.
//!
//! The compiler puts a [`Location`] (file, line, column) into the program's read-only data for each place that asks for one. A [`CodeLocation`] is how far it lies from
//! an anchor of this library in the same data:
//!
//! ```text
//!  the program's file:   ... ANCHOR (32 bytes that stand nowhere else) ... Location { "src/send.rs", 137, 9 } ...
//!                              └──────────────── distance / 4 ─────────────┘
//! ```
//!
//! Who has the file, stripped or not, finds the anchor by its bytes and reads the location; who has not, sees a number that is the same for all who run that
//! file. Where the program was loaded, and what its user did, is not in it. No symbol, no debug information and no `unsafe` code are needed, so it works alike on a desktop and a device.

use super::field::{CODE_LOCATIONS, Domain, Field, Values};
use core::panic::Location;

/// What a symbolizer looks for.
#[repr(align(8))]
struct Anchor {
    _bytes: [u8; 32],
}

/// What the anchor's bytes are, each with its lowest bit turned over: so that a symbolizer has them, and is no program with an anchor.
const TURNED: [u8; 32] = *b"automagik-telemetry code anchor\n";

static ANCHOR: Anchor = Anchor { _bytes: anchor_bytes() };

/// Returns the bytes that stand once in the file of a program that records places.
#[must_use]
pub const fn anchor_bytes() -> [u8; 32] {
    let mut bytes = TURNED;
    let mut rest: &mut [u8] = &mut bytes;
    while let [byte, behind @ ..] = rest {
        *byte ^= 1;
        rest = behind;
    }
    bytes
}

/// The ordinal of a location that stands where the anchor does.
const MIDDLE: i64 = 1 << 27;

/// Locations are aligned to four bytes: two bits less.
const OF_LOCATIONS: u32 = 2;

/// A Thumb instruction takes two bytes at least: one bit less.
const OF_INSTRUCTIONS: u32 = 1;

/// The number of what lies at this distance from the anchor, so many bits less; 0 where it is too far.
const fn number(distance: isize, bits: u32) -> u32 {
    let number = distance.wrapping_shr(bits).saturating_add(MIDDLE as isize);
    if number < 0 || number >= CODE_LOCATIONS as isize { 0 } else { number as u32 }
}

/// How far something lies from the anchor, which is in the same file.
fn distance(address: usize) -> isize {
    address.wrapping_sub((&raw const ANCHOR).addr()) as isize
}

/// Returns the address of the location that has this number, in a file whose anchor lies at `anchor`; `None` where it is unknown.
///
/// ```
/// use automagik_telemetry_core::{CodeLocation, code_location::address};
/// assert_eq!(address(0x4000, CodeLocation::UNKNOWN.get()), None);
/// assert_eq!(address(0x4000, (1 << 27) + 2), Some(0x4008));
/// ```
#[must_use]
pub const fn address(anchor: u64, number: u32) -> Option<u64> {
    at(anchor, number, OF_LOCATIONS)
}

/// Returns the address of the instruction that has this number, as [`CodeAddress`] has it; `None` where it is unknown.
///
/// ```
/// use automagik_telemetry_core::code_location::instruction;
/// assert_eq!(instruction(0x4000, (1 << 27) + 2), Some(0x4004));
/// ```
#[must_use]
pub const fn instruction(anchor: u64, number: u32) -> Option<u64> {
    at(anchor, number, OF_INSTRUCTIONS)
}

const fn at(anchor: u64, number: u32, bits: u32) -> Option<u64> {
    if number == 0 || number >= CODE_LOCATIONS {
        return None;
    }
    let distance = (number as i64).wrapping_sub(MIDDLE).wrapping_shl(bits);
    Some(anchor.wrapping_add_signed(distance))
}

/// A place in the program's source. Only [`caller`](CodeLocation::caller) makes one, so a program can't choose its number.
///
/// It takes 28 bits of an event: more than any other field, since each value is a place that the compiler has made, and none can hold what a person typed. See
/// the module's page for what it says to whom.
///
/// ```
/// use automagik_telemetry_core::CodeLocation;
/// let (here, there) = (CodeLocation::caller(), CodeLocation::caller());
/// assert_ne!(here, there);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeLocation(u32);

impl CodeLocation {
    /// The place that calls this; in a function with `#[track_caller]`, the place that calls that.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn caller() -> Self {
        Self::of(Location::caller())
    }

    /// One in another file than this library's, such as a plugin's, is [unknown](CodeLocation::UNKNOWN).
    pub(crate) fn of(location: &Location<'_>) -> Self {
        Self(number(distance(core::ptr::from_ref(location).addr()), OF_LOCATIONS))
    }

    /// A place whose number can't be told.
    pub const UNKNOWN: Self = Self(0);

    /// Returns the number as it leaves: 0 where the place is unknown, else how far it lies from the anchor, in units of 4 bytes, and 2^27 more.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Field for CodeLocation {
    const DOMAIN: Domain = Domain::new(Values::CodeLocation);

    #[inline]
    fn ordinal(&self) -> u32 {
        self.0
    }
}

/// An instruction of a firmware, where a fault handler found it: how far it lies from the anchor, in units of 2 bytes; or, of a panic, a [`CodeLocation`]'s number.
/// 28 bits, like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeAddress(u32);

impl CodeAddress {
    /// An address that can't be told.
    pub const UNKNOWN: Self = Self(0);

    /// The instruction at this address of the device's memory. 0 is unknown, and so is what lies in no program, such as RAM.
    pub(crate) fn of(address: u32) -> Self {
        // The lowest bit of a return address says that it is Thumb.
        let address = (address & !1) as usize;
        if address == 0 { Self::UNKNOWN } else { Self(number(distance(address), OF_INSTRUCTIONS)) }
    }

    /// One that was noted; unknown where there is none of that number.
    pub(crate) const fn from_number(number: u32) -> Self {
        if number < CODE_LOCATIONS { Self(number) } else { Self::UNKNOWN }
    }

    /// Returns the number as it leaves: 0 where it is unknown.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Field for CodeAddress {
    const DOMAIN: Domain = Domain::new(Values::CodeLocation);

    #[inline]
    fn ordinal(&self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn place() -> CodeLocation {
        CodeLocation::caller()
    }

    #[test]
    fn a_place_is_that_of_the_caller_and_the_same_each_time() {
        let places: std::collections::BTreeSet<u32> = (0..3).map(|_| place().get()).collect();
        assert_eq!(places.len(), 1);
        assert!(!places.contains(&place().get()));
        assert!(!places.contains(&0));
    }

    #[test]
    fn a_location_that_is_too_far_is_unknown_and_any_other_is_found_again() {
        for distance in [isize::MIN, -(1 << 29), 1 << 29, isize::MAX] {
            assert_eq!(number(distance, OF_LOCATIONS), 0, "{distance}");
        }
        for distance in [4 - (1 << 29), -4, 0, 8, (1 << 29) - 4] {
            assert_eq!(
                address(1 << 40, number(distance, OF_LOCATIONS)),
                Some((1_u64 << 40).wrapping_add_signed(distance as i64))
            );
        }
    }
}
