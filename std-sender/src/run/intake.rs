//! From the queue to the store, whatever else the worker does.

use crate::kept::recorder::{Flush, Recorder};
use crate::kept::store::Store;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// How long a record waits for others to be written to disk with.
const WRITE_DELAY: Duration = Duration::from_millis(100);

/// What takes in.
pub(crate) struct Intake<'a> {
    pub(crate) recorder: &'a Recorder,
    store: &'a Mutex<Store>,
    /// Those who wait for what was taken in.
    pub(crate) flushes: Vec<Flush>,
    /// Records since the last upload.
    pub(crate) records: usize,
    /// Whether something was taken in just now: then more may follow, and callers need not wake anybody for it.
    busy: bool,
}

/// The worker was asked to end, or the person said no.
pub(crate) struct Stopped;

impl<'a> Intake<'a> {
    pub(crate) fn new(recorder: &'a Recorder, store: &'a Mutex<Store>) -> Self {
        Self { recorder, store, flushes: Vec::new(), records: 0, busy: false }
    }

    pub(crate) fn store(&self) -> MutexGuard<'a, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is recorded, flushed or stopped, and takes it in.
    pub(crate) async fn next(&mut self) -> Result<(), Stopped> {
        loop {
            if self.busy {
                // More may follow, and is written together with what follows that. A queue that fills, a flush and a stop end this
                // too.
                let _ = timeout(WRITE_DELAY, self.recorder.filled()).await;
            } else {
                // The first after a pause is written at once: the program may be killed any moment.
                self.recorder.work().await;
            }
            if self.recorder.is_stopping() {
                return Err(Stopped);
            }
            // In this order: what was recorded before a flush is taken in with it.
            let flushes = self.recorder.take_flushes();
            let records = self.store().take_in(self.recorder);
            if !flushes.is_empty() {
                self.store().count();
            }
            if self.store().is_withdrawn() {
                self.flushes.extend(flushes);
                return Err(Stopped);
            }
            self.busy = records > 0 || !flushes.is_empty();
            self.records += records;
            self.flushes.extend(flushes);
            if self.busy {
                return Ok(());
            }
        }
    }

    /// What `work` gives, while what is recorded is taken in. Where the worker is asked to end, `work` goes on for as long as
    /// `grace` says, and no longer.
    pub(crate) async fn during<T>(
        &mut self,
        work: impl Future<Output = T>,
        grace: impl Fn() -> Duration,
    ) -> Result<T, Stopped> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                next = self.next() => if next.is_err() {
                    return timeout(grace(), work).await.map_err(|_elapsed| Stopped);
                },
            }
        }
    }

    /// Takes in what metrics counted; says whether anything waits now.
    pub(crate) fn count(&self) -> bool {
        let mut store = self.store();
        store.count();
        store.is_waiting()
    }

    pub(crate) fn is_flushed(&mut self) -> bool {
        self.flushes.retain(Flush::is_awaited);
        !self.flushes.is_empty()
    }
}
