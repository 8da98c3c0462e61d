//! The one thread that writes: it takes what many requests say, keeps it in one step on disk, and answers them all.

use super::database::Error;
use super::days::{DAY, now};
use super::said::{Kind, Said};
use super::settings::Settings;
use super::store::Store;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, oneshot};

/// Requests that wait: others wait to be handed over.
const WAITING_MAX: usize = 1_024;

/// Most counts in one step on disk.
const STEP_MAX: usize = 50_000;

/// How often old things are looked for.
const EXPIRY: Duration = Duration::from_secs(600);

/// How often the bytes on disk are counted.
const SIZING: Duration = Duration::from_secs(1);

/// Events that a reader may be behind: one that is further behind misses some.
const LIVE_MAX: usize = 1_024;

/// What is asked of the writer.
#[derive(Debug)]
enum Work {
    /// To keep what was said; the answer comes when it is on disk.
    Keep(Vec<Said>, oneshot::Sender<Result<(), Refused>>),
    /// To count what was refused.
    Note(&'static str, u64),
    /// To bring the sums of today up to date.
    SumUp(oneshot::Sender<()>),
}

/// Why nothing was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// As many bytes as are allowed are on disk.
    Full,
    /// There are too many different combinations of words.
    TooManyWords,
    /// The disk or the database failed.
    Failed,
}

/// A handle of the writer. The thread ends with the last one.
#[derive(Clone, Debug)]
pub struct Writer {
    work: SyncSender<Work>,
    live: broadcast::Sender<Arc<Value>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Where the store can't be opened, and what to do.
    pub fn start(settings: &Settings) -> Result<Self, String> {
        let store = Store::open(&settings.state, settings.rules())
            .map_err(|error| format!("{}: can't be opened ({error})", settings.state.display()))?;
        let (work, works) = sync_channel(WAITING_MAX);
        let (live, _) = broadcast::channel(LIVE_MAX);
        let loops = Loop {
            store,
            live: live.clone(),
            bytes_max: settings.disk_max.saturating_mul(1 << 20),
            bytes: 0,
            sized: None,
            expired: None,
            summed: None,
        };
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || loops.run(&works))
            .map_err(|error| format!("no thread can be started ({error})"))?;
        Ok(Self { work, live })
    }

    /// Keeps `said`, and returns when it is on disk.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    pub async fn keep(&self, said: Vec<Said>) -> Result<(), Refused> {
        let (answer, answered) = oneshot::channel();
        self.hand_over(Work::Keep(said, answer)).await;
        answered.await.unwrap_or(Err(Refused::Failed))
    }

    /// Counts what was refused.
    pub async fn note(&self, what: &'static str, count: u64) {
        self.hand_over(Work::Note(what, count)).await;
    }

    /// Brings the sums of today up to date, as far as that was not done just now.
    pub async fn sum_up(&self) {
        let (answer, answered) = oneshot::channel();
        self.hand_over(Work::SumUp(answer)).await;
        let _ = answered.await;
    }

    /// Events as they arrive.
    #[must_use]
    pub fn live(&self) -> broadcast::Receiver<Arc<Value>> {
        self.live.subscribe()
    }

    /// Waits for a place without keeping a thread of the runtime from its work.
    async fn hand_over(&self, work: Work) {
        if let Err(TrySendError::Full(work)) = self.work.try_send(work) {
            let sender = self.work.clone();
            let _ = tokio::task::spawn_blocking(move || sender.send(work)).await;
        }
    }
}

/// What the thread has.
struct Loop {
    store: Store,
    live: broadcast::Sender<Arc<Value>>,
    bytes_max: u64,
    bytes: u64,
    sized: Option<Instant>,
    expired: Option<(Instant, u64)>,
    /// When today's sums were written, how long that took, and whether nothing was kept since.
    summed: Option<(Instant, Duration, bool)>,
}

