//! Like `pseudonym`, and the queue read and emptied, of which nothing is sent: what that costs, told apart from frames.

#![no_std]
#![no_main]

use automagik_telemetry::Queue;
use automagik_telemetry::record::Records;
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
        if let Some(batch) = QUEUE.batch(100) {
            let records: &dyn Records = black_box(&batch);
            let mut at = records.first();
            while let Some(record) = records.next(&mut at) {
                black_box(record);
            }
            batch.commit();
        }
    }
}
