//! The same, with consent and the pseudonym, of which nothing is sent: what SHA-256 costs, told apart from the encoder.

#![no_std]
#![no_main]

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::{Pseudonym, Queue, Secret};
use core::hint::black_box;
use cortex_m_rt::entry;

static QUEUE: Queue<256> = Queue::new();

#[entry]
fn main() -> ! {
    let signals = Signals { variable: black_box(Answer::Yes), ..Signals::default() };
    loop {
        footprint::record(&QUEUE);
        let Some(consent) = decide(&signals).consent() else { continue };
        black_box(Pseudonym::new(&Secret::new(black_box([7; 32]), consent), "pump", 0));
    }
}
