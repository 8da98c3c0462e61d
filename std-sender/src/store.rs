//! What waits for delivery: in the spool, or in memory where nothing can be kept (no home, a full disk).

use crate::clock;
use crate::recorder::Recorder;
use crate::spool::{self, Spool};
use automagik_telemetry_core::Record;
use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::schema::SchemaDescriptor;
use automagik_telemetry_core::time::Coarse;
use std::collections::VecDeque;

/// Records that memory keeps where the spool can't; the oldest go first, counted.
const MEMORY_RECORDS_MAX: usize = 4096;

/// What waits for delivery.
pub(crate) struct Store {
    schema: &'static SchemaDescriptor,
    spool: Option<Spool>,
    memory: VecDeque<Record>,
    /// Those of `memory` that are being delivered.
    in_hand: Vec<Record>,
    losses: Losses,
    drain: Drain,
    /// Until when metrics were counted.
    counted: Coarse,
    consent: Box<dyn Fn() -> bool + Send>,
    withdrawn: bool,
}

/// Takes what the program's metrics counted: [`drain`](automagik_telemetry_core::aggregate::drain) of its schema.
pub(crate) type Drain = fn(Coarse, Coarse, &mut dyn FnMut(Record) -> bool);

impl Store {
    /// An empty store. What was counted before is forgotten: there may have been no consent.
    pub(crate) fn new(schema: &'static SchemaDescriptor, spool: Option<Spool>, drain: Drain) -> Self {
        let counted = Coarse::from_unix_seconds(clock::unix_seconds(), schema.resolution());
        drain(counted, counted, &mut |_| true);
        let (memory, in_hand, losses) = (VecDeque::new(), Vec::new(), Losses::new());
        Self {
            schema,
            spool,
            memory,
            in_hand,
            losses,
            drain,
            counted,
            consent: Box::new(|| true),
            withdrawn: false,
        }
    }

    /// This one, as long as `consent` says so: a person may say no while a program runs.
    pub(crate) fn while_agreed(mut self, consent: impl Fn() -> bool + Send + 'static) -> Self {
        self.consent = Box::new(consent);
        self
    }

    /// Whether the person has said no since the program began. Then everything that waits is deleted, and stays so.
    pub(crate) fn is_withdrawn(&mut self) -> bool {
        if !self.withdrawn && !(self.consent)() {
            self.withdrawn = true;
            self.memory.clear();
            self.in_hand.clear();
            let _ = self.losses.take().count();
            if let Some(spool) = self.spool.take() {
                let _ = spool::clear(spool.folder());
            }
        }
        self.withdrawn
    }

    /// Takes in what metrics counted since the last time, up to the end of this step of time.
    pub(crate) fn count(&mut self) {
        let now = Coarse::from_unix_seconds(clock::unix_seconds(), self.schema.resolution());
        // A second time in one step covers that step again: times are no finer.
        let start = self.counted.min(now);
        self.counted = Coarse::from_steps(now.steps().saturating_add(1));
        let memory = &mut self.memory;
        let withdrawn = self.withdrawn;
        (self.drain)(start, self.counted, &mut |record| {
            if !withdrawn {
                memory.push_back(record);
            }
            true
        });
        self.keep();
    }

    /// Where records are kept on disk.
    pub(crate) fn spool(&self) -> Option<Spool> {
        self.spool.clone()
    }

    /// Takes in what was recorded, and says how many records that were. What was lost is told along with them: alone it
    /// is no reason for a request.
    pub(crate) fn take_in(&mut self, recorder: &Recorder) -> usize {
        let before = self.memory.len();
        let records = recorder.take();
        if self.withdrawn {
            records.for_each(drop);
            let _ = recorder.losses();
            return 0;
        }
        self.memory.extend(records);
        let count = self.memory.len() - before;
        self.losses.add_all(&recorder.losses());
        if count > 0 {
            self.tell();
        } else {
            self.keep();
        }
        count
    }

    /// Takes in what was recorded and lost, for good: the process ends.
    pub(crate) fn close(&mut self, recorder: &Recorder) {
        if self.is_withdrawn() {
            return;
        }
        self.take_in(recorder);
        self.count();
        for record in self.in_hand.drain(..).rev() {
            self.memory.push_front(record);
        }
        self.tell();
    }

