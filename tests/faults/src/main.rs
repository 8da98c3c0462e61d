//! A Cortex-M3 that falls in the way of the first word after the image on its command line, starts again, and writes the request that tells it to the file of the second.
//!
//! The handlers of faults and panics are those of automagik-telemetry-cortex-m, as they are.

#![no_std]
#![no_main]

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::crashes::{DeviceCrash, DeviceRestarted, Fault, RestartReason};
use automagik_telemetry::otlp::Logs;
use automagik_telemetry::resource::Resource;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{Pseudonym, Record, Schema, Secret};
use automagik_telemetry_cortex_m::RETAINED;
use core::hint::black_box;
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};
use cortex_m_semihosting::nr::open::W_TRUNC_BINARY;
use cortex_m_semihosting::{syscall, syscall1};

#[derive(Schema)]
#[schema(organization = "automagik", project = "faults")]
enum Faults {
    Crash(DeviceCrash),
    Restarted(DeviceRestarted),
}

#[entry]
fn main() -> ! {
    let mut line = [0_u8; 256];
    // The first is the image.
    let mut words = command_line(&mut line).split_ascii_whitespace().skip(1);
    let (way, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let answer = words.next().unwrap_or("yes");
    let consent = decide(&Signals { variable: Answer::parse(answer), ..Signals::default() }).consent();
    let schema = Checked::<Faults>::DESCRIPTOR;
    // Before anything else, so that this life's end is told in the next.
    let last = RETAINED.start(schema, consent);
    let is_second = last.restarted(RestartReason::Software).is_some_and(|event| event.restarts.get() > 0);
    let Some(consent) = consent else {
        // Nothing is kept, so nobody knows that it fell: it would fall for ever.
        RETAINED.note_fault(Fault::BusData, 8, 8);
        exit(if RETAINED.to_bytes() == [0; 24] { EXIT_SUCCESS } else { EXIT_FAILURE });
        loop {}
    };
    if !is_second {
        fall(way);
    }
    let time = Coarse::from_steps(29_350_800);
    let crash = last.crash().map(|crash| Record::new(&Faults::Crash(crash), time));
    let reason = match last.crash().map(|crash| crash.fault) {
        Some(Fault::Watchdog) => RestartReason::Watchdog,
        _ => RestartReason::Software,
    };
    let restarted = last.restarted(reason).map(|event| Record::new(&Faults::Restarted(event), time));
    let (Some(Ok(crash)), Some(Ok(restarted))) = (crash, restarted) else {
        exit(EXIT_FAILURE);
        loop {}
    };
    let pseudonym = Pseudonym::new(&Secret::new([7; 32], consent), "faults", 0);
    let mut buffer = [0; 1_024];
    let request = Logs::encode(&Resource::new(schema, pseudonym), &[crash, restarted], &mut buffer);
    exit(if request.is_ok_and(|request| write(path, request)) { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {}
}

/// Falls.
fn fall(way: &str) {
    match way {
        "hard" => undefined(),
        "bus" => bus(),
        "panic" => panics(black_box(3)),
        "stack" => stack(black_box(1)),
        "watchdog" => watchdog(),
        _ => {}
    }
}

#[inline(never)]
fn undefined() {
    cortex_m::asm::udf();
}

/// Reads where nothing is.
#[inline(never)]
fn bus() {
    // SAFETY: it faults, as it is meant to.
    black_box(unsafe { (0x3000_0000 as *const u32).read_volatile() });
}

#[inline(never)]
fn panics(at: usize) {
    let few = black_box([1, 2, 3]);
    black_box(few[at]);
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
    // SAFETY: these are its registers, load and control, which nothing else uses.
    unsafe {
        (0x4000_8000 as *mut u32).write_volatile(2_500_000);
        (0x4000_8008 as *mut u32).write_volatile(0b11);
    }
    loop {
        cortex_m::asm::nop();
    }
}

/// The watchdog's interrupt, which comes half-way to its reset.
#[exception]
unsafe fn NonMaskableInt() -> ! {
    RETAINED.note_fault(Fault::Watchdog, 0, 0);
    loop {
        cortex_m::asm::nop();
    }
}

fn command_line(line: &mut [u8; 256]) -> &str {
    let mut block = [line.as_mut_ptr() as usize, line.len()];
    // SAFETY: the block holds the address and the length of `line`, as SYS_GET_CMDLINE asks.
    unsafe { syscall1!(GET_CMDLINE, block.as_mut_ptr()) };
    core::str::from_utf8(&line[..block[1].min(line.len())]).unwrap_or("")
}

/// Writes `bytes` to the file at `path` of the host.
fn write(path: &str, bytes: &[u8]) -> bool {
    let mut name = [0_u8; 128];
    let Some(slot) = name[..127].get_mut(..path.len()) else { return false };
    slot.copy_from_slice(path.as_bytes());
    // SAFETY: the name ends with a zero byte.
    let handle = unsafe { syscall!(OPEN, name.as_ptr(), W_TRUNC_BINARY, path.len()) };
    // SAFETY: the host reads `bytes`, and no more of them than there are.
    handle != usize::MAX && unsafe { syscall!(WRITE, handle, bytes.as_ptr(), bytes.len()) } == 0
}
