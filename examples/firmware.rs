//! A firmware: a pump that tells why it ran and for how long. `board` is what your HAL gives you, here for QEMU's lm3s6965evb, a
//! Cortex-M3 with 64 KiB: `cargo test --test firmware the_example` builds it, runs it and looks at what arrives.
#![no_std]
#![no_main]

use automagik_telemetry::firmware::{Backlog, Http, Provision, Settings, Telemetry};
use automagik_telemetry::{Event, Label, Milliseconds, Schema};
use board::{Words, flash};
use embassy_net::Stack;
use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embassy_time::{Duration, Instant, Timer};

#[derive(Label, Clone, Copy)]
enum Cause {
    Button,
    Timer,
}

#[derive(Event, Clone, Copy)]
#[event(name = "pump.ran")]
struct PumpRan {
    cause: Cause,
    duration_ms: Milliseconds,
}

/// All that this firmware can ever send.
#[derive(Schema)]
#[schema(organization = "automagik", project = "pump")]
enum Pump {
    Ran(PumpRan),
}

/// 2 KiB of RAM: about 300 events. Any task or interrupt records; before consent that is one load and one branch.
static TELEMETRY: Telemetry<Pump, 2048> = Telemetry::new();

#[embassy_executor::task]
async fn pump() {
    for cause in [Cause::Timer, Cause::Button].into_iter().cycle() {
        let started = Instant::now();
        Timer::after_millis(300).await;
        let duration = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        TELEMETRY.record(PumpRan { cause, duration_ms: Milliseconds::new(duration) });
    }
}

/// Looks for the person's answer in flash, and sends where it is a yes.
#[embassy_executor::task]
async fn telemetry(stack: Stack<'static>, words: Words) {
    let Some((answers, records)) = flash::open_twice(&words) else { return };
    let Ok(mut provision) = Provision::new(answers, flash::PROVISION) else { return };
    let Ok(mut backlog) = Backlog::new(records, flash::BACKLOG) else { return };
    // On a device: a switch, a display, your set-up tool. What can't be kept is no yes.
    if let Some(answer) = words.word("answer")
        && provision.answer(answer == "yes").await.is_err()
    {
        return;
    }
    let Some(consent) = provision.decision().await.consent() else {
        let _ = backlog.erase().await; // a no that was said just before the power failed
        return;
    };
    // Your HAL's generator of random numbers; QEMU has none.
    let Ok(secret) = provision.secret(consent, |bytes| bytes.fill(7)).await else { return };
    TELEMETRY.start(consent);
    let state = TcpClientState::<1, 1024, 512>::new();
    let (tcp, dns) = (TcpClient::new(stack, &state), DnsSocket::new(stack));
    let http = Http::new(&tcp, &dns, "10.0.2.2", words.number("port") as u16);
    let settings = Settings { interval: Duration::from_secs(2), seed: 1 }; // once a minute by default
    TELEMETRY.run_with(&secret, http, backlog, settings).await
}

#[cortex_m_rt::entry]
fn main() -> ! {
    board::start(|spawner, stack| {
        spawner.spawn(pump().unwrap());
        spawner.spawn(telemetry(stack, Words::get()).unwrap());
    })
}
