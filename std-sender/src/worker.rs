//! The worker: takes in what was recorded, has it delivered. The only thread that touches the network.
//!
//! ```text
//!            ┌──────────────── gather ◄──────────────────────────────┐
//!            │ until the interval ends, a batch is full, a flush     │ interval (another process delivers)
//!            ▼                                                       │ or as long as nothing is recorded
//!         upload ── the spool's batches, then memory's ──► Done, Later
//! ```
//!
//! Whatever it waits for, it takes in what is recorded meanwhile, about every tenth of a second while there is
//! anything: that is how much a process that is killed may lose.

use crate::body::{self, Encoded};
use crate::recorder::{Flush, Recorder};
use crate::spool::Upload;
use crate::store::{self, Store};
use automagik_telemetry_core::delivery::{Delivery, Next, Verdict};
use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::otlp::{Body, Signal};
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::{Record, Sender};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long a program must live before its worker touches the network. One that is shorter would leave its request
/// half sent, and the next run could not know whether it arrived.
const START_DELAY: Duration = Duration::from_millis(50);

/// How long a record waits for others to be written to disk with.
const WRITE_DELAY: Duration = Duration::from_millis(100);

/// How often a flush looks whether another process has delivered what it waits for.
const FLUSH_DELAY: Duration = Duration::from_millis(100);

/// What a worker works with.
pub(crate) struct Worker<'a, S> {
    pub(crate) intake: Intake<'a>,
    pub(crate) resource: Resource,
    pub(crate) sender: S,
    /// How long records may wait for others to leave with.
    pub(crate) interval: Duration,
    pub(crate) delivery: Delivery,
    pub(crate) started: Instant,
    /// Whether the spool can't remember what was delivered: then it would be delivered again and again.
    forgetful: bool,
    /// Whether the collector took the last batch: then it may be told of losses.
    taken: bool,
}

/// From the queue to the store, whatever else the worker does.
pub(crate) struct Intake<'a> {
    recorder: &'a Recorder,
    store: &'a Mutex<Store>,
    /// Those who wait for what was taken in.
    flushes: Vec<Flush>,
    /// Records since the last upload.
    records: usize,
    /// Whether something was taken in just now: then more may follow, and callers need not wake anybody for it.
    busy: bool,
}

/// The worker was asked to end.
struct Stopped;

/// How an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Uploaded {
    /// Everything is delivered.
    Done,
    /// Something is left: another process works on it, or the disk fails.
    Later,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(recorder: &'a Recorder, store: &'a Mutex<Store>) -> Self {
        Self { recorder, store, flushes: Vec::new(), records: 0, busy: false }
    }

    fn store(&self) -> MutexGuard<'a, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is recorded, flushed or stopped, and takes it in.
    async fn next(&mut self) -> Result<(), Stopped> {
        loop {
            if !self.busy {
                self.recorder.work().await;
            }
            // A queue that fills, a flush and a stop end this too.
            let _ = timeout(WRITE_DELAY, self.recorder.filled()).await;
            if self.recorder.is_stopping() {
                return Err(Stopped);
            }
            // In this order: what was recorded before a flush is taken in with it.
            let flushes = self.recorder.take_flushes();
            let records = self.store().take_in(self.recorder);
            if !flushes.is_empty() {
                self.store().count();
            }
            self.busy = records > 0 || !flushes.is_empty();
            self.records += records;
            self.flushes.extend(flushes);
            if self.busy {
                return Ok(());
            }
        }
    }

    /// What `work` gives, while what is recorded is taken in.
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                next = self.next() => next?,
            }
        }
    }

    /// Takes in what metrics counted; says whether anything waits now.
    fn count(&self) -> bool {
        let mut store = self.store();
        store.count();
        store.is_waiting()
    }

    fn is_flushed(&mut self) -> bool {
        self.flushes.retain(Flush::is_awaited);
        !self.flushes.is_empty()
    }
}

impl<'a, S: Sender> Worker<'a, S> {
    pub(crate) fn new(
        intake: Intake<'a>,
        resource: Resource,
        sender: S,
        interval: Duration,
        seed: u32,
    ) -> Self {
        Self {
            intake,
            resource,
            sender,
            interval,
            delivery: Delivery::new(seed),
            started: Instant::now(),
            forgetful: false,
            taken: false,
        }
    }

