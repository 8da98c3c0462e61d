//! A firmware with telemetry in it, for QEMU's lm3s6965evb. `tests/firmware.rs` starts it with words on its command line:
//!
//! `port=<collector's port at 10.0.2.2> records=<from a task> interrupts=<records from an interrupt> consent=<yes|no>
//! then=withdraw seconds=<to live at most> quiet=<turns of 0.6 s with nothing to send before it ends>`
//!
//! With `authority=<file of a certificate in DER>` requests go over TLS, to the host `collector.test` that it vouches for.
//! With `gateway=<port at 10.0.2.2>` it speaks frames instead, over UDP, sealed with the key of `key=<32 hexadecimal digits>`; `random` makes its boots.
//! With `flash=<file>` the answer, the secret and the backlog are kept there; `random=<byte>` is what its generator gives.

#![no_std]
#![no_main]

mod line;
mod schema;

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::crashes::{DeviceCrash, DeviceRestarted, Fault, RestartReason};
use automagik_telemetry::firmware::{
    Backlog, Datagrams, Frames, Provision, SEALED_HEAD_LEN, SealedBacklog, Settings, Telemetry,
};
use automagik_telemetry::frames::{Boot, Key};
use automagik_telemetry::schema::Checked;
use automagik_telemetry::{Consent, Count, Counter, Event, FeatureUsed, Label, Metrics, Schema, Secret};
use automagik_telemetry_cortex_m::RETAINED;
use board::Words;
use board::flash::{self, Flash};
use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::debug::{EXIT_SUCCESS, exit};
use cortex_m_semihosting::hprintln;
use embassy_executor::Spawner;
use embassy_net::Stack;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_time::{Duration, Instant, Timer};
use line::Line;
use schema::{Counted, Feature, Firmware, Interrupted};
use static_cell::StaticCell;

/// Records how the last life ended, and falls in the way of the command line where it did not yet.
fn tell_last_life(consent: Option<Consent>, words: &Words) {
    let last = RETAINED.start(Checked::<Firmware>::DESCRIPTOR, consent);
    match (last.crash(), words.word("fall")) {
        (Some(crash), _) => {
            TELEMETRY.record(crash);
            // This machine does not say why it started; its handlers reset it.
            let reason = match crash.fault {
                Fault::Watchdog => RestartReason::Watchdog,
                _ => RestartReason::Software,
            };
            if let Some(restarted) = last.restarted(reason) {
                TELEMETRY.record(restarted);
            }
        }
        (None, Some(way)) => board::fall::fall(way),
        (None, None) => {}
    }
}

/// 1 KiB: about 170 records.
static TELEMETRY: Telemetry<Firmware, 1024> = Telemetry::new();

/// An interrupt that nothing else uses.
#[derive(Clone, Copy)]
struct Button;

// SAFETY: line 5 exists on this machine.
unsafe impl InterruptNumber for Button {
    fn number(self) -> u16 {
        5
    }
}

static PRESSED: AtomicU32 = AtomicU32::new(0);

#[exception]
unsafe fn DefaultHandler(line: i16) {
    board::fall::interrupted(line);
    let number = PRESSED.fetch_add(1, Ordering::Relaxed);
    TELEMETRY.record(Interrupted { number: Count::new(number) });
}

#[embassy_executor::task]
async fn telemetry_task(secret: Secret, sender: Line, backlog: Option<Backlog<Flash>>) {
    let settings = Settings { interval: Duration::from_millis(500), seed: 7 };
    match backlog {
        Some(backlog) => TELEMETRY.run_with(&secret, sender, backlog, settings).await,
        None => TELEMETRY.run(&secret, sender, settings).await,
    }
}

