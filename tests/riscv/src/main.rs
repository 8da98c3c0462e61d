//! A RISC-V core that speaks frames over a serial line: QEMU's virt, of 32 bits.

#![no_std]
#![no_main]

mod clock;
#[path = "../../microbit/src/program.rs"]
mod program;
mod uart;

use embassy_executor::Executor;
use static_cell::StaticCell;

/// The machine ends where one of these is written here.
const FINISH: usize = 0x0010_0000;
const PASSED: u32 = 0x5555;
const FAILED: u32 = 0x3333;

fn finish(how: u32) -> ! {
    loop {
        // SAFETY: a register of this machine.
        unsafe { core::ptr::write_volatile(FINISH as *mut u32, how) };
    }
}

/// All was acknowledged.
fn end() {
    finish(PASSED)
}

#[riscv_rt::entry]
fn main() -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    clock::start();
    EXECUTOR.init(Executor::new()).run(|spawner| {
        if let Ok(task) = program::program(spawner) {
            spawner.spawn(task);
        }
    })
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    finish(FAILED)
}
