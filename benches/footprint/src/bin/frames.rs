//! The same, and the queue in sealed frames, each repeated until it is acknowledged.

#![no_std]
#![no_main]

use automagik_telemetry::Queue;
use automagik_telemetry::frames::{Boot, Hello, Key, Session};
use automagik_telemetry::record::Records;
use automagik_telemetry::schema::Checked;
use core::hint::black_box;
use cortex_m_rt::entry;
use footprint::Pump;

static QUEUE: Queue<256> = Queue::new();

#[entry]
fn main() -> ! {
    footprint::application();
    loop {
        footprint::record(&QUEUE);
        let Some(pseudonym) = footprint::pseudonym() else { continue };
        let hello = Hello::new(Checked::<Pump>::DESCRIPTOR, pseudonym, black_box(None));
        let boot = Boot::random(black_box([7; 8]));
        let mut session = Session::new(Key::new(black_box([7; 16])), boot, None);
        let mut frame = [0; 64];
        if let Ok(sealed) = session.hello(&hello, &mut frame) {
            black_box((&frame, sealed));
        }
        while let Some(batch) = QUEUE.batch(100) {
            let mut at = batch.first();
            let Ok(Some(sealed)) = session.data(&hello, &batch, &mut at, &mut frame) else { break };
            if session.is_acknowledged(sealed.sequence, black_box(&frame)) || session.is_asked(&frame) {
                batch.commit();
            }
        }
    }
}
