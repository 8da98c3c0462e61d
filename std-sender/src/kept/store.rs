//! What waits for delivery: in the spool, or in memory where nothing can be kept (no home, a full disk).

use crate::kept::counts::Counts;
use crate::kept::recorder::Recorder;
use crate::kept::spool::{self, Batch, Spool, lose, next_interval};
use crate::person::signals::Standing;
use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::schema::SchemaDescriptor;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{CrashReport, Record};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Records that memory keeps where the spool can't; the oldest go first, counted.
const MEMORY_RECORDS_MAX: usize = 4096;

/// How long what the person said is taken for what they say.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// How often the end of the process tries to write what it has.
const ATTEMPTS_AT_END: usize = 3;

/// What waits for delivery.
pub(crate) struct Store {
    schema: &'static SchemaDescriptor,
    spool: Option<Spool>,
    /// Events, and losses among them.
    memory: VecDeque<Record>,
    counts: Counts,
    /// Crashes that could not be put on disk yet.
    crashes: VecDeque<CrashReport>,
    /// What is being delivered and is not on disk.
    in_hand: Option<Batch>,
    losses: Losses,
    drain: Drain,
    /// Until when metrics were counted.
    counted: Coarse,
    /// Where the last interval of the streams ended that was told from memory, in nanoseconds since 1970.
    streams: u64,
    standing: Box<dyn Fn() -> Standing + Send>,
    /// When the person was looked at last.
    looked: Instant,
    withdrawn: bool,
    /// Whether the program's handles record anything.
    on: Arc<AtomicBool>,
    clock: fn() -> u64,
}

/// Takes what the program's metrics counted: [`drain`](automagik_telemetry_core::aggregate::drain) of its schema.
pub(crate) type Drain = fn(Coarse, Coarse, &mut dyn FnMut(Record) -> bool);

impl Store {
    /// An empty store. What was counted before is forgotten: there may have been no consent.
    pub(crate) fn new(
        schema: &'static SchemaDescriptor,
        spool: Option<Spool>,
        drain: Drain,
        clock: fn() -> u64,
    ) -> Self {
        let counted = Coarse::from_unix_seconds(clock(), schema.resolution());
        drain(counted, counted, &mut |_| true);
        Self {
            schema,
            spool,
            memory: VecDeque::new(),
            counts: Counts::new(schema.resolution()),
            crashes: VecDeque::new(),
            in_hand: None,
            losses: Losses::new(),
            drain,
            counted,
            streams: 0,
            standing: Box::new(|| Standing::Agreed),
            looked: Instant::now(),
            withdrawn: false,
            on: Arc::default(),
            clock,
        }
    }

    /// This one, as long as `standing` says so: a person may say no while a program runs, and yes again. `on` follows them.
    pub(crate) fn while_agreed(
        mut self,
        standing: impl Fn() -> Standing + Send + 'static,
        on: Arc<AtomicBool>,
    ) -> Self {
        self.standing = Box::new(standing);
        self.on = on;
        self
    }

    /// How the person stands to it now. Where they say no, everything that waits is deleted and nothing is recorded; where they
    /// say yes again, it is from then on.
    pub(crate) fn standing(&mut self) -> Standing {
        let standing = (self.standing)();
        self.looked = Instant::now();
        match standing {
            Standing::No | Standing::Ended => {
                self.on.store(false, Ordering::Relaxed);
                self.withdrawn = true;
                self.memory.clear();
                self.counts = Counts::new(self.schema.resolution());
                self.crashes.clear();
                self.in_hand = None;
                self.losses = Losses::new();
                if let Some(spool) = self.spool.as_ref().filter(|_| standing == Standing::No) {
                    let _ = spool::clear(spool.folder());
                }
            }
            Standing::Agreed if self.withdrawn => {
                // What was counted without consent is forgotten.
                self.counted = Coarse::from_unix_seconds(self.now(), self.schema.resolution());
                (self.drain)(self.counted, self.counted, &mut |_| true);
                self.withdrawn = false;
                self.on.store(true, Ordering::Relaxed);
            }
            Standing::Agreed | Standing::Unclear => {}
        }
        standing
    }

    /// Whether the person said no when they were looked at last.
    pub(crate) fn is_withdrawn(&self) -> bool {
        self.withdrawn
    }

    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Takes in what metrics counted since the last time, up to the end of this step of time.
    pub(crate) fn count(&mut self) {
        let now = self.now();
        let step = Coarse::from_unix_seconds(now, self.schema.resolution());
        // A second time in one step covers that step again: whoever delivers gives them times that follow each other.
        let start = self.counted.min(step);
        self.counted = Coarse::from_steps(step.steps().saturating_add(1));
        let (counts, withdrawn) = (&mut self.counts, self.withdrawn);
        (self.drain)(start, self.counted, &mut |record| {
            if !withdrawn {
                counts.add(&record, now);
            }
            true
        });
        self.keep();
    }

    /// Where records are kept on disk.
    pub(crate) fn spool(&self) -> Option<Spool> {
        self.spool.clone().filter(|_| !self.withdrawn)
    }

