//! Recording, encoding and sending over HTTP, by a task.

#![no_std]
#![no_main]

use automagik_telemetry::firmware::Http;
use core::hint::black_box;
use cortex_m_rt::entry;
use footprint::sender::{Network, run, telemetry};

#[embassy_executor::task]
async fn task() {
    let sender = Http::new(&Network, &Network, black_box("collector.local"), 4318);
    telemetry(sender).await
}

#[entry]
fn main() -> ! {
    run(task())
}