impl Loop {
    fn run(mut self, works: &Receiver<Work>) {
        loop {
            self.look_at_the_clock();
            let first = match works.recv_timeout(EXPIRY) {
                Ok(work) => work,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (mut said, mut answers, mut counts) = (Vec::new(), Vec::new(), 0);
            let mut work = Some(first);
            while let Some(next) = work {
                match next {
                    Work::Keep(more, answer) => {
                        counts += more.iter().map(|of| of.counts.len()).sum::<usize>();
                        said.push(more);
                        answers.push(answer);
                    }
                    Work::Note(what, count) => self.note(what, count),
                    Work::SumUp(answer) => {
                        self.sum_up();
                        let _ = answer.send(());
                    }
                }
                work = if counts < STEP_MAX { works.try_recv().ok() } else { None };
            }
            if !answers.is_empty() {
                self.keep(said, answers);
            }
        }
    }

    /// Deletes what is old, and closes days that are over.
    fn look_at_the_clock(&mut self) {
        let today = now() / DAY;
        if self.expired.is_some_and(|(at, day)| day == today && at.elapsed() < EXPIRY) {
            return;
        }
        self.expired = Some((Instant::now(), today));
        let done = self.store.close_days(today).and_then(|()| self.store.expire(now()));
        if let Err(error) = done {
            eprintln!("telemetry-gateway: {error}");
        }
    }

    fn keep(&mut self, said: Vec<Vec<Said>>, answers: Vec<oneshot::Sender<Result<(), Refused>>>) {
        if self.sized.is_none_or(|at| at.elapsed() > SIZING) {
            (self.bytes, self.sized) = (self.store.size(), Some(Instant::now()));
        }
        let mut kept = if self.bytes >= self.bytes_max { Err(Refused::Full) } else { Ok(()) };
        if kept.is_ok() {
            kept = self.append(said.iter().flatten());
        }
        // One request that makes too many words must not be the end of the others.
        if kept == Err(Refused::TooManyWords) && answers.len() > 1 {
            for (said, answer) in said.into_iter().zip(answers) {
                let kept = self.append(&said);
                self.show(&said, kept);
                let _ = answer.send(kept);
            }
            return;
        }
        self.show(said.iter().flatten(), kept);
        for answer in answers {
            // Who hung up needs no answer.
            let _ = answer.send(kept);
        }
    }

    fn append<'a>(&mut self, said: impl IntoIterator<Item = &'a Said>) -> Result<(), Refused> {
        let kept = self.store.append(said, now());
        if let Some((_, _, is_current)) = &mut self.summed {
            *is_current = false;
        }
        kept.map_err(|error| match error {
            Error::TooManyWords => Refused::TooManyWords,
            error => {
                eprintln!("telemetry-gateway: {error}");
                Refused::Failed
            }
        })
    }

    /// Shows what was kept to whoever looks, unless that is only to be seen of many.
    fn show<'a>(&self, said: impl IntoIterator<Item = &'a Said>, kept: Result<(), Refused>) {
        if kept.is_err() || self.store.rules().k > 1 || self.live.receiver_count() == 0 {
            return;
        }
        for of in said {
            for (tuple, time, _) in of.counts.iter().filter(|(tuple, _, _)| tuple.kind == Kind::Event) {
                let attributes: Value = serde_json::from_str(&tuple.attributes).unwrap_or_default();
                let _ = self.live.send(Arc::new(json!({
                    "project": of.program.project, "version": of.program.version, "system": of.program.system,
                    "time": super::days::time(*time), "event": tuple.name, "attributes": attributes,
                })));
            }
        }
    }

    fn note(&mut self, what: &str, count: u64) {
        if let Err(error) = self.store.note(now() / DAY, what, count) {
            eprintln!("telemetry-gateway: {error}");
        }
    }

    /// Sums up today, unless nothing came since, or it was just done: a large day takes its time.
    fn sum_up(&mut self) {
        let is_enough = |(at, took, is_current): (Instant, Duration, bool)| {
            is_current || at.elapsed() < took.saturating_mul(10).min(EXPIRY)
        };
        if self.summed.is_some_and(is_enough) {
            return;
        }
        let begun = Instant::now();
        if let Err(error) = self.store.sum_up(now() / DAY) {
            eprintln!("telemetry-gateway: {error}");
        }
        self.summed = Some((Instant::now(), begun.elapsed(), true));
    }
}
