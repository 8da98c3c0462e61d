//! A firmware for the smallest machine there is: a Cortex-M0 that speaks frames over a serial line.

#![no_std]
#![no_main]

#[path = "../../firmware/src/clock.rs"]
mod clock;
#[path = "nrf51.rs"]
mod uart;
mod program;

use cortex_m_rt::entry;
use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};
use embassy_executor::Executor;
use static_cell::StaticCell;

/// 16 MHz, of which a thousand ticks are made.
const CYCLES_PER_TICK: u32 = 16_000;

/// The serial line has an interrupt of its own.
fn ticked() {}

#[entry]
fn main() -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    // SAFETY: nothing else on this machine takes them.
    clock::start(unsafe { cortex_m::Peripherals::steal() }.SYST, CYCLES_PER_TICK);
    uart::start();
    EXECUTOR.init(Executor::new()).run(|spawner| {
        if let Ok(task) = program::program(spawner) {
            spawner.spawn(task);
        }
    })
}

/// All was acknowledged.
fn end() {
    exit(EXIT_SUCCESS);
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(EXIT_FAILURE);
    loop {}
}
