//! An event, recorded to a queue of 256 bytes.

#![no_std]
#![no_main]

use automagik_telemetry::time::Coarse;
use automagik_telemetry::{Milliseconds, Queue, Record};
use core::hint::black_box;
use cortex_m_rt::entry;
use footprint::{Feature, Pump, Ran};

static QUEUE: Queue<256> = Queue::new();

#[entry]
fn main() -> ! {
    loop {
        let event = Ran {
            feature: black_box(Feature::Lamp),
            duration_ms: Milliseconds::new(black_box(130)),
            success: black_box(true),
        };
        if let Ok(record) = Record::new(&Pump::Ran(event), Coarse::from_steps(black_box(1))) {
            let _ = QUEUE.push(&record);
        }
    }
}
