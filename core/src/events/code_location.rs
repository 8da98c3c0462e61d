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

/// Locations are aligned to that.
const UNIT: i64 = 4;

/// The number of a location at this distance from the anchor; 0 where it is too far.
const fn number(distance: i64) -> u32 {
    let number = distance.wrapping_div(UNIT).saturating_add(MIDDLE);
    if number < 0 || number >= CODE_LOCATIONS as i64 { 0 } else { number as u32 }
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
    if number == 0 || number >= CODE_LOCATIONS {
        return None;
    }
    let distance = (number as i64).wrapping_sub(MIDDLE).wrapping_mul(UNIT);
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
    fn of(location: &'static Location<'static>) -> Self {
        let address = |pointer: *const ()| pointer.addr() as i64;
        let from = address((&raw const ANCHOR).cast());
        Self(number(address(core::ptr::from_ref(location).cast()).wrapping_sub(from)))
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
        for distance in [i64::MIN, -(1 << 29), 1 << 29, 1 << 40, i64::MAX] {
            assert_eq!(number(distance), 0, "{distance}");
        }
        for distance in [4 - (1 << 29), -4, 0, 8, (1 << 29) - 4] {
            assert_eq!(address(1 << 40, number(distance)), Some((1_u64 << 40).wrapping_add_signed(distance)));
        }
    }
}
