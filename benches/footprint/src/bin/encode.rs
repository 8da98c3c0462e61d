//! The same, and the queue as an OTLP logs request, pulled in pieces.

#![no_std]
#![no_main]

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::otlp::{Body, Logs};
use automagik_telemetry::resource::Resource;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{Milliseconds, Pseudonym, Queue, Record, Secret};
use core::hint::black_box;
use cortex_m_rt::entry;
use footprint::{Feature, Pump, Ran};

static QUEUE: Queue<256> = Queue::new();

#[entry]
fn main() -> ! {
    let signals = Signals { variable: black_box(Answer::Yes), ..Signals::default() };
    loop {
        let event = Ran {
            feature: black_box(Feature::Lamp),
            duration_ms: Milliseconds::new(black_box(130)),
            success: black_box(true),
        };
        if let Ok(record) = Record::new(&Pump::Ran(event), Coarse::from_steps(black_box(1))) {
            let _ = QUEUE.push(&record);
        }
        let Some(consent) = decide(&signals).consent() else { continue };
        let pseudonym = Pseudonym::new(&Secret::new(black_box([7; 32]), consent), "pump", 0);
        let resource = Resource::new(Checked::<Pump>::DESCRIPTOR, pseudonym);
        if let Some(batch) = QUEUE.batch(100) {
            let mut piece = [0; 64];
            let mut body = Logs::new(&resource, &batch);
            black_box(body.len());
            while let Ok(1..) = body.read(&mut piece) {
                black_box(&piece);
            }
            batch.commit();
        }
    }
}
