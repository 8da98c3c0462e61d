//! The worker: takes in what was recorded, has it delivered. The only thread that touches the network.
//!
//! ```text
//!            ┌──────────────── gather ◄──────────────────────────────┐
//!            │ until the interval ends, a batch is full, a flush     │ interval (another process delivers)
//!            ▼                                                       │ or as long as nothing is recorded
//!         upload ── the spool's batches, then memory's ──► Done, Unable, Later
//! ```
//!
//! Whatever it waits for, it takes in what is recorded meanwhile: what comes after a pause at once, and then about every tenth of
//! a second while there is anything. That is how much a process that is killed may lose.

use crate::kept::recorder::Flush;
use crate::kept::spool::{self, Batch, Spool, Turn};
use crate::kept::store::LOOK;
use crate::person::signals::Standing;
use crate::run::intake::{Intake, Stopped};
use crate::send::body::{self, Encoded};
use crate::send::flight::Flight;
use automagik_telemetry_core::delivery::{Delivery, Next, Verdict};
use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::{Outcome, Record, Sender};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long a program must live before its worker touches the network. One that is shorter would leave its request
/// half sent, and the next run could not know whether it arrived.
const START_DELAY: Duration = Duration::from_millis(50);

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
    /// Whether a request has left.
    flight: Arc<Flight>,
    /// Most records of a request: fewer where the collector found one too large.
    most: usize,
    /// Whether the spool can't remember what was delivered: then it would be delivered again and again.
    forgetful: bool,
    /// Whether the collector took the last batch: then it may be told of losses of this process.
    taken: bool,
    /// Whether it may be told of losses alone that wait on disk: it took the last batch, or was not asked yet. One that refuses
    /// what tells of losses would be told of that for ever.
    tell: bool,
}

/// How an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Uploaded {
    /// Everything is delivered.
    Done,
    /// Everything but what is on a disk that can't remember that it was delivered: no process would do better.
    Unable,
    /// Something is left: it is another process's turn, the disk fails, or the collector wants to wait.
    Later,
}

/// What became of a batch.
enum Sent {
    /// It was taken, or never will be; so much of it was refused.
    Over(Losses),
    /// It is to be sent again; the collector may want to wait for some seconds.
    Again(Option<u64>),
    /// It is to be sent in smaller ones.
    Split,
}

