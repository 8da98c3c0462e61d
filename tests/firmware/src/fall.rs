//! Ways in which a firmware falls. `tests/faults` has those that this machine's emulation lets pass.

use automagik_telemetry::crashes::Fault;
use automagik_telemetry_cortex_m::RETAINED;
use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

/// The watchdog's interrupt, which comes half-way to its reset. Line 18 of this machine.
#[derive(Clone, Copy)]
struct Watchdog;

const WATCHDOG: u16 = 18;

// SAFETY: it exists on this machine.
unsafe impl InterruptNumber for Watchdog {
    fn number(self) -> u16 {
        WATCHDOG
    }
}

/// Falls in the way of this word.
pub fn fall(way: &str) {
    match way {
        "hard" => cortex_m::asm::udf(),
        "panic" => panic!("MARKED message"),
        "watchdog" => watchdog(),
        _ => {}
    }
}

/// Starts the watchdog and forgets it.
fn watchdog() {
    // SAFETY: these are its registers: load, control. Nothing else uses them, and its handler only notes.
    unsafe {
        (0x4000_0000 as *mut u32).write_volatile(1_000_000);
        (0x4000_0008 as *mut u32).write_volatile(0b11);
        NVIC::unmask(Watchdog);
    }
    loop {
        cortex_m::asm::nop();
    }
}

/// What the handler of interrupts does with this line: notes the watchdog's, and waits for its reset.
pub fn interrupted(line: i16) {
    if line == WATCHDOG as i16 {
        RETAINED.note_fault(Fault::Watchdog, 0, 0);
        loop {
            cortex_m::asm::nop();
        }
    }
}
