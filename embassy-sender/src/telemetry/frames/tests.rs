//! A device's task against a gateway that is a model: what it takes it takes once, and no number seals two frames.

use super::*;
use crate::Telemetry;
use crate::link::Broken;
use crate::testing::{Flash, RANGE};
use automagik_telemetry_core::consent::{Answer, Signals, decide};
use automagik_telemetry_core::frames::{Clear, Key, Kind, Reader, Statement, ask};
use automagik_telemetry_core::{Consent, Count, FeatureUsed, Record};
use automagik_telemetry_derive::{Label, Schema};
use embassy_futures::block_on;
use embassy_futures::select::select as either;
use embassy_time::{Duration, Instant, Timer};
use portable_atomic::Ordering;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::vec::Vec;

#[derive(Label, Clone, Copy)]
#[label(crate = "::automagik_telemetry_core")]
enum Word {
    One,
    Two,
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
    Numbered(Numbered),
}

/// An event that can be told from all others.
#[derive(automagik_telemetry_derive::Event, Clone, Copy)]
#[event(crate = "::automagik_telemetry_core", name = "device.numbered")]
struct Numbered {
    number: Count<65535>,
}

fn consent() -> Consent {
    decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap()
}

fn key() -> Key {
    Key::new([7; 16])
}

/// What arrived, and what is on its way back.
#[derive(Default)]
struct Gateway {
    /// Every frame that was ever sent, by boot and number.
    seen: BTreeMap<(Boot, u32), Vec<u8>>,
    /// Boots that said who they are.
    known: Vec<Boot>,
    /// Frames whose records were taken.
    taken: Vec<(Boot, u32)>,
    statements: Vec<Statement>,
    records: Vec<Record>,
    sent: usize,
    answers: VecDeque<Vec<u8>>,
    /// What becomes of the next frames, the first one last: whether it arrives, and whether its answer does.
    fates: Vec<(bool, bool)>,
    /// Its answers to data are on their way for a while.
    is_slow: core::cell::Cell<bool>,
    /// After how many more frames it forgets all boots.
    forgets_after: Option<usize>,
}

impl Gateway {
    fn take(&mut self, frame: &[u8]) {
        self.sent += 1;
        let (arrives, is_answered) = self.fates.pop().unwrap_or((true, true));
        let clear = Clear::parse(frame).unwrap();
        let mut plain = [0; MTU_MAX];
        if let Some(left) = self.forgets_after.take() {
            match left.checked_sub(1) {
                Some(left) => self.forgets_after = Some(left),
                None => self.known.clear(),
            }
        }
        let boots: Vec<Boot> = match clear.boot() {
            Some(boot) => std::vec![boot],
            None => self.known.iter().copied().filter(|boot| boot.session() == clear.session()).collect(),
        };
        for boot in boots {
            let next = self.taken.iter().filter(|(of, _)| *of == boot).map(|(_, sequence)| *sequence).max();
            let mut sequences = clear.sequences(next.unwrap_or(0));
            let opens = |sequence: &u32| key().open(&clear, boot, *sequence, &mut plain).is_ok();
            let Some(sequence) = sequences.find(opens) else { continue };
            // The property of all: a number is one frame's.
            let first = self.seen.entry((boot, sequence)).or_insert_with(|| frame.to_vec());
            assert_eq!(first, frame, "a number sealed two frames");
            if !arrives {
                return;
            }
            let sealed = &plain[..clear.sealed_len()];
            if clear.kind() == Kind::Hello {
                self.statements.push(Statement::read(sealed).unwrap().0);
                self.known.push(boot);
            } else if !self.taken.contains(&(boot, sequence)) {
                let schema = Checked::<Device>::DESCRIPTOR;
                self.records.extend(Reader::new(schema, sealed).map(Result::unwrap));
                self.taken.push((boot, sequence));
            }
            if is_answered {
                self.answers.push_back(key().acknowledge(boot, sequence).to_vec());
            }
            return;
        }
        self.answers.push_back(ask(clear.session()).to_vec());
    }
}

