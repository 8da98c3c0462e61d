//! The same, over TLS.

#![no_std]
#![no_main]

use automagik_telemetry::firmware::{Authority, Http, Https, RECORD_LEN_MAX};
use core::hint::black_box;
use cortex_m_rt::entry;
use footprint::sender::{Network, run, telemetry};
use static_cell::StaticCell;

#[embassy_executor::task]
async fn task() {
    static RECEIVED: StaticCell<[u8; RECORD_LEN_MAX]> = StaticCell::new();
    static SENT: StaticCell<[u8; 1024]> = StaticCell::new();
    let http = Http::new(&Network, &Network, black_box("collector.local"), 4318);
    let authority = Authority::from_der(black_box(b"a certificate"));
    let (received, sent) = (RECEIVED.init([0; RECORD_LEN_MAX]), SENT.init([0; 1024]));
    let sender = Https::new(http, authority, |bytes| bytes.fill(black_box(7)), received, sent);
    telemetry(sender).await
}

#[entry]
fn main() -> ! {
    run(task())
}
