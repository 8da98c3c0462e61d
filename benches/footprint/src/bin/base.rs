//! Nothing: what every image has.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint as _;

#[entry]
fn main() -> ! {
    // The critical section is the target's, not ours.
    cortex_m::interrupt::free(|_| ());
    loop {
        cortex_m::asm::wfi();
    }
}