    /// Takes in what was recorded, and says how many records that were. What was lost is told along with them: alone it
    /// is no reason for a request.
    pub(crate) fn take_in(&mut self, recorder: &Recorder) -> usize {
        if self.looked.elapsed() >= LOOK {
            self.standing();
        }
        let before = self.memory.len();
        let records = recorder.take();
        let (crashed, crashes) = recorder.take_crashes();
        if self.withdrawn {
            records.for_each(drop);
            drop(crashes);
            let _ = recorder.losses();
            return 0;
        }
        self.memory.extend(records);
        self.crashes.extend(crashes);
        let count = self.memory.len() - before + usize::from(crashed);
        self.losses.add_all(&recorder.losses());
        if count > 0 {
            self.tell();
        } else {
            self.keep();
        }
        count
    }

    /// Takes in what was recorded, counted and lost: the process ends. Says whether all of it is on disk, or is to be nowhere.
    pub(crate) fn settle(&mut self, recorder: &Recorder) -> bool {
        let is_over = matches!(self.standing(), Standing::No | Standing::Ended);
        is_over || self.take_in_all(recorder)
    }

    fn take_in_all(&mut self, recorder: &Recorder) -> bool {
        self.take_in(recorder);
        self.count();
        for _ in 0..ATTEMPTS_AT_END {
            if self.tell_and_keep() {
                return self.in_hand.is_none();
            }
        }
        false
    }

    /// The same for good, just after it was [settled](Store::settle): nothing delivers what is in memory any more. What can't be put
    /// on disk is lost, and noted where there is room for that.
    pub(crate) fn close(&mut self, recorder: &Recorder) {
        if let Some(batch) = self.in_hand.take() {
            self.put_back(batch);
        }
        if self.withdrawn || self.take_in_all(recorder) {
            return;
        }
        let counts = self.counts.records();
        for record in self.memory.drain(..).chain(counts) {
            lose(&mut self.losses, &record, Reason::StoreFull);
        }
        self.losses.add(Reason::StoreFull, u32::try_from(self.crashes.drain(..).count()).unwrap_or(u32::MAX));
        if let Some(spool) = &self.spool {
            spool.reserve(&self.losses);
        }
    }

    /// Whether anything waits for delivery, as far as can be told.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.is_memory_empty() || self.spool.as_ref().is_some_and(|spool| !spool.is_empty())
    }

    /// Whether nothing waits in memory.
    pub(crate) fn is_memory_empty(&self) -> bool {
        self.is_kept() && self.in_hand.is_none()
    }

    /// Whether all that was recorded is on disk, or in hand.
    fn is_kept(&self) -> bool {
        self.memory.is_empty() && self.counts.is_empty() && self.crashes.is_empty()
    }

    /// Counts what was lost on the way.
    pub(crate) fn lose(&mut self, losses: &Losses) {
        self.losses.add_all(losses);
    }

    /// Makes records of what was lost; says whether there was anything.
    pub(crate) fn tell(&mut self) -> bool {
        let is_any = !self.losses.is_empty();
        self.tell_and_keep();
        is_any
    }

    fn tell_and_keep(&mut self) -> bool {
        let time = Coarse::from_unix_seconds(self.now(), self.schema.resolution());
        self.memory.extend(Record::of_losses(&mut self.losses, time));
        self.keep()
    }

    /// The oldest of what could not be put on disk, `most` records at most, until it is said to be [`over`](Store::over).
    pub(crate) fn batch(&mut self, most: usize) -> Option<Batch> {
        self.keep();
        if self.in_hand.is_none() {
            let now = self.now();
            self.in_hand = if let Some(report) = self.crashes.pop_front() {
                Some(Batch::of_crash(report))
            } else if self.memory.is_empty() {
                self.counts.take_oldest(most).map(|(counted, records)| {
                    // Where the spool can be written, its streams are those of the other processes too.
                    let turn = self
                        .spool
                        .as_ref()
                        .and_then(|spool| spool.turn().ok().flatten()?.interval(counted.clone(), now).ok());
                    let step = self.schema.resolution().seconds();
                    let interval =
                        turn.unwrap_or_else(|| next_interval(&mut self.streams, counted, now, step));
                    self.streams = self.streams.max(interval.end);
                    Batch::in_memory(Signal::Metrics, records, Some(interval))
                })
            } else {
                let count = self.memory.len().min(most);
                Some(Batch::in_memory(Signal::Logs, self.memory.drain(..count).collect(), None))
            };
        }
        self.in_hand.clone()
    }

    /// The batch was delivered, or never will be.
    pub(crate) fn over(&mut self) {
        self.in_hand = None;
    }

    /// The batch is to be given again, in smaller ones.
    pub(crate) fn give_back(&mut self) {
        if let Some(batch) = self.in_hand.take() {
            self.put_back(batch);
        }
    }

    fn put_back(&mut self, batch: Batch) {
        let now = self.now();
        batch.crash.into_iter().for_each(|report| self.crashes.push_front(report));
        for record in batch.records.into_iter().rev() {
            if record.as_delta().is_some() {
                self.counts.add(&record, now);
            } else {
                self.memory.push_front(record);
            }
        }
    }

    /// Puts what is in memory on disk; says whether all of it is there.
    fn keep(&mut self) -> bool {
        let now = self.now();
        if let Some(spool) = &self.spool {
            if !self.memory.is_empty()
                && spool.append(Signal::Logs, self.memory.make_contiguous(), now).is_ok()
            {
                self.memory.clear();
            }
            if !self.counts.is_empty() && spool.append(Signal::Metrics, &self.counts.records(), now).is_ok() {
                self.counts = Counts::new(self.schema.resolution());
            }
            self.crashes.retain(|report| spool.append_crash(report, now).is_err());
        }
        let over = self.memory.len().saturating_sub(MEMORY_RECORDS_MAX);
        for record in self.memory.drain(..over) {
            lose(&mut self.losses, &record, Reason::StoreFull);
        }
        self.is_kept()
    }
}

