//! The ledger of a device adds up: random events, additions, answers, resets and updates against a plain sum.
//!
//! ```text
//!  recorded = delivered + told + what was in the RAM of devices that were reset
//! ```
//!
//! once all that waits has been delivered; for events, for losses that stand for many, and for additions.

use super::upload::{At, OfSignal, Upload};
use super::*;
use crate::backlog::{Backlog, Keep};
use crate::testing::{Flash, RANGE};
use automagik_telemetry_core::aggregate::Metrics as _;
use automagik_telemetry_core::consent::{Answer, Signals, decide};
use automagik_telemetry_core::delivery::Delivery;
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::otlp::{Body, Signal};
use automagik_telemetry_core::record::Records;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::{Counter, FeatureUsed, Outcome, Pseudonym, Secret, Sender};
use automagik_telemetry_derive::{Label, Metrics, Schema};
use core::pin::pin;
use embassy_futures::poll_once;

#[derive(Label, Clone, Copy)]
#[label(crate = "::automagik_telemetry_core")]
enum Word {
    One,
}

#[derive(Metrics)]
#[metric(crate = "::automagik_telemetry_core")]
struct OldMetrics {
    #[metric(name = "device.calls")]
    calls: Counter<()>,
}

#[derive(Schema)]
#[schema(crate = "::automagik_telemetry_core", organization = "automagik", project = "device", resolution = "second", metrics = OldMetrics)]
enum Old {
    Feature(FeatureUsed<Word>),
}

#[derive(Metrics)]
#[metric(crate = "::automagik_telemetry_core")]
struct NewMetrics {
    #[metric(name = "device.calls.more")]
    calls: Counter<()>,
}

/// The same firmware, updated.
#[derive(Schema)]
#[schema(crate = "::automagik_telemetry_core", organization = "automagik", project = "device", resolution = "second", metrics = NewMetrics)]
enum New {
    Feature(FeatureUsed<Word>),
}

trait Firmware: Schema + Includes<FeatureUsed<Word>> {
    fn count();
}

impl Firmware for Old {
    fn count() {
        OldMetrics::global().calls.add(());
    }
}

impl Firmware for New {
    fn count() {
        NewMetrics::global().calls.add(());
    }
}

/// A generator of numbers that is the same each time (xorshift32).
struct Random(u32);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % end
    }
}

/// The plain sum.
#[derive(Debug, Default)]
struct Ledger {
    recorded: u64,
    delivered: u64,
    told: u64,
    /// In RAM at a reset.
    reset: u64,
}

/// A collector that answers at random, or takes everything.
struct Collector<'a> {
    random: &'a mut Random,
    is_well: bool,
    /// What it said last.
    asked: Option<Outcome>,
}

impl Sender for Collector<'_> {
    async fn send(&mut self, _: Signal, _: &mut dyn Body) -> Outcome {
        let outcome = match self.random.below(8) {
            _ if self.is_well => Outcome::Accepted,
            0..4 => Outcome::Retry { after_seconds: None },
            4 => Outcome::Refused,
            5 => Outcome::TooLarge,
            _ => Outcome::Accepted,
        };
        self.asked = Some(outcome);
        outcome
    }
}

fn weight(records: &dyn Records) -> (u64, u64) {
    let (mut at, mut taken, mut told) = (records.first(), 0, 0);
    while let Some(record) = records.next(&mut at) {
        let sum = if record.loss().is_some() { &mut told } else { &mut taken };
        *sum += u64::from(record.stands_for());
    }
    (taken, told)
}

/// Sends what waits until the collector is asked to wait, or nothing is left. It is [`Upload::all`], batch by batch, with a look at what
/// became of each. Says whether the device goes on.
fn deliver<S: Firmware, const N: usize>(
    upload: &mut Upload<'_, S, Backlog<&mut Flash>, N>,
    collector: &mut Collector<'_>,
    ledger: &mut Ledger,
) -> bool {
    upload.delivery = Delivery::new(1);
    let schema = Checked::<S>::DESCRIPTOR;
    loop {
        let now = upload.telemetry.now();
        let frame = embassy_futures::block_on(upload.kept.oldest(schema, now));
        let batch = if frame.is_none() { upload.telemetry.queue.batch(BATCH_RECORDS_MAX) } else { None };
        let (records, at): (&dyn Records, At) = match (&frame, &batch) {
            (Some(frame), _) => (frame, At::Flash),
            (None, Some(batch)) => (batch, At::Memory),
            (None, None) => return true,
        };
        for signal in [Signal::Logs, Signal::Metrics] {
            let of_signal = OfSignal { records, signal };
            collector.asked = None;
            // It waits, and is reset then. Where a frame of flash had to make room meanwhile, it is in RAM alone.
            if poll_once(pin!(upload.send(collector, &of_signal, at))).is_pending() {
                assert!(at == At::Flash, "what memory has is kept");
                if !upload.kept.is_in_hand() {
                    let (taken, told) = weight(records);
                    ledger.reset += taken + told;
                }
                return false;
            }
            if collector.asked == Some(Outcome::Accepted) {
                let (taken, told) = weight(&of_signal);
                ledger.delivered += taken;
                ledger.told += told;
            }
        }
        match batch {
            Some(batch) => batch.commit(),
            None => embassy_futures::block_on(upload.kept.over()),
        }
    }
}

