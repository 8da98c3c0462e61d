//! What `faults` has beside the handler and its memory: somebody decides whether there is consent.

#![no_std]
#![no_main]

use automagik_telemetry::consent::{Answer, Signals, decide};
use core::hint::black_box;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    footprint::application();
    let signals = black_box(Signals { variable: Answer::Yes, ..Signals::default() });
    black_box(decide(&signals).consent());
    loop {
        cortex_m::asm::wfi();
    }
}
