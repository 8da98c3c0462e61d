//! The task: what it reads out of the queue, and what becomes of each request.

use super::{BATCH_RECORDS_MAX, Settings, Telemetry};
use crate::backlog::{Backlog, Keep, Nowhere};
use automagik_telemetry_core::delivery::{Delivery, Next, Verdict};
use automagik_telemetry_core::loss::{DROPPED_COUNT_MAX, Reason};
use automagik_telemetry_core::otlp::{Body, Logs, Metrics, Signal};
use automagik_telemetry_core::record::{Cursor, Records};
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Pseudonym, Record, Schema, Secret, Sender, aggregate};
use embassy_futures::select::{Either3, select, select3};
use embassy_time::{Duration, Instant, Timer};
use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use portable_atomic::Ordering;

impl<S: Schema, const N: usize> Telemetry<S, N> {
    /// Runs the task: sends what is recorded and counted, and never returns. While it is off it waits, and touches no network.
    pub async fn run(&self, secret: &Secret, sender: impl Sender, settings: Settings) -> ! {
        self.task(secret, sender, Nowhere::default(), settings).await
    }

    /// [`run`](Telemetry::run), with a place in flash for what the collector does not take at once: it is sent after a power
    /// cut too. Where consent is withdrawn, that is erased.
    pub async fn run_with<F: MultiwriteNorFlash>(
        &self,
        secret: &Secret,
        sender: impl Sender,
        backlog: Backlog<F>,
        settings: Settings,
    ) -> ! {
        self.task(secret, sender, backlog, settings).await
    }

    async fn task(&self, secret: &Secret, mut sender: impl Sender, kept: impl Keep, settings: Settings) -> ! {
        let schema = Checked::<S>::DESCRIPTOR;
        let mut upload = Upload {
            telemetry: self,
            resource: Resource::new(schema, Pseudonym::new(secret, schema.project(), 0)),
            delivery: Delivery::new(settings.seed),
            interval: settings.interval,
            // What was counted in this step before a reset may have left already.
            counted: Coarse::from_steps(self.now().steps().saturating_add(1)),
            kept,
            taken: true,
        };
        let mut is_cleared = false;
        loop {
            select(Timer::after(settings.interval), self.wake.wait()).await;
            if self.is_on() {
                is_cleared = false;
                upload.collect();
                // Ends early where consent does.
                let _ = upload.all(&mut sender).await;
            } else if !is_cleared {
                is_cleared = upload.kept.clear().await;
            }
        }
    }
}

/// Consent has ended.
pub(super) struct Withdrawn;

/// The task's own.
pub(super) struct Upload<'a, S, K, const N: usize> {
    pub(super) telemetry: &'a Telemetry<S, N>,
    pub(super) resource: Resource,
    pub(super) delivery: Delivery,
    pub(super) interval: Duration,
    /// Until when counters were read.
    pub(super) counted: Coarse,
    /// What the collector did not take at once.
    pub(super) kept: K,
    /// Whether the collector took the last batch: one that refuses what tells of losses would be told of that for ever.
    pub(super) taken: bool,
}