    /// Works until it is asked to end.
    pub(crate) async fn run(&mut self) {
        // Ends with the process, or with its consent.
        let Err(Stopped) = self.work().await;
    }

    /// Delivers what waits.
    pub(crate) async fn upload_once(&mut self) {
        let _ = self.upload().await;
    }

    async fn work(&mut self) -> Result<core::convert::Infallible, Stopped> {
        let mut wait = Some(START_DELAY);
        loop {
            self.gather(wait).await?;
            self.intake.records = 0;
            wait = match self.upload().await? {
                Uploaded::Done => {
                    self.intake.flushes.drain(..).for_each(Flush::answer);
                    None
                }
                Uploaded::Later if self.intake.is_flushed() => Some(FLUSH_DELAY),
                Uploaded::Later => Some(self.interval),
            };
        }
    }

    /// Waits for `limit` at most, or, without one, until something is recorded and as long as it may wait for others to
    /// leave with. A full batch and a flush end it.
    async fn gather(&mut self, limit: Option<Duration>) -> Result<(), Stopped> {
        let mut limit = limit.map(|limit| Instant::now() + limit);
        loop {
            match limit {
                None => {
                    // Nobody says that something was counted: it is looked at once a step of time.
                    match timeout(self.step(), self.intake.next()).await {
                        Ok(next) => next?,
                        Err(_elapsed) if self.intake.count() => return Ok(()),
                        Err(_elapsed) => continue,
                    }
                    limit = Some(Instant::now() + self.interval);
                }
                Some(until) => match timeout(until - Instant::now(), self.intake.next()).await {
                    Ok(next) => next?,
                    Err(_elapsed) => return Ok(()),
                },
            }
            if self.intake.records >= crate::BATCH_RECORDS_MAX || self.intake.is_flushed() {
                return Ok(());
            }
        }
    }

    /// How often metrics are looked at: once a step of the schema's times, or never where there are none.
    fn step(&self) -> Duration {
        let schema = self.resource.schema();
        if schema.metrics().is_empty() {
            return Duration::MAX;
        }
        Duration::from_secs(u64::from(schema.resolution().seconds())).max(self.interval)
    }

    /// Delivers everything that waits.
    async fn upload(&mut self) -> Result<Uploaded, Stopped> {
        self.taken = false;
        let uploaded = self.upload_waiting().await?;
        // Losses are told once: a collector that refuses what tells of them would be told of that for ever.
        let told = self.taken && self.intake.store().tell();
        if told { self.upload_waiting().await } else { Ok(uploaded) }
    }

    async fn upload_waiting(&mut self) -> Result<Uploaded, Stopped> {
        let uploaded = self.upload_spool().await?;
        self.upload_memory().await?;
        Ok(uploaded)
    }

    /// Delivers what waits in the spool, where no other process does it already.
    async fn upload_spool(&mut self) -> Result<Uploaded, Stopped> {
        let Some(spool) = self.intake.store().spool() else { return Ok(Uploaded::Done) };
        let expired = spool.expire(crate::clock::unix_seconds());
        self.intake.store().lose(&expired);
        if spool.is_empty() {
            return Ok(Uploaded::Done);
        }
        if self.forgetful {
            return Ok(Uploaded::Later);
        }
        match spool.upload() {
            Ok(Some(upload)) => {
                let done = self.upload_batches(upload).await?;
                // A disk that fails is tried again with the next records.
                Ok(if matches!(done, Ok(true)) { Uploaded::Done } else { Uploaded::Later })
            }
            Ok(None) | Err(_) => Ok(Uploaded::Later),
        }
    }

    /// Delivers the batches of the spool; says whether all of them.
    async fn upload_batches(&mut self, mut upload: Upload) -> Result<io::Result<bool>, Stopped> {
        loop {
            let batch = match upload.next(self.resource.schema()) {
                Ok(Some(batch)) => batch,
                Ok(None) => return Ok(Ok(!upload.passed_over())),
                Err(error) => return Ok(Err(error)),
            };
            let mut losses = self.deliver(&batch.records).await?;
            losses.add_all(&batch.losses);
            self.intake.store().lose(&losses);
            if let Err(error) = upload.commit(&batch) {
                self.forgetful = true;
                return Ok(Err(error));
            }
        }
    }

