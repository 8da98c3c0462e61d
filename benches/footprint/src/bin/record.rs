//! An event, recorded to a queue of 256 bytes.

#![no_std]
#![no_main]

use automagik_telemetry::Queue;
use cortex_m_rt::entry;

static QUEUE: Queue<256> = Queue::new();

#[entry]
fn main() -> ! {
    footprint::application();
    loop {
        footprint::record(&QUEUE);
    }
}
