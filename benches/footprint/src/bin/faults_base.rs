//! What `faults` has beside the handler and its memory: somebody decides whether there is consent.

#![no_std]
#![no_main]

use core::hint::black_box;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    footprint::application();
    black_box(footprint::consent());
    loop {
        cortex_m::asm::wfi();
    }
}