impl<S: Schema, K: Keep, const N: usize> Upload<'_, S, K, N> {
    /// Puts into the queue what was counted, and what was lost.
    pub(super) fn collect(&mut self) {
        let (queue, now) = (&self.telemetry.queue, self.telemetry.now());
        // Not twice in one step: times are no finer, and no two intervals of a stream may overlap. A clock that was set back by more
        // is caught up with from where the last interval ended.
        if self.counted.steps().wrapping_sub(now.steps()) != 1 {
            let end = Coarse::from_steps(now.max(self.counted).steps().saturating_add(1));
            aggregate::drain::<S>(self.counted, end, |record| queue.offer(&record).is_ok());
            self.counted = end;
        }
        if !self.taken {
            return;
        }
        let losses = self.kept.losses();
        losses.add(Reason::OutOfDomain, self.telemetry.out_of_domain.swap(0, Ordering::Relaxed));
        while let Some((reason, count)) = losses.take_some(DROPPED_COUNT_MAX) {
            if queue.offer(&Record::dropped(reason, count, now)).is_err() {
                return losses.add(reason, count);
            }
        }
    }

    /// Sends what waits, until nothing does: what was kept first, it is older.
    pub(super) async fn all(&mut self, sender: &mut impl Sender) -> Result<(), Withdrawn> {
        let schema = Checked::<S>::DESCRIPTOR;
        loop {
            if let Some(frame) = self.kept.oldest(schema, self.telemetry.now()).await {
                for signal in [Signal::Logs, Signal::Metrics] {
                    self.send(sender, &OfSignal { records: &frame, signal }, At::Flash).await?;
                }
                self.kept.over().await;
            } else if let Some(batch) = self.telemetry.queue.batch(BATCH_RECORDS_MAX) {
                for signal in [Signal::Logs, Signal::Metrics] {
                    self.send(sender, &OfSignal { records: &batch, signal }, At::Memory).await?;
                }
                batch.commit();
            } else {
                return Ok(());
            }
        }
    }

    /// Sends `records` until the collector has taken or refused them, or they are kept elsewhere.
    pub(super) async fn send(
        &mut self,
        sender: &mut impl Sender,
        records: &OfSignal<'_>,
        at: At,
    ) -> Result<(), Withdrawn> {
        if records.next(&mut records.first()).is_none() {
            return Ok(());
        }
        loop {
            if let Next::Wait(milliseconds) = self.delivery.next(Instant::now().as_millis()) {
                // As long as it waits it is safer in flash.
                if at == At::Memory && self.keep(records).await {
                    return Ok(());
                }
                self.wait(Duration::from_millis(milliseconds), at).await;
                continue;
            }
            if !self.telemetry.is_on() {
                return Err(Withdrawn);
            }
            let body: &mut dyn Body = match records.signal {
                Signal::Logs => &mut Logs::new(&self.resource, records),
                Signal::Metrics => &mut Metrics::new(&self.resource, records),
            };
            let outcome = sender.send(records.signal, body).await;
            let refused = match self.delivery.done(outcome, Instant::now().as_millis()) {
                Verdict::Keep => continue,
                Verdict::Taken { refused } => {
                    self.taken = true;
                    refused
                }
                // What is kept in flash can't be made smaller.
                Verdict::Refused | Verdict::Split => {
                    self.taken = false;
                    u32::MAX
                }
            };
            self.refuse(records, refused);
            return Ok(());
        }
    }

    /// Counts the first `refused` of `records`: which of them were refused a collector does not say.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn refuse(&mut self, records: &OfSignal<'_>, refused: u32) {
        let (mut at, losses) = (records.first(), self.kept.losses());
        for _ in 0..refused {
            let Some(record) = records.next(&mut at) else { break };
            let (reason, count) = record.lost_for(Reason::Refused);
            losses.add(reason, count);
        }
    }

    /// Waits; keeps meanwhile what comes into the queue, where what is being sent is none of it.
    async fn wait(&mut self, duration: Duration, at: At) {
        let over = Instant::now().checked_add(duration).unwrap_or(Instant::MAX);
        if at == At::Memory {
            return Timer::at(over).await;
        }
        while let Either3::Second(()) | Either3::Third(()) =
            select3(Timer::at(over), Timer::after(self.interval), self.telemetry.wake.wait()).await
        {
            if !self.telemetry.is_on() {
                return;
            }
            self.collect();
            while let Some(batch) = self.telemetry.queue.batch(BATCH_RECORDS_MAX) {
                for signal in [Signal::Logs, Signal::Metrics] {
                    if !self.keep(&OfSignal { records: &batch, signal }).await {
                        return Timer::at(over).await;
                    }
                }
                batch.commit();
            }
        }
    }

    async fn keep(&mut self, records: &OfSignal<'_>) -> bool {
        self.kept.keep(Checked::<S>::DESCRIPTOR, records).await
    }
}

/// Where the records stand that are being sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Memory,
    Flash,
}

/// Those of a batch that leave as one signal.
pub(super) struct OfSignal<'a> {
    pub(super) records: &'a dyn Records,
    pub(super) signal: Signal,
}

impl Records for OfSignal<'_> {
    fn first(&self) -> Cursor {
        self.records.first()
    }

    fn next(&self, at: &mut Cursor) -> Option<Record> {
        loop {
            let record = self.records.next(at)?;
            if Signal::of(&record) == self.signal {
                return Some(record);
            }
        }
    }
}
