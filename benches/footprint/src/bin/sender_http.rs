//! Recording, encoding and sending over HTTP, by a task.

#![no_std]
#![no_main]

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::firmware::{Http, Settings, Telemetry};
use automagik_telemetry::{FeatureUsed, Secret};
use core::hint::black_box;
use cortex_m_rt::entry;
use embassy_executor::Executor;
use footprint::sender::Network;
use footprint::{Feature, Pump};
use static_cell::StaticCell;

static TELEMETRY: Telemetry<Pump, 256> = Telemetry::new();

#[embassy_executor::task]
async fn task() {
    let signals = Signals { variable: black_box(Answer::Yes), ..Signals::default() };
    let Some(consent) = decide(&signals).consent() else { return };
    let secret = Secret::new(black_box([7; 32]), consent);
    TELEMETRY.start(consent);
    TELEMETRY.record(FeatureUsed { feature: black_box(Feature::Lamp) });
    let sender = Http::new(&Network, &Network, black_box("collector.local"), 4318);
    TELEMETRY.run(&secret, sender, Settings::default()).await
}

#[entry]
fn main() -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    EXECUTOR.init(Executor::new()).run(|spawner| {
        if let Ok(token) = task() {
            spawner.spawn(token);
        }
    })
}
