//! The ledger adds up: random operations of several processes, of two versions and with two collectors, against a plain sum.
//!
//! ```text
//!  recorded = delivered + told + waiting + in memory + in the memory of processes that were killed
//! ```
//!
//! for events, for losses that stand for many, and for additions. Disks fail at any step, once or from there on, as for a
//! process that is killed there.

use super::*;
use crate::kept::recorder::Recorder;
use crate::kept::store::Store;
use automagik_telemetry_core::metric::{Kind as MetricKind, MetricDescriptor};
use automagik_telemetry_core::otlp::Interval;
use automagik_telemetry_core::record::Delta;
use proptest::prelude::*;
use std::cell::Cell;

thread_local! {
    /// The time of day.
    pub(super) static TIME: Cell<u64> = const { Cell::new(NOW) };
    /// Additions that wait in the cells of the process that counts next.
    static ADDED: Cell<u32> = const { Cell::new(0) };
}

const METRICS: &[MetricDescriptor] = &[MetricDescriptor {
    name: "ledger.calls",
    unit: "1",
    kind: MetricKind::Counter,
    labels: &[],
    domains: &[],
}];

/// A program with an event and a counter.
pub(super) struct First;

/// Its next version.
struct Second;

impl Schema for First {
    const ORGANIZATION: &'static str = "automagik";
    const PROJECT: &'static str = "ledger";
    const VERSION: &'static str = "1.0.0";
    const EVENTS: &'static [EventDescriptor] = App::EVENTS;
    const METRICS: &'static [MetricDescriptor] = METRICS;
    fn position(&self) -> (u16, Ordinals) {
        (0, Ordinals::new([]))
    }
}

impl Schema for Second {
    const ORGANIZATION: &'static str = "automagik";
    const PROJECT: &'static str = "ledger";
    const VERSION: &'static str = "2.0.0";
    const EVENTS: &'static [EventDescriptor] = Two::EVENTS;
    const METRICS: &'static [MetricDescriptor] = METRICS;
    fn position(&self) -> (u16, Ordinals) {
        (0, Ordinals::new([]))
    }
}

/// Little room, so that it is often full.
const BYTES_MAX: u64 = 6_000;

/// What a process of the model may be: one of two versions, with one of two collectors.
const KINDS: usize = 4;

pub(super) struct Process {
    pub(super) spool: Spool,
    pub(super) store: Store,
    pub(super) recorder: Recorder,
    pub(super) schema: &'static SchemaDescriptor,
}

impl Process {
    pub(super) fn start(state: &Path, kind: usize, bytes_max: u64) -> Self {
        let schema = [Checked::<First>::DESCRIPTOR, Checked::<Second>::DESCRIPTOR][kind % 2];
        let to = 1 + kind as u64 / 2;
        let destinations = Destinations { logs: to, metrics: to };
        let mut spool = Spool::new(state, schema, destinations, consent());
        spool.bytes_max = bytes_max;
        let store = Store::new(schema, Some(spool.clone()), take_added, || TIME.get());
        Self { spool, store, recorder: Recorder::new(), schema }
    }
}

impl Process {
    /// Counts `count` additions.
    pub(super) fn add(&mut self, count: u32) {
        ADDED.set(count);
        self.store.count();
    }
}

fn take_added(start: Coarse, end: Coarse, each: &mut dyn FnMut(Record) -> bool) {
    let count = ADDED.take();
    if count > 0 {
        each(Record::from_delta(&Delta { metric: 0, cell: 0, count, start, end }));
    }
}

/// What a collector does with a batch.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Accept,
    Refuse,
    TooLarge,
    None,
}

