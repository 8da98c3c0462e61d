//! A device that learns what time it is, in a process of its own: the clock is all devices' of a process.

#![cfg(feature = "frames")]

use automagik_telemetry_core::consent::{Answer, Signals, decide};
use automagik_telemetry_core::frames::{Boot, Clear, Key, Kind, MTU_MAX, Reader, Statement};
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::{FeatureUsed, Record, Secret};
use automagik_telemetry_derive::{Label, Schema};
use automagik_telemetry_embassy::{Broken, Frames, Link, Settings, Telemetry};
use embassy_futures::block_on;
use embassy_futures::select::select;
use embassy_time::{Duration, Timer};
use std::cell::RefCell;

#[derive(Label, Clone, Copy)]
#[label(crate = "::automagik_telemetry_core")]
enum Word {
    One,
}

#[derive(Schema)]
#[schema(
    crate = "::automagik_telemetry_core",
    organization = "automagik",
    project = "device",
    resolution = "second"
)]
enum Device {
    Feature(FeatureUsed<Word>),
}

const BOOT: Boot = Boot::random([7; 8]);

#[derive(Default)]
struct Gateway {
    statements: Vec<Statement>,
    records: Vec<Record>,
    sequence: u32,
}

struct Line<'a>(&'a RefCell<Gateway>, Key);

impl Link for Line<'_> {
    async fn send(&mut self, frame: &[u8]) -> Result<(), Broken> {
        let (clear, mut plain) = (Clear::parse(frame).unwrap(), [0; MTU_MAX]);
        let gateway = &mut *self.0.borrow_mut();
        gateway.sequence = u32::from(clear.sequence());
        let plain = self.1.open(&clear, BOOT, gateway.sequence, &mut plain).unwrap();
        if clear.kind() == Kind::Hello {
            gateway.statements.push(Statement::read(plain).unwrap().0);
        } else {
            gateway.records.extend(Reader::new(Checked::<Device>::DESCRIPTOR, plain).map(Result::unwrap));
        }
        Ok(())
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        let frame = self.1.acknowledge(BOOT, self.0.borrow().sequence);
        buffer[..frame.len()].copy_from_slice(&frame);
        Ok(frame.len())
    }
}

#[test]
fn a_device_that_learns_the_time_says_when_it_began_and_counts_on_from_there() {
    static TELEMETRY: Telemetry<Device, 1024> = Telemetry::new();
    let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    TELEMETRY.start(consent);
    let (gateway, key) = (RefCell::new(Gateway::default()), Key::new([7; 16]));
    let secret = Secret::new([7; 32], consent);
    let frames = Frames::new(Line(&gateway, key.clone()), key, || BOOT);
    let settings = Settings { interval: Duration::from_millis(1), seed: 3 };
    let task = TELEMETRY.run_frames::<48>(&secret, frames, settings);
    let arrived = async |count: usize| {
        while gateway.borrow().records.len() < count {
            Timer::after_millis(1).await;
        }
    };
    let person = async {
        TELEMETRY.record(FeatureUsed { feature: Word::One });
        arrived(1).await;
        TELEMETRY.set_unix_time(1_800_000_000);
        TELEMETRY.record(FeatureUsed { feature: Word::One });
        arrived(2).await;
    };
    block_on(select(task, person));
    let gateway = gateway.into_inner();
    let starts: Vec<Option<u32>> = gateway.statements.iter().map(|statement| statement.start).collect();
    assert!(
        matches!(starts[..], [None, Some(start)] if start.abs_diff(1_800_000_000 & 0xFF_FFFF) < 60),
        "{starts:?}"
    );
    assert!(gateway.records.iter().all(|record| record.time().steps() < 60), "steps since it began");
}
