//! What a device keeps of its fall over the reset: 24 bytes of memory that is not cleared at the start.
//!
//! | word | what |
//! |---|---|
//! | 0 | which firmware it is of: a hash of the schema's fingerprint and version |
//! | 1 | 0, or the fault's ordinal and 1 more |
//! | 2 | the place |
//! | 3 | the caller |
//! | 4 | restarts since power came |
//! | 5 | a checksum of the words before: after power came they are anything |
//!
//! Nothing is kept without consent: a fault is only noted in memory that [`start`](Retained::start) has made ready.

use crate::crashes::fault::{DeviceCrash, DeviceRestarted, Fault, RESTARTS_MAX, RestartReason};
use crate::events::code_location::{CodeAddress, CodeLocation};
use crate::events::field::Count;
use crate::person::consent::Consent;
use crate::schemas::schema::SchemaDescriptor;
use core::panic::Location;
use core::sync::atomic::{AtomicU32, Ordering};

/// One thread of execution writes it: the start, or a handler that nothing comes after.
const ORDER: Ordering = Ordering::Relaxed;

/// Words of the memory.
const WORDS: usize = 6;

/// Length of what is retained, in bytes.
pub const RETAINED_LEN: usize = 4 * WORDS;

/// Memory that outlives a reset, in a `static` that the start does not clear. Any bytes may be in it.
///
/// On a Cortex-M with cortex-m-rt that is the section `.uninit`; the crate `automagik-telemetry-cortex-m` has one ready, and handlers that write to it.
///
/// ```
/// # use automagik_telemetry_core::consent::{Answer, Signals, decide};
/// # use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
/// # use automagik_telemetry_core::{Schema, schema::Checked};
/// # struct Pump;
/// # impl Schema for Pump {
/// #     const ORGANIZATION: &'static str = "automagik";
/// #     const PROJECT: &'static str = "pump";
/// #     const VERSION: &'static str = "1.2.3";
/// #     const EVENTS: &'static [EventDescriptor] = &[];
/// #     fn position(&self) -> (u16, Ordinals) { (0, Ordinals::new([])) }
/// # }
/// use automagik_telemetry_core::crashes::{Fault, RestartReason, Retained};
///
/// // #[unsafe(link_section = ".uninit.retained")]
/// static RETAINED: Retained = Retained::new();
///
/// # let yes = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent();
/// let schema = Checked::<Pump>::DESCRIPTOR;
/// let first = RETAINED.start(schema, yes);
/// assert!(first.crash().is_none());
/// RETAINED.note_fault(Fault::BusData, 0x1234, 0x5678);
/// // ... the device resets ...
/// let second = RETAINED.start(schema, yes);
/// assert_eq!(second.crash().map(|crash| crash.fault), Some(Fault::BusData));
/// assert_eq!(second.restarted(RestartReason::Software).map(|event| event.restarts.get()), Some(1));
/// // It is told once.
/// assert!(RETAINED.start(schema, yes).crash().is_none());
/// ```
#[derive(Debug)]
#[repr(C)]
pub struct Retained {
    words: [AtomicU32; WORDS],
}

/// What is known of the device's last life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastLife {
    crash: Option<DeviceCrash>,
    restarts: Option<u32>,
}

impl LastLife {
    /// Returns how it ended, if it fell.
    #[must_use]
    pub const fn crash(&self) -> Option<DeviceCrash> {
        self.crash
    }

    /// Returns the event that it started again for `reason`; none without consent.
    #[must_use]
    pub fn restarted(&self, reason: RestartReason) -> Option<DeviceRestarted> {
        Some(DeviceRestarted { reason, restarts: Count::new(self.restarts?) })
    }
}

impl Retained {
    /// Memory in which nothing is noted.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it stands in a static")]
    pub const fn new() -> Self {
        Self { words: [const { AtomicU32::new(0) }; WORDS] }
    }