#[cfg(test)]
impl Store {
    /// For how many that stands which is in memory.
    pub(crate) fn stands_for(&self) -> u64 {
        let of =
            |records: &[Record]| records.iter().map(|record| u64::from(record.stands_for())).sum::<u64>();
        let memory = self.memory.iter().map(|record| u64::from(record.stands_for())).sum::<u64>();
        let in_hand =
            self.in_hand.as_ref().map_or(0, |batch| of(&batch.records) + u64::from(batch.crash.is_some()));
        memory
            + self.crashes.len() as u64
            + in_hand
            + of(&self.counts.records())
            + u64::from(self.losses.total())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BATCH_RECORDS_MAX;
    use crate::testing::App;
    use automagik_telemetry_core::schema::Checked;

    fn record(recorder: &Recorder, count: usize) {
        for _ in 0..count {
            recorder.push(Record::new(&App, Coarse::from_steps(1)));
        }
    }

    fn in_memory() -> Store {
        Store::new(Checked::<App>::DESCRIPTOR, None, |_, _, _| {}, crate::files::clock::unix_seconds)
    }

    fn len(store: &mut Store) -> usize {
        store.batch(BATCH_RECORDS_MAX).map_or(0, |batch| batch.records.len())
    }

    /// Everything that waits, and the losses that it tells.
    fn delivered(store: &mut Store) -> (usize, Losses) {
        let (mut records, mut losses) = (0, Losses::new());
        while let Some(batch) = store.batch(BATCH_RECORDS_MAX) {
            for record in &batch.records {
                match record.loss() {
                    Some((reason, count)) => losses.add(reason, count),
                    None => records += 1,
                }
            }
            store.over();
        }
        (records, losses)
    }

    #[test]
    fn without_a_place_on_disk_memory_keeps_the_newest_and_counts_the_others() {
        let (mut store, recorder) = (in_memory(), Recorder::new());
        for _ in 0..3 {
            record(&recorder, 4_000);
            store.take_in(&recorder);
        }
        store.tell();
        let (records, losses) = delivered(&mut store);
        assert_eq!(records + (losses.total() + store.losses.total()) as usize, 12_000);
        assert!((MEMORY_RECORDS_MAX - 2..=MEMORY_RECORDS_MAX).contains(&records), "{records}");
    }

    #[test]
    fn a_loss_that_is_lost_is_carried_on() {
        let mut losses = Losses::new();
        let told = Record::dropped(Reason::QueueFull, 7, Coarse::from_steps(1));
        lose(&mut losses, &told, Reason::Refused);
        lose(&mut losses, &Record::new(&App, Coarse::from_steps(1)).unwrap(), Reason::Refused);
        assert_eq!(losses.take().collect::<Vec<_>>(), [(Reason::QueueFull, 7), (Reason::Refused, 1)]);
    }

    #[test]
    fn a_loss_alone_is_no_reason_for_a_request() {
        let (mut store, recorder) = (in_memory(), Recorder::new());
        recorder.push(Err(automagik_telemetry_core::record::Error::OutOfDomain));
        assert_eq!(store.take_in(&recorder), 0);
        assert_eq!(len(&mut store), 0);
        record(&recorder, 1);
        store.take_in(&recorder);
        assert_eq!(len(&mut store), 2);
    }

    #[test]
    fn what_is_in_hand_is_given_again_until_it_is_over() {
        let (mut store, recorder) = (in_memory(), Recorder::new());
        record(&recorder, 101);
        store.take_in(&recorder);
        assert_eq!((len(&mut store), len(&mut store)), (100, 100));
        store.over();
        assert_eq!(len(&mut store), 1);
    }

    #[test]
    fn a_batch_that_is_too_large_is_given_again_in_smaller_ones() {
        let (mut store, recorder) = (in_memory(), Recorder::new());
        record(&recorder, 100);
        store.take_in(&recorder);
        assert_eq!(len(&mut store), 100);
        store.give_back();
        assert_eq!(store.batch(50).unwrap().records.len(), 50);
    }
}
