//! A firmware for the smallest machine there is: a Cortex-M0 that speaks frames over a serial line. It records sixty events, and ends when the gateway has
//! all of them.

#![no_std]
#![no_main]

#[path = "../../firmware/src/clock.rs"]
mod clock;
mod nrf51;

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::firmware::{Frames, Settings, Stream, Telemetry};
use automagik_telemetry::frames::{Boot, Key};
use automagik_telemetry::{Counter, FeatureUsed, Label, Metrics, Schema, Secret};
use cortex_m_rt::entry;
use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};
use embassy_executor::{Executor, Spawner};
use embassy_time::{Duration, Timer};
use nrf51::{Receiver, Sender, random};
use static_cell::StaticCell;

/// What the button does.
#[derive(Label, Clone, Copy)]
enum Feature {
    Pump,
    Lamp,
}

/// Counts of this firmware.
#[derive(Metrics)]
struct Counted {
    #[metric(name = "microbit.turns", by = "feature")]
    turns: Counter<Feature>,
}

/// All that this firmware can ever send.
#[derive(Schema)]
#[schema(organization = "automagik", project = "microbit", resolution = "second", metrics = Counted)]
enum Microbit {
    Feature(FeatureUsed<Feature>),
}

static TELEMETRY: Telemetry<Microbit, 512> = Telemetry::new();

const KEY: [u8; 16] = *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF";

#[embassy_executor::task]
async fn telemetry_task(secret: Secret) {
    let boots = || {
        let mut bytes = [0; 8];
        random(&mut bytes);
        Boot::random(bytes)
    };
    let frames =
        Frames::new(Stream::new(Receiver, Sender), Key::new(KEY), boots).patience(Duration::from_millis(700));
    let settings = Settings { interval: Duration::from_millis(500), seed: 7 };
    TELEMETRY.run_frames::<64>(&secret, frames, settings).await
}

#[embassy_executor::task]
async fn program(spawner: Spawner) {
    let signals = Signals { variable: Answer::Yes, ..Signals::default() };
    let Some(consent) = decide(&signals).consent() else { return };
    TELEMETRY.start(consent);
    let mut secret = [0; 32];
    random(&mut secret);
    let Ok(task) = telemetry_task(Secret::new(secret, consent)) else { return };
    spawner.spawn(task);
    for number in 0..60 {
        let feature = if number % 2 == 0 { Feature::Pump } else { Feature::Lamp };
        TELEMETRY.record(FeatureUsed { feature });
        Counted::global().turns.add(feature);
    }
    // Counts come into the queue once a step.
    let mut quiet = 0;
    while quiet < 4 {
        Timer::after_millis(600).await;
        quiet = if TELEMETRY.is_empty() { quiet + 1 } else { 0 };
    }
    exit(EXIT_SUCCESS);
}

/// 16 MHz, of which a thousand ticks are made.
const CYCLES_PER_TICK: u32 = 16_000;

/// The serial line has an interrupt of its own.
fn ticked() {}

#[entry]
fn main() -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    // SAFETY: nothing else on this machine takes them.
    clock::start(unsafe { cortex_m::Peripherals::steal() }.SYST, CYCLES_PER_TICK);
    nrf51::start();
    EXECUTOR.init(Executor::new()).run(|spawner| {
        if let Ok(task) = program(spawner) {
            spawner.spawn(task);
        }
    })
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(EXIT_FAILURE);
    loop {}
}
