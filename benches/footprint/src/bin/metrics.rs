//! The same, and a counter and a histogram: counted, drained to the queue, and told as an OTLP metrics request.

#![no_std]
#![no_main]

use automagik_telemetry::aggregate::drain;
use automagik_telemetry::otlp::{self, Logs};
use automagik_telemetry::resource::Resource;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{Metrics, Milliseconds, Queue};
use core::hint::black_box;
use cortex_m_rt::entry;
use footprint::{Feature, Metered, PumpMetrics, pull};

static QUEUE: Queue<256> = Queue::new();

#[entry]
fn main() -> ! {
    footprint::application();
    loop {
        footprint::record(&QUEUE);
        PumpMetrics::global().runs.add(black_box(Feature::Lamp));
        PumpMetrics::global().durations.record(black_box(Feature::Lamp), Milliseconds::new(black_box(130)));
        let (start, end) = (Coarse::from_steps(black_box(1)), Coarse::from_steps(black_box(2)));
        drain::<Metered>(start, end, |record| QUEUE.offer(&record).is_ok());
        let Some(pseudonym) = footprint::pseudonym() else { continue };
        let resource = Resource::new(Checked::<Metered>::DESCRIPTOR, pseudonym);
        if let Some(batch) = QUEUE.batch(100) {
            pull(&mut Logs::new(&resource, &batch));
            pull(&mut otlp::Metrics::new(&resource, &batch));
            batch.commit();
        }
    }
}
