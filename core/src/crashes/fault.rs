//! A device that fell: by which fault, at which instruction, and why it started again. Each is an ordinary event of 64 bits at most, so it goes the way of all events.

use crate::counts::aggregate::Counted;
use crate::events::cell::Cells;
use crate::events::code_location::CodeAddress;
use crate::events::event::{Event, EventDescriptor, Ordinals, Severity, field};
use crate::events::field::{Count, Field};
use crate::words::label::Label;

/// What a device fell by. Five bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Fault {
    /// A panic.
    Panic,
    /// A fault of which the core tells no more, as a Cortex-M0.
    HardFault,
    /// A vector could not be read.
    VectorTable,
    /// A fault while a fault was handled.
    LockUp,
    /// The watchdog was about to end it.
    Watchdog,
    /// The stack was full, or its pointer wrong: an exception could not be entered.
    StackOverflow,
    /// An instruction where none may be executed.
    MemoryInstruction,
    /// Data where the memory protection forbids it.
    MemoryData,
    /// An instruction where nothing is.
    BusInstruction,
    /// Data where nothing is.
    BusData,
    /// Data where nothing is, noticed some instructions later.
    BusImprecise,
    /// An exception could not be left.
    Unstacking,
    /// An instruction that the core has not.
    UndefinedInstruction,
    /// An instruction of another state: a function's address without its lowest bit.
    InvalidState,
    /// An exception that returned to nowhere.
    InvalidReturn,
    /// An instruction of a coprocessor that is off or missing.
    NoCoprocessor,
    /// An address that is not aligned.
    Unaligned,
    /// A division by zero.
    DivideByZero,
}

/// The bits of a Cortex-M's Configurable Fault Status Register, the most telling first: where several are set, the others follow from it.
/// Source: ARMv7-M Architecture Reference Manual, B3.2.15; ARMv8-M, D1.2.16 (`STKOF`).
const CFSR: [(u8, Fault); 18] = [
    (20, Fault::StackOverflow), // STKOF
    (12, Fault::StackOverflow), // STKERR
    (4, Fault::StackOverflow),  // MSTKERR
    (0, Fault::MemoryInstruction),
    (1, Fault::MemoryData),
    (5, Fault::MemoryData), // MLSPERR
    (8, Fault::BusInstruction),
    (9, Fault::BusData),
    (13, Fault::BusData), // LSPERR
    (10, Fault::BusImprecise),
    (3, Fault::Unstacking),  // MUNSTKERR
    (11, Fault::Unstacking), // UNSTKERR
    (16, Fault::UndefinedInstruction),
    (17, Fault::InvalidState),
    (18, Fault::InvalidReturn),
    (19, Fault::NoCoprocessor),
    (24, Fault::Unaligned),
    (25, Fault::DivideByZero),
];

/// `HFSR.VECTTBL`.
const VECTOR_TABLE: u32 = 1 << 1;

impl Fault {
    /// All of them, in the order of their ordinals.
    const ALL: [Self; 18] = [
        Self::Panic,
        Self::HardFault,
        Self::VectorTable,
        Self::LockUp,
        Self::Watchdog,
        Self::StackOverflow,
        Self::MemoryInstruction,
        Self::MemoryData,
        Self::BusInstruction,
        Self::BusData,
        Self::BusImprecise,
        Self::Unstacking,
        Self::UndefinedInstruction,
        Self::InvalidState,
        Self::InvalidReturn,
        Self::NoCoprocessor,
        Self::Unaligned,
        Self::DivideByZero,
    ];

    /// What the status registers of a Cortex-M tell; a core without them has zeros.
    ///
    /// ```
    /// use automagik_telemetry_core::crashes::Fault;
    /// assert_eq!(Fault::of_cortex_m(1 << 9 | 1 << 15, 1 << 30), Fault::BusData);
    /// assert_eq!(Fault::of_cortex_m(0, 0), Fault::HardFault);
    /// ```
    #[must_use]
    pub fn of_cortex_m(cfsr: u32, hfsr: u32) -> Self {
        if hfsr & VECTOR_TABLE != 0 {
            return Self::VectorTable;
        }
        let is_set = |(bit, _): &&(u8, Self)| cfsr & 1_u32.wrapping_shl(u32::from(*bit)) != 0;
        CFSR.iter().find(is_set).map_or(Self::HardFault, |(_, fault)| *fault)
    }

