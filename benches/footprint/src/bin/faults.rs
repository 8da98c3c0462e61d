//! The handler of faults, and what a panic handler calls. Beside `faults_base`.

#![no_std]
#![no_main]

use automagik_telemetry_cortex_m::RETAINED;
use core::hint::black_box;
use core::panic::Location;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    footprint::application();
    black_box(footprint::consent());
    // A panic handler's part.
    RETAINED.note_panic(black_box(Some(Location::caller())));
    loop {
        cortex_m::asm::wfi();
    }
}
