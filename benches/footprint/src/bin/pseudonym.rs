//! The same, with consent and the pseudonym, of which nothing is sent: what SHA-256 costs, told apart from the encoder.

#![no_std]
#![no_main]

use automagik_telemetry::Queue;
use core::hint::black_box;
use cortex_m_rt::entry;

static QUEUE: Queue<256> = Queue::new();

#[entry]
fn main() -> ! {
    footprint::application();
    loop {
        footprint::record(&QUEUE);
        if let Some(pseudonym) = footprint::pseudonym() {
            black_box(pseudonym);
        }
    }
}
