//! The worker: waits, takes what was recorded, has it delivered. The only thread that touches the network.

use crate::clock;
use crate::recorder::Recorder;
use automagik_telemetry_core::delivery::{Delivery, Next, Verdict};
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::otlp::{Logs, Signal};
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Record, Sender};
use std::time::{Duration, Instant};

/// What a worker works with.
pub(crate) struct Worker<'a, S> {
    pub(crate) recorder: &'a Recorder,
    pub(crate) resource: Resource,
    pub(crate) sender: S,
    /// How long records may wait for others to leave with.
    pub(crate) interval: Duration,
    pub(crate) delivery: Delivery,
    /// What the collector refused, to be told with the next batch.
    pub(crate) refused: u32,
    pub(crate) started: Instant,
}

/// The worker was asked to end.
struct Stopped;

impl<S: Sender> Worker<'_, S> {
    /// Works until it is asked to end.
    pub(crate) async fn run(&mut self) {
        while let Ok(()) = self.cycle().await {
            self.recorder.work().await;
            // A batch or a deadline: whoever flushes or stops ends this too.
            let _ = tokio::time::timeout(self.interval, self.recorder.batch()).await;
        }
    }

    /// Delivers everything that was recorded before, and tells those who wait for it.
    async fn cycle(&mut self) -> Result<(), Stopped> {
        let flushes = self.recorder.take_flushes();
        loop {
            let batch = self.gather();
            if batch.is_empty() {
                break;
            }
            self.deliver(&batch).await?;
        }
        for flush in flushes {
            // Who gave up waiting needs no answer.
            let _ = flush.send(());
        }
        if self.recorder.is_stopping() { Err(Stopped) } else { Ok(()) }
    }

    /// The next batch: the oldest records, and what was lost.
    fn gather(&mut self) -> Vec<Record> {
        let now = Coarse::from_unix_seconds(clock::unix_seconds(), self.resource.schema().resolution());
        let mut batch: Vec<Record> =
            std::iter::from_fn(|| self.recorder.pop()).take(crate::BATCH_RECORDS_MAX).collect();
        batch.extend(self.recorder.losses(now));
        if self.refused > 0 && !batch.is_empty() {
            batch.push(Record::dropped(Reason::Refused, std::mem::take(&mut self.refused), now));
        }
        batch
    }

    /// Sends `batch` until the collector has taken or refused it.
    async fn deliver(&mut self, batch: &[Record]) -> Result<(), Stopped> {
        let records = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        loop {
            match self.delivery.next(self.now()) {
                Next::Wait(ms) => tokio::select! {
                    () = self.recorder.stopped() => return Err(Stopped),
                    () = tokio::time::sleep(Duration::from_millis(ms)) => {}
                },
                Next::Send => {
                    let mut body = Logs::new(&self.resource, &batch);
                    let outcome = tokio::select! {
                        () = self.recorder.stopped() => return Err(Stopped),
                        outcome = self.sender.send(Signal::Logs, &mut body) => outcome,
                    };
                    let now = self.now();
                    match self.delivery.done(outcome, now) {
                        Verdict::Keep => {}
                        Verdict::Taken { refused } => {
                            self.refused = self.refused.saturating_add(refused.min(records));
                            return Ok(());
                        }
                        Verdict::Refused => {
                            self.refused = self.refused.saturating_add(records);
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