    /// Delivers what could not be put on disk.
    async fn upload_memory(&mut self) -> Result<(), Stopped> {
        loop {
            let batch = self.intake.store().batch();
            if batch.is_empty() {
                return Ok(());
            }
            let losses = self.deliver(&batch).await?;
            let mut store = self.intake.store();
            store.over();
            store.lose(&losses);
        }
    }

    /// Sends `records` until the collector has taken or refused them; says what it refused.
    async fn deliver(&mut self, records: &[Record]) -> Result<Losses, Stopped> {
        let mut losses = Losses::new();
        let Some(signal) = records.first().map(Signal::of) else { return Ok(losses) };
        let mut body = Encoded::new(body::encode(&self.resource, signal, records));
        loop {
            match self.delivery.next(self.now()) {
                Next::Wait(ms) => self.intake.during(sleep(Duration::from_millis(ms))).await?,
                Next::Send => {
                    if self.intake.store().is_withdrawn() {
                        return Err(Stopped);
                    }
                    body.rewind();
                    let outcome = self.intake.during(self.sender.send(signal, &mut body)).await?;
                    let now = self.now();
                    match self.delivery.done(outcome, now) {
                        Verdict::Keep => continue,
                        Verdict::Taken { refused } => {
                            let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
                            losses.add(Reason::Refused, refused.min(count));
                            self.taken = true;
                        }
                        Verdict::Refused => {
                            records.iter().for_each(|record| {
                                store::count(&mut losses, record, Reason::Refused);
                            });
                            self.taken = false;
                        }
                    }
                    return Ok(losses);
                }
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Spool;
    use crate::testing::{App, consent};
    use automagik_telemetry_core::Outcome;
    use automagik_telemetry_core::Pseudonym;
    use automagik_telemetry_core::schema::Checked;
    use automagik_telemetry_core::time::Coarse;

    /// A collector that is down until `up`, and then takes everything.
    struct Outage<'a> {
        up: Instant,
        attempts: &'a mut u32,
        delivered: &'a mut usize,
    }

    impl Sender for Outage<'_> {
        async fn send(&mut self, signal: Signal, body: &mut dyn Body) -> Outcome {
            *self.attempts += 1;
            if Instant::now() < self.up {
                return Outcome::Retry { after_seconds: None };
            }
            let bytes = body::to_vec(body).unwrap();
            *self.delivered += crate::decode::sent(signal, &bytes).unwrap().len();
            Outcome::Accepted
        }
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test(start_paused = true)]
    async fn after_a_week_without_a_collector_everything_arrives_once() {
        let state = tempfile::tempdir().unwrap();
        let schema = Checked::<App>::DESCRIPTOR;
        let consent = consent();
        let store =
            Mutex::new(Store::new(schema, Some(Spool::new(state.path(), schema, consent)), |_, _, _| {}));
        let recorder = Recorder::new();
        let secret = automagik_telemetry_core::Secret::new([7; 32], consent);
        let resource = Resource::new(schema, Pseudonym::new(&secret, "app", 0));
        let (mut attempts, mut delivered) = (0, 0);
        let up = Instant::now() + 7 * 24 * HOUR;
        let sender = Outage { up, attempts: &mut attempts, delivered: &mut delivered };
        let mut worker =
            Worker::new(Intake::new(&recorder, &store), resource, sender, Duration::from_secs(5), 1);
        let program = async {
            for _ in 0..7 * 24 {
                (0..10).for_each(|_| recorder.push(Record::new(&App, Coarse::from_steps(1))));
                sleep(HOUR).await;
            }
            sleep(HOUR).await;
            recorder.stop();
        };
        tokio::join!(worker.run(), program);
        assert_eq!(delivered, 7 * 24 * 10);
        // Full jitter below five minutes: one attempt each two and a half on average.
        assert!((3_000..6_000).contains(&attempts), "{attempts}");
    }
}