    pub(crate) fn from_ordinal(ordinal: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(ordinal).ok()?).copied()
    }
}

#[diagnostic::do_not_recommend]
impl Counted for Fault {
    type Of<T: Cells> = [T; <Self as Label>::WORDS.len()];
}

impl Label for Fault {
    const WORDS: &'static [&'static str] = &[
        "panic",
        "hard_fault",
        "vector_table",
        "lock_up",
        "watchdog",
        "stack_overflow",
        "memory.instruction",
        "memory.data",
        "bus.instruction",
        "bus.data",
        "bus.imprecise",
        "unstacking",
        "usage.undefined_instruction",
        "usage.invalid_state",
        "usage.invalid_return",
        "usage.no_coprocessor",
        "usage.unaligned",
        "usage.divide_by_zero",
    ];

    #[inline]
    fn ordinal(&self) -> u32 {
        *self as u32
    }
}

/// A device fell in its last life: `automagik.device.crash`. Made of what its [retained memory](crate::crashes::Retained) held. Policy: "Error Information".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceCrash {
    /// By what.
    pub fault: Fault,
    /// Of a panic, the place in the source; of a fault, the instruction.
    pub place: CodeAddress,
    /// Where the function returns to that was being executed; unknown for a panic.
    pub caller: CodeAddress,
}

impl Event for DeviceCrash {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "automagik.device.crash",
        severity: Severity::Fatal,
        fields: &[
            field::<Fault>("fault"),
            field::<CodeAddress>("crash_place"),
            field::<CodeAddress>("crash_caller"),
        ],
    };

    #[inline]
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([Field::ordinal(&self.fault), self.place.ordinal(), self.caller.ordinal()])
    }
}

/// Why a device started. What its reset controller's register says, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartReason {
    /// Nobody knows.
    Unknown,
    /// Power came.
    Power,
    /// The reset pin.
    Pin,
    /// The watchdog.
    Watchdog,
    /// The program asked for it, as it does after a fault.
    Software,
    /// The voltage was too low.
    BrownOut,
    /// The core was locked up.
    LockUp,
}

#[diagnostic::do_not_recommend]
impl Counted for RestartReason {
    type Of<T: Cells> = [T; <Self as Label>::WORDS.len()];
}

impl Label for RestartReason {
    const WORDS: &'static [&'static str] =
        &["unknown", "power", "pin", "watchdog", "software", "brown_out", "lock_up"];

    #[inline]
    fn ordinal(&self) -> u32 {
        *self as u32
    }
}

/// Most restarts that are counted.
pub const RESTARTS_MAX: u32 = 255;

/// A device started: `automagik.device.restart`. Policy: "Performance Metrics".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceRestarted {
    /// Why.
    pub reason: RestartReason,
    /// How often since its memory was without power.
    pub restarts: Count<RESTARTS_MAX>,
}

impl Event for DeviceRestarted {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "automagik.device.restart",
        severity: Severity::Warn,
        fields: &[field::<RestartReason>("reason"), field::<Count<RESTARTS_MAX>>("restarts")],
    };

    #[inline]
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([Field::ordinal(&self.reason), self.restarts.ordinal()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_word_and_its_place() {
        for (at, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!((fault as usize, Fault::from_ordinal(at as u32)), (at, Some(fault)));
        }
        assert_eq!((Fault::ALL.len(), Fault::from_ordinal(18)), (Fault::WORDS.len(), None));
    }

    #[test]
    fn of_several_bits_the_one_is_told_that_the_others_follow_from() {
        // A push beyond the stack, and the exception that could not be entered.
        assert_eq!(Fault::of_cortex_m(1 << 12 | 1 << 9, 1 << 30), Fault::StackOverflow);
        assert_eq!(Fault::of_cortex_m(1 << 25, 1 << 30), Fault::DivideByZero);
        assert_eq!(Fault::of_cortex_m(u32::MAX, 1 << 1), Fault::VectorTable);
    }

    #[test]
    fn the_events_are_within_the_rules() {
        let crash = crate::event::Checked::<DeviceCrash>::DESCRIPTOR;
        let restart = crate::event::Checked::<DeviceRestarted>::DESCRIPTOR;
        assert_eq!((crash.bits(), restart.bits()), (5 + 28 + 28, 3 + 8));
    }
}