    /// Returns what the last life of the firmware of `schema` left, and makes the memory ready for this one. Call it once, as soon as it is known whether the person
    /// agrees. Without `consent` all is forgotten, and nothing is noted from then on.
    pub fn start(&self, schema: &SchemaDescriptor, consent: Option<Consent>) -> LastLife {
        let [build, fault, place, caller, count, _] = &self.words;
        let (is_sound, mark) = (self.is_sound(), mark(schema));
        let Some(_) = consent else {
            // Zeros are not sound, so nothing is noted.
            self.words.iter().for_each(|word| word.store(0, ORDER));
            return LastLife { crash: None, restarts: None };
        };
        // Where another firmware fell, its places lie in another file.
        let is_of_this = is_sound && build.load(ORDER) == mark;
        let number = |word: &AtomicU32| if is_of_this { word.load(ORDER) } else { 0 };
        let (place, caller) = (number(place), number(caller));
        let fell = fault.load(ORDER).checked_sub(1).filter(|_| is_sound).and_then(Fault::from_ordinal);
        let restarts = if is_sound { count.load(ORDER).wrapping_add(1).min(RESTARTS_MAX) } else { 0 };
        build.store(mark, ORDER);
        count.store(restarts, ORDER);
        self.keep(0, 0, 0);
        let (place, caller) = (CodeAddress::from_number(place), CodeAddress::from_number(caller));
        let crash = fell.map(|fault| DeviceCrash { fault, place, caller });
        LastLife { crash, restarts: Some(restarts) }
    }

    /// Notes that the device falls by `fault`, at the instruction at the address `pc`, in a function that returns to `lr`; 0 for what is not known. For fault handlers:
    /// it takes no lock and can't fail. Only the first fault of a life is noted.
    pub fn note_fault(&self, fault: Fault, pc: u32, lr: u32) {
        self.note(fault, CodeAddress::of(pc).get(), CodeAddress::of(lr).get());
    }

    /// Notes that the program panics at `location`. For panic handlers.
    pub fn note_panic(&self, location: Option<&Location<'_>>) {
        self.note(Fault::Panic, location.map_or(0, |location| CodeLocation::of(location).get()), 0);
    }

    fn note(&self, fault: Fault, place: u32, caller: u32) {
        let [_, noted, ..] = &self.words;
        if noted.load(ORDER) == 0 && self.is_sound() {
            self.keep((fault as u32).wrapping_add(1), place, caller);
        }
    }

    /// Stores how the life ended, and the checksum behind it: a reset in between leaves words that are not sound.
    #[inline(never)]
    fn keep(&self, fault: u32, place: u32, caller: u32) {
        let [_, of_fault, of_place, of_caller, _, sum] = &self.words;
        of_fault.store(fault, ORDER);
        of_place.store(place, ORDER);
        of_caller.store(caller, ORDER);
        sum.store(self.checksum(), ORDER);
    }

    /// Whether the words are what was stored: after power came they are anything.
    fn is_sound(&self) -> bool {
        let [.., sum] = &self.words;
        sum.load(ORDER) == self.checksum()
    }

    /// Of all words but the last. It tells chance from what was stored, and is no code against forgery.
    #[inline(never)]
    fn checksum(&self) -> u32 {
        let [words @ .., _] = &self.words;
        let mix =
            |sum: u32, word: &AtomicU32| (sum ^ word.load(ORDER)).wrapping_mul(0x0100_0193).rotate_left(15);
        words.iter().fold(0x9E37_79B9, mix)
    }

    /// Returns the memory as bytes, for a device that loses it over a reset and has some other. What is read back from there goes through
    /// [`restore`](Retained::restore) before [`start`](Retained::start).
    #[must_use]
    pub fn to_bytes(&self) -> [u8; RETAINED_LEN] {
        let mut bytes = [0; RETAINED_LEN];
        bytes
            .chunks_exact_mut(4)
            .zip(&self.words)
            .for_each(|(slot, word)| slot.copy_from_slice(&word.load(ORDER).to_le_bytes()));
        bytes
    }

