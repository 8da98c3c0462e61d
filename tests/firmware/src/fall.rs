//! Ways in which a firmware falls.

use automagik_telemetry::crashes::Fault;
use automagik_telemetry_cortex_m::RETAINED;
use core::hint::black_box;
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
        "bus" => bus(),
        "panic" => panic!("MARKED message"),
        "stack" => stack(black_box(1)),
        "watchdog" => watchdog(),
        _ => {}
    }
}

/// Reads where nothing is.
#[inline(never)]
pub fn bus() {
    // SAFETY: it faults, as it is meant to.
    black_box(unsafe { (0x3000_0000 as *const u32).read_volatile() });
}

/// Calls itself until the stack is full.
#[inline(never)]
fn stack(depth: u32) {
    let here = black_box([depth; 32]);
    if depth < u32::MAX {
        stack(black_box(depth + 1));
    }
    black_box(here);
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
