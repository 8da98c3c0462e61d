//! The same, and the queue as an OTLP logs request, pulled in pieces.

#![no_std]
#![no_main]

use automagik_telemetry::Queue;
use automagik_telemetry::otlp::Logs;
use automagik_telemetry::resource::Resource;
use automagik_telemetry::schema::Checked;
use cortex_m_rt::entry;
use footprint::{Pump, pull};

static QUEUE: Queue<256> = Queue::new();

#[entry]
fn main() -> ! {
    footprint::application();
    loop {
        footprint::record(&QUEUE);
        let Some(pseudonym) = footprint::pseudonym() else { continue };
        let resource = Resource::new(Checked::<Pump>::DESCRIPTOR, pseudonym);
        if let Some(batch) = QUEUE.batch(100) {
            pull(&mut Logs::new(&resource, &batch));
            batch.commit();
        }
    }
}