    /// Fills the memory with bytes that [`to_bytes`](Retained::to_bytes) gave; others are as good as none.
    pub fn restore(&self, bytes: &[u8; RETAINED_LEN]) {
        let words = bytes.chunks_exact(4).filter_map(|bytes| Some(u32::from_le_bytes(*bytes.first_chunk()?)));
        self.words.iter().zip(words).for_each(|(slot, word)| slot.store(word, ORDER));
    }
}

/// What tells firmwares apart.
const fn mark(schema: &SchemaDescriptor) -> u32 {
    let [a, b, c] = schema.version_mark();
    u32::from_le_bytes([a, b, c, 0]) ^ schema.fingerprint() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::consent::{Answer, Signals, decide};
    use crate::testing::schema;

    fn yes() -> Option<Consent> {
        decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent()
    }

    fn with(words: [u32; WORDS]) -> Retained {
        let retained = Retained::new();
        retained.words.iter().zip(words).for_each(|(slot, word)| slot.store(word, ORDER));
        retained
    }

    #[test]
    fn without_consent_nothing_is_kept_and_what_was_is_forgotten() {
        let retained = Retained::new();
        retained.start(schema(), yes());
        retained.note_fault(Fault::BusData, 8, 8);
        let last = retained.start(schema(), None);
        assert_eq!((last.crash(), last.restarted(RestartReason::Software)), (None, None));
        assert_eq!(retained.to_bytes(), [0; RETAINED_LEN]);
        retained.note_fault(Fault::BusData, 8, 8);
        assert_eq!(retained.to_bytes(), [0; RETAINED_LEN]);
    }

    #[test]
    fn what_power_left_behind_is_no_fall() {
        for words in [[0; WORDS], [u32::MAX; WORDS], [1, 2, 3, 4, 5, 6]] {
            let last = with(words).start(schema(), yes());
            assert_eq!((last.crash(), last.restarts), (None, Some(0)));
        }
    }

    #[test]
    fn a_fall_outlives_a_reset_and_a_bit_that_is_lost_makes_it_none() {
        let retained = Retained::new();
        retained.start(schema(), yes());
        retained.note_panic(Some(Location::caller()));
        let bytes = retained.to_bytes();
        for at in 0..RETAINED_LEN {
            let mut changed = bytes;
            changed[at] ^= 1 << (at % 8);
            let other = Retained::new();
            other.restore(&changed);
            assert_eq!(other.start(schema(), yes()).crash(), None, "{at}");
        }
        let other = Retained::new();
        other.restore(&bytes);
        let crash = other.start(schema(), yes()).crash().unwrap();
        assert_eq!(crash.fault, Fault::Panic);
        assert_ne!(crash.place, CodeAddress::UNKNOWN);
    }

    #[test]
    fn the_first_fault_of_a_life_is_told_and_restarts_are_counted() {
        let retained = Retained::new();
        retained.start(schema(), yes());
        retained.note_fault(Fault::StackOverflow, 0, 0);
        retained.note_fault(Fault::LockUp, 0, 0);
        let last = retained.start(schema(), yes());
        assert_eq!(last.crash().unwrap().fault, Fault::StackOverflow);
        for count in 2..300 {
            let last = retained.start(schema(), yes());
            let restarts = last.restarted(RestartReason::Unknown).unwrap().restarts.get();
            assert_eq!(restarts, count.min(RESTARTS_MAX));
        }
    }

    #[test]
    fn where_another_firmware_fell_its_places_are_unknown() {
        let retained = Retained::new();
        retained.start(schema(), yes());
        retained.note_fault(Fault::BusData, 8, 8);
        let mut bytes = retained.to_bytes();
        bytes[0] ^= 1;
        let changed = Retained::new();
        changed.restore(&bytes);
        bytes[RETAINED_LEN - 4..].copy_from_slice(&changed.checksum().to_le_bytes());
        let other = Retained::new();
        other.restore(&bytes);
        let crash = other.start(schema(), yes()).crash().unwrap();
        assert_eq!((crash.fault, crash.place), (Fault::BusData, CodeAddress::UNKNOWN));
    }
}