/// One life of a device: from its start to its reset, or to the end of what waits.
fn live<S: Firmware>(flash: &mut Flash, random: &mut Random, ledger: &mut Ledger, is_last: bool) {
    let telemetry = Telemetry::<S, 256>::new();
    telemetry.start(decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap());
    let schema = Checked::<S>::DESCRIPTOR;
    let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    let pseudonym = Pseudonym::new(&Secret::new([7; 32], consent), schema.project(), 0);
    let mut upload = Upload {
        telemetry: &telemetry,
        resource: Resource::new(schema, pseudonym),
        delivery: Delivery::new(1),
        interval: INTERVAL,
        counted: telemetry.now(),
        kept: Backlog::new(flash, RANGE).unwrap(),
        taken: true,
    };
    let steps = if is_last { 0 } else { 5 + random.below(40) };
    for _ in 0..steps {
        match random.below(10) {
            0..4 => {
                let count = random.below(60);
                (0..count).for_each(|_| telemetry.record(FeatureUsed { feature: Word::One }));
                ledger.recorded += u64::from(count);
            }
            4 => {
                let count = random.below(3_000_000);
                upload.kept.losses().add(Reason::Corrupt, count);
                ledger.recorded += u64::from(count);
            }
            5 | 6 => {
                let count = random.below(300);
                (0..count).for_each(|_| S::count());
                ledger.recorded += u64::from(count);
            }
            7 => clock::set(1_700_000_000 + random.below(100_000_000)),
            _ => {
                upload.collect();
                let mut collector = Collector { random, is_well: false, asked: None };
                if !deliver(&mut upload, &mut collector, ledger) {
                    break;
                }
            }
        }
    }
    for _ in 0..if is_last { 40 } else { 0 } {
        upload.counted = Coarse::from_steps(0);
        upload.taken = true;
        upload.collect();
        let mut collector = Collector { random, is_well: true, asked: None };
        deliver(&mut upload, &mut collector, ledger);
    }
    // What a reset costs.
    upload.counted = Coarse::from_steps(0);
    let mut counted = 0;
    aggregate::drain::<S>(telemetry.now(), telemetry.now(), |record| {
        counted += u64::from(record.stands_for());
        true
    });
    let losses = u64::from(upload.kept.losses().total());
    let mut queued = 0;
    while let Some(batch) = telemetry.queue.batch(u32::MAX) {
        let (taken, told) = weight(&batch);
        queued += taken + told;
        batch.commit();
    }
    ledger.reset += counted + losses + queued;
}

#[test]
fn whatever_happens_to_a_device_its_ledger_adds_up() {
    for seed in 1..=2_000 {
        let (mut flash, mut random) = (Flash::new(), Random(seed));
        let mut ledger = Ledger::default();
        for _ in 0..4 {
            if random.below(3) > 0 {
                live::<Old>(&mut flash, &mut random, &mut ledger, false);
            } else {
                live::<New>(&mut flash, &mut random, &mut ledger, false);
            }
        }
        live::<Old>(&mut flash, &mut random, &mut ledger, true);
        let Ledger { recorded, delivered, told, reset } = ledger;
        assert_eq!(recorded, delivered + told + reset, "seed {seed}: {ledger:?}");
    }
}

#[derive(automagik_telemetry_derive::Library)]
#[library(crate = "::automagik_telemetry_core")]
enum Driver {
    Feature(FeatureUsed<Word>),
}

#[derive(Schema)]
#[schema(crate = "::automagik_telemetry_core", organization = "automagik", project = "device", include = Driver)]
enum WithDriver {
    Feature(FeatureUsed<Word>),
}

#[test]
fn a_driver_records_without_knowing_the_firmware() {
    static TELEMETRY: Telemetry<WithDriver, 256> = Telemetry::new();
    fn driver(record: fn(Driver)) {
        record(Driver::Feature(FeatureUsed { feature: Word::One }));
    }
    let record = |event| TELEMETRY.record_library(event);
    driver(record);
    assert!(TELEMETRY.is_empty(), "before consent");
    let yes = decide(&Signals { variable: Answer::Yes, ..Signals::default() });
    TELEMETRY.start(yes.consent().unwrap());
    driver(record);
    let batch = TELEMETRY.queue.batch(10).unwrap();
    let mut first = batch.first();
    // What was dropped is event 0, what the firmware itself says event 1.
    assert_eq!(batch.next(&mut first).map(|record| record.event()), Some(2));
}