impl<'a, S: Sender> Worker<'a, S> {
    pub(crate) fn new(
        intake: Intake<'a>,
        resource: Resource,
        sender: S,
        flight: Arc<Flight>,
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
            flight,
            most: crate::BATCH_RECORDS_MAX,
            forgetful: false,
            taken: false,
            tell: true,
        }
    }

    /// Works until it is asked to end.
    pub(crate) async fn run(&mut self) {
        loop {
            // Ends with the process, or with its consent.
            let Err(Stopped) = self.work().await;
            if !self.pause().await {
                return;
            }
            self.flight.reopen();
        }
    }

    /// Waits until the person says yes again; says no where the worker is asked to end.
    async fn pause(&mut self) -> bool {
        loop {
            if self.intake.recorder.is_stopping() {
                return false;
            }
            // Before the person is looked at: who asks after a yes waits for what is recorded from then on.
            self.intake.flushes.extend(self.intake.recorder.take_flushes());
            // What was recorded before everybody knew.
            self.intake.store().take_in(self.intake.recorder);
            let standing = self.intake.store().standing();
            if standing == Standing::Agreed {
                return true;
            }
            // There is nothing to wait for.
            self.intake.flushes.drain(..).for_each(Flush::answer);
            let _ = timeout(LOOK, self.intake.recorder.filled()).await;
        }
    }

    /// Delivers what waits, and asks again until all is delivered or `most` is over; says which.
    pub(crate) async fn upload_for(&mut self, most: Duration) -> bool {
        let upload = async {
            loop {
                match self.upload().await {
                    Ok(Uploaded::Later) => sleep(FLUSH_DELAY).await,
                    uploaded => return matches!(uploaded, Ok(Uploaded::Done)),
                }
            }
        };
        timeout(most, upload).await.unwrap_or(false)
    }

    async fn work(&mut self) -> Result<core::convert::Infallible, Stopped> {
        let mut wait = Some(START_DELAY);
        loop {
            self.gather(wait).await?;
            self.intake.records = 0;
            wait = match self.upload().await? {
                Uploaded::Done | Uploaded::Unable => {
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

    /// How often metrics are looked at: once a step of the schema's times, or never if there are none.
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
        loop {
            let uploaded = self.upload_spool().await?;
            self.upload_memory().await?;
            // Losses of this process are told once something else was taken.
            if !self.taken || !self.intake.store().tell() {
                return Ok(uploaded);
            }
        }
    }

    /// Delivers what waits in the spool. The turn is had for one request and never while this waits: meanwhile other
    /// processes merge, drop and deliver.
    async fn upload_spool(&mut self) -> Result<Uploaded, Stopped> {
        let Some(spool) = self.intake.store().spool() else { return Ok(Uploaded::Done) };
        while !spool.is_empty() && !self.forgetful {
            self.wait().await?;
            let now = self.intake.store().now();
            let (turn, batch) = match self.next_of(&spool, now) {
                Ok(Some(found)) => found,
                Ok(None) => break,
                // What can't be changed can't be delivered from, or it would be delivered again and again.
                Err(error) if is_read_only(&error) => return Ok(Uploaded::Unable),
                // Another process's turn, or a disk that fails: it is tried again.
                Err(_) => return Ok(Uploaded::Later),
            };
            let state = spool.state().unwrap_or_default();
            let destination = spool.destinations().of(batch.signal);
            if state.answered(destination).is_some() {
                self.flight.expect_answers();
            }
            if state.wait(destination, now).is_some() {
                return Ok(Uploaded::Later);
            }
            let sent = self.send(&batch).await?;
            match sent {
                Sent::Again(wait) => {
                    let _ = turn.note(batch.signal, now, wait, self.flight.is_answering());
                }
                // The turn was lost while the process was suspended: whoever has it now sends the batch again.
                _ if !turn.is_held() => {}
                // Losses that are refused stay, and are told when something else was taken.
                Sent::Over(_) if batch.is_losses() && !self.tell => {
                    self.flight.land();
                    break;
                }
                Sent::Over(refused) => {
                    let _ = turn.note(batch.signal, now, None, true);
                    if repeat(|| turn.commit(&batch, &refused, now)).is_err() {
                        // What can't be told on disk is told from memory.
                        self.intake.store().lose(&refused);
                        self.forgetful = true;
                    }
                }
                Sent::Split => self.forgetful |= repeat(|| turn.split(&batch, now)).is_err(),
            }
            self.flight.land();
            if self.intake.recorder.is_stopping() {
                return Err(Stopped);
            }
        }
        Ok(if self.forgetful { Uploaded::Unable } else { Uploaded::Done })
    }

    /// The turn and the next batch of `spool`, if there is one.
    fn next_of<'s>(&self, spool: &'s Spool, now: u64) -> io::Result<Option<(Turn<'s>, Batch)>> {
        let turn = spool.turn()?.ok_or(ErrorKind::WouldBlock)?;
        let batch = turn.next(self.resource.schema(), now, self.most, self.tell)?;
        Ok(batch.map(|batch| (turn, batch)))
    }

    /// Delivers what could not be put on disk.
    async fn upload_memory(&mut self) -> Result<(), Stopped> {
        loop {
            self.wait().await?;
            let Some(batch) = self.intake.store().batch(self.most) else { return Ok(()) };
            match self.send(&batch).await? {
                Sent::Over(refused) => {
                    let mut store = self.intake.store();
                    store.over();
                    store.lose(&refused);
                }
                Sent::Split => self.intake.store().give_back(),
                Sent::Again(_) => {}
            }
            self.flight.land();
            if self.intake.recorder.is_stopping() {
                return Err(Stopped);
            }
        }
    }

    /// Waits as long as the last request's failure asks for.
    async fn wait(&mut self) -> Result<(), Stopped> {
        while let Next::Wait(ms) = self.delivery.next(self.now()) {
            self.intake.during(sleep(Duration::from_millis(ms)), || Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Sends `batch` once, where the person agrees still.
    async fn send(&mut self, batch: &Batch) -> Result<Sent, Stopped> {
        if self.intake.recorder.is_stopping() {
            return Err(Stopped);
        }
        match self.intake.store().standing() {
            Standing::Agreed => {}
            Standing::Unclear => {
                // It is asked again as soon as something that fails would be tried again.
                let now = self.now();
                self.delivery.done(Outcome::Retry { after_seconds: None }, now);
                return Ok(Sent::Again(None));
            }
            Standing::No | Standing::Ended => return Err(Stopped),
        }
        let mut body = Encoded::new(body::encode(&self.resource, batch));
        let flight = Arc::clone(&self.flight);
        let outcome = self
            .intake
            .during(self.sender.send(batch.signal, &mut body), || flight.close().unwrap_or_default())
            .await?;
        let now = self.now();
        let mut losses = Losses::new();
        Ok(match self.delivery.done(outcome, now) {
            Verdict::Keep => match outcome {
                Outcome::Retry { after_seconds } => Sent::Again(after_seconds.map(u64::from)),
                _ => Sent::Again(None),
            },
            Verdict::Split if batch.records.len() > 1 => {
                self.most = batch.records.len().div_ceil(2);
                Sent::Split
            }
            Verdict::Taken { refused } => {
                lose_some(&mut losses, batch, refused);
                (self.taken, self.tell) = (true, true);
                Sent::Over(losses)
            }
            Verdict::Refused | Verdict::Split => {
                lose_some(&mut losses, batch, u32::MAX);
                (self.taken, self.tell) = (false, false);
                Sent::Over(losses)
            }
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A disk may fail once: what must not be done twice, or be forgotten, is tried a few times.
fn repeat(work: impl Fn() -> io::Result<()>) -> io::Result<()> {
    work().or_else(|_| work()).or_else(|_| work())
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
}

/// Counts `refused` of `batch` as refused. Which they were a collector does not say: events rather than what tells of losses, and
/// those first that stand for the most, so that no less is told than was lost.
fn lose_some(losses: &mut Losses, batch: &Batch, refused: u32) {
    if batch.crash.is_some() && refused > 0 {
        losses.add(Reason::Refused, 1);
    }
    let mut records: Vec<&Record> = batch.records.iter().collect();
    records.sort_by_key(|record| (record.loss().is_some(), core::cmp::Reverse(record.stands_for())));
    let refused = usize::try_from(refused).unwrap_or(usize::MAX);
    records.iter().take(refused).for_each(|record| spool::lose(losses, record, Reason::Refused));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::recorder::Recorder;
    use crate::kept::spool::Spool;
    use crate::kept::store::Store;
    use crate::testing::{App, DESTINATIONS, consent};
    use automagik_telemetry_core::Pseudonym;
    use automagik_telemetry_core::otlp::{Body, Signal};
    use automagik_telemetry_core::schema::Checked;
    use automagik_telemetry_core::time::Coarse;
    use std::sync::Mutex;

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
        let spool = Spool::new(state.path(), schema, DESTINATIONS, consent);
        let store =
            Mutex::new(Store::new(schema, Some(spool), |_, _, _| {}, crate::files::clock::unix_seconds));
        let recorder = Recorder::new();
        let secret = automagik_telemetry_core::Secret::new([7; 32], consent);
        let resource = Resource::new(schema, Pseudonym::new(&secret, "app", 0));
        let (mut attempts, mut delivered) = (0, 0);
        let up = Instant::now() + 7 * 24 * HOUR;
        let sender = Outage { up, attempts: &mut attempts, delivered: &mut delivered };
        let intake = Intake::new(&recorder, &store);
        let mut worker = Worker::new(intake, resource, sender, Arc::default(), Duration::from_secs(5), 1);
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
