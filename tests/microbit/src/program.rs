//! What a device on a serial line does, whatever its processor: it records sixty events, and ends when the gateway has all of them.
//!
//! The crate's `uart` is its serial line and its random numbers, its `end` ends the machine.

use crate::end;
use crate::uart::{Receiver, Sender, random};
use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::firmware::{Frames, Settings, Stream, Telemetry};
use automagik_telemetry::frames::{Boot, Key};
use automagik_telemetry::{Counter, FeatureUsed, Label, Metrics, Schema, Secret};
use embassy_executor::Spawner;
use embassy_time::{Duration, Timer};

/// What the button does.
#[derive(Label, Clone, Copy)]
enum Feature {
    Pump,
    Lamp,
}

/// Counts of this firmware.
#[derive(Metrics)]
struct Counted {
    #[metric(name = "serial.turns", by = "feature")]
    turns: Counter<Feature>,
}

/// All that this firmware can ever send.
#[derive(Schema)]
#[schema(organization = "automagik", project = "serial", resolution = "second", metrics = Counted)]
enum Serial {
    Feature(FeatureUsed<Feature>),
}

static TELEMETRY: Telemetry<Serial, 512> = Telemetry::new();

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
pub async fn program(spawner: Spawner) {
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
    end();
}
