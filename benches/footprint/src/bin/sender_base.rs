//! An executor, a clock and a task that waits for a word from a network: what the images with a sender have anyway.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::net::{Ipv4Addr, SocketAddr};
use cortex_m_rt::entry;
use embassy_time::{Duration, Timer, with_timeout};
use embedded_io_async::{Read, Write};
use embedded_nal_async::{AddrType, Dns, TcpConnect};
use footprint::sender::{Network, run};

#[embassy_executor::task]
async fn task() {
    let mut word = [0; 64];
    loop {
        Timer::after(Duration::from_secs(black_box(60))).await;
        let asked = async {
            let address = Network.get_host_by_name(black_box("host"), AddrType::Either).await.ok()?;
            let address = if address.is_ipv4() { address } else { Ipv4Addr::LOCALHOST.into() };
            let mut connection = Network.connect(SocketAddr::new(address, 80)).await.ok()?;
            connection.write_all(black_box(b"word")).await.ok()?;
            let len = connection.read(&mut word).await.ok()?;
            core::str::from_utf8(word.get(..len)?).ok()?.parse::<u32>().ok()
        };
        black_box(with_timeout(Duration::from_secs(1), asked).await.ok().flatten());
    }
}

#[entry]
fn main() -> ! {
    run(task())
}