#[derive(Clone, Debug)]
enum Step {
    Record {
        process: usize,
        count: u32,
    },
    Lose {
        process: usize,
        count: u32,
    },
    Add {
        process: usize,
        count: u32,
    },
    Deliver {
        process: usize,
        answer: Answer,
    },
    End {
        process: usize,
    },
    Kill {
        process: usize,
    },
    /// The disk fails after so many steps, in what comes next: once, or for good, until that process is killed.
    Fail {
        left: u32,
        for_ever: bool,
    },
    Damage {
        segment: prop::sample::Index,
        at: prop::sample::Index,
        cut: bool,
    },
    Wait {
        seconds: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let process = 0..KINDS;
    let answer = prop_oneof![
        6 => Just(Answer::Accept),
        2 => Just(Answer::Refuse),
        1 => Just(Answer::TooLarge),
        1 => Just(Answer::None),
    ];
    prop_oneof![
        6 => (process.clone(), 1_u32..300).prop_map(|(process, count)| Step::Record { process, count }),
        2 => (process.clone(), 1_u32..3_000_000).prop_map(|(process, count)| Step::Lose { process, count }),
        4 => (process.clone(), 1_u32..5_000).prop_map(|(process, count)| Step::Add { process, count }),
        8 => (process.clone(), answer).prop_map(|(process, answer)| Step::Deliver { process, answer }),
        1 => process.clone().prop_map(|process| Step::End { process }),
        1 => process.prop_map(|process| Step::Kill { process }),
        3 => (0_u32..12, any::<bool>()).prop_map(|(left, for_ever)| Step::Fail { left, for_ever }),
        1 => (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>())
            .prop_map(|(segment, at, cut)| Step::Damage { segment, at, cut }),
        2 => prop_oneof![0..7_200_i64, -9_000..0_i64, 0..10 * DAY as i64].prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// The plain sum.
#[derive(Debug, Default)]
struct Ledger {
    recorded: u64,
    delivered: u64,
    told: u64,
    killed: u64,
    /// Where the last interval of the streams ended, of each version and for each collector, that was taken.
    streams: [u64; KINDS],
}

struct World {
    state: tempfile::TempDir,
    processes: Vec<Process>,
    ledger: Ledger,
    fails_for_ever: bool,
    /// What waits on disk as of the last check.
    waiting_now: u64,
}

impl World {
    fn new() -> Self {
        TIME.set(NOW);
        ADDED.set(0);
        failing::never();
        let state = tempfile::tempdir().unwrap();
        let processes = (0..KINDS).map(|kind| Process::start(state.path(), kind, BYTES_MAX)).collect();
        Self { state, processes, ledger: Ledger::default(), fails_for_ever: false, waiting_now: 0 }
    }

    /// For how many that stands which waits on disk, after what a killed process began was finished.
    fn waiting(&self) -> u64 {
        let folder = folder(self.state.path(), "ledger");
        journal::finish(&folder).unwrap();
        let of_segment = |found: Found| {
            let bytes = std::fs::read(folder.join(found.name.to_string())).unwrap();
            found.name.stands_for - segment::Progress::of(&bytes).delivered
        };
        let reserved = reserve::read(&folder).unwrap().map_or(0, |losses| u64::from(losses.total()));
        segments(&folder).unwrap_or_default().into_iter().map(of_segment).sum::<u64>() + reserved
    }

    fn in_memory(&self) -> u64 {
        self.processes.iter().map(|process| process.store.stands_for()).sum()
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Record { process, count } => {
                let process = &mut self.processes[process];
                for _ in 0..count {
                    let time = Coarse::from_unix_seconds(TIME.get(), process.schema.resolution());
                    process.recorder.push(Record::new(&First, time));
                }
                self.ledger.recorded += u64::from(count);
                process.store.take_in(&process.recorder);
            }
            Step::Lose { process, count } => {
                let mut losses = Losses::new();
                losses.add(Reason::QueueFull, count);
                self.processes[process].store.lose(&losses);
                self.ledger.recorded += u64::from(count);
            }
            Step::Add { process, count } => {
                self.ledger.recorded += u64::from(count);
                self.processes[process].add(count);
            }
            Step::Deliver { process, answer } => self.deliver(process, answer),
            Step::End { process } => {
                let before = (self.waiting_now, self.processes[process].store.stands_for());
                let Process { store, recorder, .. } = &mut self.processes[process];
                store.close(recorder);
                failing::never();
                // A disk that fails in the end costs what could not be put on it.
                let kept = self.waiting() - before.0;
                self.ledger.killed += before.1 - kept;
                assert!(kept == before.1 || self.fails_for_ever, "{kept} of {} are kept", before.1);
                self.restart(process);
            }
            Step::Kill { process } => {
                self.ledger.killed += self.processes[process].store.stands_for();
                self.restart(process);
            }
            Step::Fail { left, for_ever } => {
                self.fails_for_ever = for_ever;
                return failing::after(left, for_ever);
            }
            Step::Damage { segment, at, cut } => {
                let folder = folder(self.state.path(), "ledger");
                let segments = segments(&folder).unwrap_or_default();
                if segments.is_empty() {
                    return;
                }
                let path = folder.join(segment.get(&segments).name.to_string());
                let mut bytes = std::fs::read(&path).unwrap();
                if bytes.len() <= 16 {
                    return;
                }
                // Where damage hits what says how far delivery is, all is delivered again: better twice than never.
                let at = 16 + at.index(bytes.len() - 16);
                if cut {
                    bytes.truncate(at);
                } else {
                    bytes[at] ^= 0x40;
                }
                std::fs::write(&path, bytes).unwrap();
            }
            Step::Wait { seconds } => TIME.set(TIME.get().saturating_add_signed(seconds)),
        }
        if std::mem::take(&mut self.fails_for_ever) {
            // Whoever it was that the disk failed is killed.
            failing::never();
            if let Step::Record { process, .. } | Step::Add { process, .. } | Step::Deliver { process, .. } =
                *step
            {
                self.ledger.killed += self.processes[process].store.stands_for();
                self.restart(process);
            }
        }
        failing::never();
    }

    fn restart(&mut self, process: usize) {
        ADDED.set(0);
        self.processes[process] = Process::start(self.state.path(), process, BYTES_MAX);
    }

    fn deliver(&mut self, process: usize, answer: Answer) {
        let Process { spool, schema, .. } = &self.processes[process];
        let Ok(Some(turn)) = spool.turn() else { return };
        let Ok(Some(batch)) = turn.next(schema, TIME.get(), BATCH_RECORDS_MAX, true) else { return };
        let (mut refused, mut told, mut taken) = (Losses::new(), 0, 0);
        for record in &batch.records {
            match (answer, record.loss()) {
                (Answer::Refuse, _) => lose(&mut refused, record, Reason::Refused),
                (_, Some((_, count))) => told += u64::from(count),
                (_, None) => taken += u64::from(record.stands_for()),
            }
        }
        match answer {
            Answer::None => {}
            Answer::TooLarge => drop(turn.split(&batch, TIME.get())),
            Answer::Refuse => drop(turn.commit(&batch, &refused, TIME.get())),
            Answer::Accept => {
                let committed = turn.commit(&batch, &refused, TIME.get());
                drop(turn);
                // Where the disk failed in the middle, the next process finishes it, or has it again.
                failing::never();
                let again = committed.is_err() && {
                    self.waiting();
                    let turn = self.processes[process].spool.turn().unwrap().unwrap();
                    turn.holds(&batch)
                };
                if !again {
                    self.ledger.told += told;
                    self.ledger.delivered += taken;
                    if let Some(Interval { start, end }) = batch.interval {
                        let last = &mut self.ledger.streams[process];
                        assert!(start >= *last && start < end, "{start} to {end} is behind {last}");
                        *last = end;
                    }
                }
            }
        }
    }

    fn check(&mut self, steps: &[Step]) {
        let Ledger { recorded, delivered, told, killed, .. } = self.ledger;
        let (waiting, memory) = (self.waiting(), self.in_memory());
        self.waiting_now = waiting;
        assert_eq!(
            recorded,
            delivered + told + killed + waiting + memory,
            "{:?}, {waiting} waiting, {memory} in memory, after {steps:?}",
            self.ledger
        );
    }

    /// Everything is delivered that can be.
    fn finish(mut self) {
        for process in 0..KINDS {
            self.run(&Step::End { process });
            self.check(&[]);
        }
        for process in 0..KINDS {
            for _ in 0..10_000 {
                if self.processes[process].spool.is_empty() {
                    break;
                }
                self.run(&Step::Deliver { process, answer: Answer::Accept });
            }
        }
        self.check(&[]);
        assert_eq!(self.waiting() + self.in_memory(), 0);
    }
}

fn run(steps: &[Step]) {
    let mut world = World::new();
    for (n, step) in steps.iter().enumerate() {
        world.run(step);
        if !matches!(step, Step::Fail { .. }) {
            world.check(&steps[..=n]);
        }
    }
    world.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_ledger_adds_up(steps in prop::collection::vec(step(), 1..60)) {
        run(&steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "the long form of the test above: some minutes"]
    fn whatever_happens_in_thousands_of_sequences_the_ledger_adds_up(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        run(&steps);
    }
}
