//! The same, over TLS.

#![no_std]
#![no_main]

use automagik_telemetry::FeatureUsed;
use automagik_telemetry::firmware::{Authority, Http, Https, RECORD_LEN_MAX, Settings, Telemetry};
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
    static RECEIVED: StaticCell<[u8; RECORD_LEN_MAX]> = StaticCell::new();
    static SENT: StaticCell<[u8; 1024]> = StaticCell::new();
    let http = Http::new(&Network, &Network, black_box("collector.local"), 4318);
    let authority = Authority::from_der(black_box(b"a certificate"));
    let (received, sent) = (RECEIVED.init([0; RECORD_LEN_MAX]), SENT.init([0; 1024]));
    let sender = Https::new(http, authority, |bytes| bytes.fill(black_box(7)), received, sent);
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
