//! Recording, encoding and sending over HTTP, by a task.

#![no_std]
#![no_main]

use automagik_telemetry::FeatureUsed;
use automagik_telemetry::firmware::{Http, Settings, Telemetry};
use core::hint::black_box;
use cortex_m_rt::entry;
use embassy_executor::Executor;
use footprint::sender::Network;
use footprint::{Feature, Pump};
use static_cell::StaticCell;

static TELEMETRY: Telemetry<Pump, 256> = Telemetry::new();

#[embassy_executor::task]
async fn task() {
    let Some((secret, consent)) = footprint::agreed() else { return };
    TELEMETRY.start(consent);
    TELEMETRY.record(FeatureUsed { feature: black_box(Feature::Lamp) });
    let sender = Http::new(&Network, &Network, black_box("collector.local"), 4318);
    TELEMETRY.run(&secret, sender, Settings::default()).await
}

#[entry]
fn main() -> ! {
    footprint::application();
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    EXECUTOR.init(Executor::new()).run(|spawner| {
        if let Ok(token) = task() {
            spawner.spawn(token);
        }
    })
}