struct Line<'a>(&'a RefCell<Gateway>);

impl Link for Line<'_> {
    async fn send(&mut self, frame: &[u8]) -> Result<(), Broken> {
        self.0.borrow_mut().take(frame);
        Ok(())
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        while self.0.borrow().is_slow.get() && !self.0.borrow().records.is_empty() {
            Timer::after_micros(100).await;
        }
        let answer = self.0.borrow_mut().answers.pop_front();
        match answer {
            Some(answer) => {
                buffer[..answer.len()].copy_from_slice(&answer);
                Ok(answer.len())
            }
            None => core::future::pending().await,
        }
    }
}

/// Runs the task over a line to `gateway` until `is_done`.
fn run<const N: usize>(
    telemetry: &Telemetry<Device, N>,
    gateway: &RefCell<Gateway>,
    shape: impl FnOnce(Frames<Line<'_>, fn() -> Boot>) -> Frames<Line<'_>, fn() -> Boot>,
    is_done: impl Fn(&Gateway) -> bool,
) {
    run_from(telemetry, gateway, None, shape, is_done);
}

/// The same, of a device that may have flash.
fn run_from<const N: usize>(
    telemetry: &Telemetry<Device, N>,
    gateway: &RefCell<Gateway>,
    flash: Option<&mut Flash>,
    shape: impl FnOnce(Frames<Line<'_>, fn() -> Boot>) -> Frames<Line<'_>, fn() -> Boot>,
    is_done: impl Fn(&Gateway) -> bool,
) {
    fn boots() -> Boot {
        static NEXT: portable_atomic::AtomicU64 = portable_atomic::AtomicU64::new(1);
        Boot::random(NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes())
    }
    let frames = Frames::new(Line(gateway), key(), boots as fn() -> Boot).patience(Duration::from_millis(5));
    let secret = Secret::new([7; 32], consent());
    let settings = Settings { interval: Duration::from_millis(1), seed: 3 };
    let task = async {
        match flash {
            Some(flash) => {
                let backlog = SealedBacklog::new(flash, RANGE).unwrap();
                telemetry
                    .run_frames_with::<_, { 48 + SEALED_HEAD_LEN }>(&secret, shape(frames), backlog, settings)
                    .await
            }
            None => telemetry.run_frames::<48>(&secret, shape(frames), settings).await,
        }
    };
    let watch = async {
        for _ in 0..60_000 {
            if is_done(&gateway.borrow()) {
                return;
            }
            Timer::after_millis(1).await;
        }
        panic!("it does not come to that");
    };
    block_on(either(task, watch));
}

fn record<const N: usize>(telemetry: &Telemetry<Device, N>, count: u32) {
    telemetry.start(consent());
    for number in 0..count {
        let feature = if number % 3 == 0 { Word::One } else { Word::Two };
        telemetry.record(FeatureUsed { feature });
    }
}

fn features(gateway: &Gateway) -> Vec<u64> {
    gateway.records.iter().filter(|record| record.event() == 1).map(Record::bits).collect()
}

#[test]
fn what_a_line_loses_is_sent_again_as_the_same_bytes_and_taken_once() {
    let telemetry = Telemetry::<Device, 2048>::new();
    record(&telemetry, 200);
    // The hello is lost, then the answer to it; data are lost, and answers.
    let fates =
        std::vec![(true, false), (false, true), (true, true), (false, true), (true, false), (false, true)];
    let gateway = RefCell::new(Gateway { fates, ..Gateway::default() });
    run(&telemetry, &gateway, |frames| frames, |gateway| features(gateway).len() >= 200);
    let gateway = gateway.into_inner();
    let expected: Vec<u64> = (0..200).map(|number| u64::from(number % 3 != 0)).collect();
    assert_eq!(features(&gateway), expected, "in order, each once");
    assert!(gateway.sent >= gateway.seen.len() + 5);
    assert!(gateway.seen.values().all(|frame| frame.len() <= 48));
}

#[test]
fn a_gateway_that_forgot_is_told_who_speaks() {
    let telemetry = Telemetry::<Device, 2048>::new();
    record(&telemetry, 10);
    let gateway = RefCell::new(Gateway::default());
    run(&telemetry, &gateway, |frames| frames, |gateway| features(gateway).len() == 10);
    record(&telemetry, 100);
    // In the middle of a session.
    gateway.borrow_mut().forgets_after = Some(1);
    run(&telemetry, &gateway, |frames| frames, |gateway| features(gateway).len() == 110);
    let gateway = gateway.into_inner();
    // One of each start of the task, and the one that was asked for: the same bytes.
    assert_eq!(
        (gateway.statements.len(), gateway.seen.iter().filter(|((_, number), _)| *number == 0).count()),
        (3, 2)
    );
}

#[test]
fn a_link_without_answers_sends_each_frame_once_and_says_again_who_speaks() {
    let telemetry = Telemetry::<Device, 2048>::new();
    record(&telemetry, 300);
    let gateway = RefCell::new(Gateway::default());
    run(&telemetry, &gateway, |frames| frames.one_way(2), |gateway| features(gateway).len() == 300);
    let gateway = gateway.into_inner();
    let data = gateway.taken.len();
    assert_eq!(gateway.sent, data + gateway.statements.len());
    assert_eq!(gateway.statements.len(), data.div_ceil(2));
}

#[test]
fn after_a_no_nothing_leaves_and_a_later_yes_is_another_session() {
    let telemetry = Telemetry::<Device, 2048>::new();
    record(&telemetry, 5);
    let gateway = RefCell::new(Gateway { fates: std::vec![(false, false); 3], ..Gateway::default() });
    run(&telemetry, &gateway, |frames| frames, |gateway| gateway.sent == 1);
    telemetry.withdraw();
    let started = Instant::now();
    run(&telemetry, &gateway, |frames| frames, |_| started.elapsed() > Duration::from_millis(50));
    assert_eq!(gateway.borrow().sent, 1);
    gateway.borrow_mut().fates.clear();
    record(&telemetry, 5);
    run(&telemetry, &gateway, |frames| frames, |gateway| features(gateway).len() == 5);
    assert_eq!(gateway.borrow().known.len(), 1);
}

#[test]
fn what_was_sealed_before_a_no_does_not_leave_after_a_yes_that_follows_at_once() {
    let telemetry = Telemetry::<Device, 2048>::new();
    record(&telemetry, 5);
    // Data are lost, and so repeated.
    let gateway =
        RefCell::new(Gateway { fates: std::vec![(false, false), (true, true)], ..Gateway::default() });
    let is_said = core::cell::Cell::new(false);
    run(
        &telemetry,
        &gateway,
        |frames| frames,
        |gateway| {
            if gateway.sent == 2 && !is_said.replace(true) {
                // While the task waits for an answer.
                telemetry.withdraw();
                record(&telemetry, 1);
            }
            !gateway.records.is_empty()
        },
    );
    let gateway = gateway.into_inner();
    assert_eq!((features(&gateway).len(), gateway.known.len()), (1, 2), "another session, and the one event");
}

#[test]
fn an_acknowledgement_that_comes_after_a_no_takes_nothing_of_a_later_yes() {
    let telemetry = Telemetry::<Device, 2048>::new();
    record(&telemetry, 5);
    let gateway = RefCell::new(Gateway { is_slow: true.into(), ..Gateway::default() });
    let is_said = core::cell::Cell::new(false);
    let asked = |gateway: &Gateway| {
        // The data have arrived, and the device has not heard of it yet.
        if gateway.records.len() == 5 && !is_said.replace(true) {
            telemetry.withdraw();
            record(&telemetry, 3);
            gateway.is_slow.set(false);
        }
        features(gateway).len() == 8
    };
    run(&telemetry, &gateway, |frames| frames, asked);
}

mod kept;
