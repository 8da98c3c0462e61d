//! Like `faults`, and what the last life left, read at the start. The two events of it are the vocabulary's.

#![no_std]
#![no_main]

use automagik_telemetry::schema::Checked;
use automagik_telemetry_cortex_m::RETAINED;
use core::hint::black_box;
use core::panic::Location;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    footprint::application();
    let last = RETAINED.start(Checked::<footprint::Pump>::DESCRIPTOR, footprint::consent());
    black_box(last);
    // A panic handler's part.
    RETAINED.note_panic(black_box(Some(Location::caller())));
    loop {
        cortex_m::asm::wfi();
    }
}
