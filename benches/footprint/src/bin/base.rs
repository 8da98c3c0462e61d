//! Nothing but what is the application's: what every image has.

#![no_std]
#![no_main]

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    footprint::application();
    loop {
        cortex_m::asm::wfi();
    }
}
