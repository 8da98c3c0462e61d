#![doc = include_str!("../README.md")]
#![no_std]
// Registers, the exception's frame and a section of the linker's are what this crate is for; core has no unsafe code.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

use automagik_telemetry_core::crashes::{Fault, Retained};

/// What is kept over a reset: in RAM that the start does not clear.
// SAFETY: any bytes are a `Retained`, and cortex-m-rt leaves this section alone.
#[cfg_attr(target_os = "none", unsafe(link_section = ".uninit.automagik_telemetry"))]
pub static RETAINED: Retained = Retained::new();

/// What the core stacks when an exception is entered. Source: ARMv7-M Architecture Reference Manual, B1.5.6.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Frame {
    r0: u32,
    r1: u32,
    r2: u32,
    r3: u32,
    r12: u32,
    lr: u32,
    pc: u32,
    xpsr: u32,
}

/// The SRAM of every Cortex-M's address map. A stack pointer that left it at its lower end has no frame to read.
const RAM: core::ops::Range<usize> = 0x2000_0000..0x4000_0000;

/// Notes a hard fault whose frame the core has stacked at `frame`, for a handler of your own. Reset the device afterwards.
///
/// # Safety
///
/// Call it from an exception handler, with the stack pointer that was in use when the exception was entered.
pub unsafe fn note_hard_fault(frame: *const Frame) {
    let (cfsr, hfsr) = fault_status();
    let is_readable = RAM.contains(&frame.addr()) && frame.is_aligned();
    // Whatever the core met next, it met it with a stack pointer that had left the memory.
    let fault = if is_readable { Fault::of_cortex_m(cfsr, hfsr) } else { Fault::StackOverflow };
    // What could not be stacked is not there.
    let (pc, lr) = if fault != Fault::StackOverflow {
        // SAFETY: the core has written it there, as the caller says, and it lies in RAM.
        let frame = unsafe { frame.read_volatile() };
        (frame.pc, frame.lr)
    } else {
        (0, 0)
    };
    RETAINED.note_fault(fault, pc, lr);
}

/// The Configurable and the Hard Fault Status Register.
#[cfg(fault_status)]
fn fault_status() -> (u32, u32) {
    let (cfsr, hfsr) = (0xE000_ED28 as *const u32, 0xE000_ED2C as *const u32);
    // SAFETY: the registers are there on every core of the mainline, and reading changes nothing.
    unsafe { (cfsr.read_volatile(), hfsr.read_volatile()) }
}

/// A core without them tells nothing.
#[cfg(not(fault_status))]
fn fault_status() -> (u32, u32) {
    (0, 0)
}

/// Resets the device.
#[cfg(all(any(feature = "hard-fault", feature = "panic-handler"), target_os = "none"))]
fn reset() -> ! {
    /// Application Interrupt and Reset Control Register; its key, and the request.
    const AIRCR: *mut u32 = 0xE000_ED0C as *mut u32;
    const REQUEST: u32 = 0x05FA << 16 | 1 << 2;
    // SAFETY: every Cortex-M has it, and nothing comes after.
    unsafe { AIRCR.write_volatile(REQUEST) };
    loop {
        core::hint::spin_loop();
    }
}

// The stack that overflowed is no place for a handler: what it held is over, so the handler starts where it started.
#[cfg(all(feature = "hard-fault", target_os = "none"))]
core::arch::global_asm!(
    ".section .HardFault.automagik_telemetry, \"ax\"",
    ".global HardFault",
    ".type HardFault, %function",
    ".thumb_func",
    "HardFault:",
    "mov r1, lr",
    "movs r2, #4",
    "tst r1, r2",
    "bne 1f",
    "mrs r0, MSP",
    "b 2f",
    "1:",
    "mrs r0, PSP",
    "2:",
    "ldr r2, =_stack_start",
    "mov sp, r2",
    "bl {handler}",
    ".ltorg",
    ".size HardFault, . - HardFault",
    handler = sym hard_fault,
);

/// # Safety
///
/// For the core alone, through the above.
#[cfg(all(feature = "hard-fault", target_os = "none"))]
unsafe extern "C" fn hard_fault(frame: *const Frame) -> ! {
    // SAFETY: it is the stack pointer of before the exception.
    unsafe { note_hard_fault(frame) };
    reset()
}

#[cfg(all(feature = "panic-handler", target_os = "none"))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    RETAINED.note_panic(info.location());
    reset()
}