#[embassy_executor::task]
async fn frames_task(secret: Secret, stack: Stack<'static>, words: Words) {
    static RECEIVED: StaticCell<[u8; 128]> = StaticCell::new();
    static SENT: StaticCell<[u8; 512]> = StaticCell::new();
    static METADATA: StaticCell<[[PacketMetadata; 4]; 2]> = StaticCell::new();
    let [of_received, of_sent] = METADATA.init([[PacketMetadata::EMPTY; 4]; 2]);
    let (received, sent) = (RECEIVED.init([0; 128]), SENT.init([0; 512]));
    let mut socket = UdpSocket::new(stack, of_received, received, of_sent, sent);
    socket.bind(4_319).unwrap();
    let gateway = Datagrams::new(socket, Ipv4Addr::new(10, 0, 2, 2), words.number("gateway") as u16);
    let digits = u128::from_str_radix(words.word("key").unwrap_or(""), 16).unwrap();
    // A device has a generator: this machine has none, and is told something else at each start.
    let mut random = u64::from(words.number("random")) << 32;
    let boots = move || {
        random = (random + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Boot::random(random.to_le_bytes())
    };
    let frames =
        Frames::new(gateway, Key::new(digits.to_be_bytes()), boots).patience(Duration::from_millis(700));
    let settings = Settings { interval: Duration::from_millis(500), seed: 7 };
    match words.word("flash").and_then(Flash::open) {
        Some(flash) => {
            let backlog = SealedBacklog::new(flash, flash::BACKLOG).unwrap();
            TELEMETRY.run_frames_with::<_, { 96 + SEALED_HEAD_LEN }>(&secret, frames, backlog, settings).await
        }
        None => TELEMETRY.run_frames::<96>(&secret, frames, settings).await,
    }
}

/// The secret and the backlog, where there is consent: said now, or kept in flash.
async fn agreed(words: &Words) -> Option<(Consent, Secret, Option<Backlog<Flash>>)> {
    let answer = Answer::parse(words.word("consent").unwrap_or(""));
    let Some(path) = words.word("flash") else {
        let consent = decide(&Signals { variable: answer, ..Signals::default() }).consent()?;
        return Some((consent, Secret::new([7; 32], consent), None));
    };
    let mut provision = Provision::new(Flash::open(path)?, flash::PROVISION).unwrap();
    let mut backlog = Backlog::new(Flash::open(path)?, flash::BACKLOG).unwrap();
    match answer {
        Answer::Yes => provision.answer(true).await.unwrap(),
        Answer::No => provision.answer(false).await.unwrap(),
        _ => {}
    }
    let Some(consent) = provision.decision().await.consent() else {
        backlog.erase().await.unwrap();
        return None;
    };
    let random = words.number("random") as u8;
    let secret = provision.secret(consent, |bytes| bytes.fill(random)).await.unwrap();
    Some((consent, secret, Some(backlog)))
}

#[embassy_executor::task]
async fn program(spawner: Spawner, stack: Stack<'static>, words: Words) {
    stack.wait_config_up().await;
    if let Some((consent, secret, backlog)) = agreed(&words).await {
        TELEMETRY.start(consent);
        tell_last_life(Some(consent), &words);
        if words.number("gateway") > 0 {
            spawner.spawn(frames_task(secret, stack, Words::get()).unwrap());
        } else {
            let sender = Line::new(stack, words.number("port") as u16, words.word("authority"));
            TELEMETRY.set_unix_time(1_795_000_000);
            spawner.spawn(telemetry_task(secret, sender, backlog).unwrap());
        }
    }
    if !TELEMETRY.is_on() {
        tell_last_life(None, &words);
    }
    for number in 0..words.number("records") {
        TELEMETRY
            .record(FeatureUsed { feature: if number % 2 == 0 { Feature::Pump } else { Feature::Lamp } });
        Counted::global().turns.add(Feature::Pump);
    }
    for _ in 0..words.number("interrupts") {
        NVIC::pend(Button);
        cortex_m::asm::isb();
    }
    if words.word("then") == Some("withdraw") {
        TELEMETRY.withdraw();
    }
    // All was sent when nothing waits, two steps of time later still: counts come into the queue once a step.
    let until = Instant::now() + Duration::from_secs(words.number("seconds").into());
    let mut quiet = 0;
    while quiet < words.number("quiet").max(4) && Instant::now() < until {
        Timer::after_millis(600).await;
        quiet = if TELEMETRY.is_empty() { quiet + 1 } else { 0 };
    }
    hprintln!(
        "on={} empty={} interrupts={}",
        TELEMETRY.is_on(),
        TELEMETRY.is_empty(),
        PRESSED.load(Ordering::Relaxed)
    );
    exit(EXIT_SUCCESS);
}

#[entry]
fn main() -> ! {
    // SAFETY: its handler is there, and uses nothing that is shared but through critical sections and atomics.
    unsafe { NVIC::unmask(Button) };
    board::start(|spawner, stack| spawner.spawn(program(spawner, stack, Words::get()).unwrap()))
}