    /// Whether anything waits for delivery, as far as can be told.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.memory.is_empty()
            || !self.in_hand.is_empty()
            || self.spool.as_ref().is_some_and(|spool| !spool.is_empty())
    }

    /// Counts what was lost on the way.
    pub(crate) fn lose(&mut self, losses: &Losses) {
        self.losses.add_all(losses);
    }

    /// Makes records of what was lost; says whether there was anything.
    pub(crate) fn tell(&mut self) -> bool {
        let time = Coarse::from_unix_seconds(clock::unix_seconds(), self.schema.resolution());
        let before = self.memory.len();
        self.memory.extend(self.losses.take().map(|(reason, count)| Record::dropped(reason, count, time)));
        let told = self.memory.len() > before;
        self.keep();
        told
    }

    /// The oldest of what could not be put on disk, until it is said to be [`over`](Store::over).
    pub(crate) fn batch(&mut self) -> Vec<Record> {
        self.keep();
        if self.in_hand.is_empty() {
            let count = self.front();
            self.in_hand.extend(self.memory.drain(..count));
        }
        self.in_hand.clone()
    }

    /// The batch was delivered, or never will be.
    pub(crate) fn over(&mut self) {
        self.in_hand.clear();
    }

    /// How many of the oldest are of one signal, and so leave together.
    fn front(&self) -> usize {
        let signal = self.memory.front().map(Signal::of);
        let same = |record: &&Record| Some(Signal::of(record)) == signal;
        self.memory.iter().take(crate::BATCH_RECORDS_MAX).take_while(same).count()
    }

    /// Puts what is in memory on disk, as far as the disk lets it.
    fn keep(&mut self) {
        while let (Some(spool), false) = (&self.spool, self.memory.is_empty()) {
            let count = self.front();
            let batch: Vec<Record> = self.memory.range(..count).copied().collect();
            let Ok(dropped) = spool.append(&batch, clock::unix_seconds()) else { break };
            self.memory.drain(..count);
            self.losses.add_all(&dropped);
        }
        let over = self.memory.len().saturating_sub(MEMORY_RECORDS_MAX);
        for record in self.memory.drain(..over) {
            count(&mut self.losses, &record, Reason::StoreFull);
        }
    }
}

/// Counts a record that is lost for `reason`. One that tells of a loss stands for as many as it tells, for its reason.
pub(crate) fn count(losses: &mut Losses, record: &Record, reason: Reason) {
    let (reason, count) = record.loss().unwrap_or((reason, 1));
    losses.add(reason, count);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::App;
    use automagik_telemetry_core::schema::Checked;

    fn record(recorder: &Recorder, count: usize) {
        for _ in 0..count {
            recorder.push(Record::new(&App, Coarse::from_steps(1)));
        }
    }

    fn in_memory() -> Store {
        Store::new(Checked::<App>::DESCRIPTOR, None, |_, _, _| {})
    }

    /// Everything that waits, and the losses that it tells.
    fn delivered(store: &mut Store) -> (usize, Losses) {
        let (mut records, mut losses) = (0, Losses::new());
        loop {
            let batch = store.batch();
            if batch.is_empty() {
                return (records, losses);
            }
            for record in &batch {
                match record.loss() {
                    Some((reason, count)) => losses.add(reason, count),
                    None => records += 1,
                }
            }
            store.over();
        }
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
        count(&mut losses, &told, Reason::Refused);
        count(&mut losses, &Record::new(&App, Coarse::from_steps(1)).unwrap(), Reason::Refused);
        assert_eq!(losses.take().collect::<Vec<_>>(), [(Reason::QueueFull, 7), (Reason::Refused, 1)]);
    }

    #[test]
    fn a_loss_alone_is_no_reason_for_a_request() {
        let (mut store, recorder) = (in_memory(), Recorder::new());
        recorder.push(Err(automagik_telemetry_core::record::Error::OutOfDomain));
        assert_eq!(store.take_in(&recorder), 0);
        assert!(store.batch().is_empty());
        record(&recorder, 1);
        store.take_in(&recorder);
        assert_eq!(store.batch().len(), 2);
    }

    #[test]
    fn what_is_in_hand_is_given_again_until_it_is_over() {
        let (mut store, recorder) = (in_memory(), Recorder::new());
        record(&recorder, 101);
        store.take_in(&recorder);
        assert_eq!((store.batch().len(), store.batch().len()), (100, 100));
        store.over();
        assert_eq!(store.batch().len(), 1);
    }
}
