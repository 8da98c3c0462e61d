//! The thread that takes what arrives: as much as has come while the last step was written becomes the next step.

use super::acknowledging::Acknowledging;
use crate::counts::{Counts, RecordRefusal, Refusal};
use crate::intake::placing::Now;
use crate::intake::taker::{Answer, Taker};
use crate::kept::{Error, Kept};
use crate::known::keys::Keys;
use crate::known::manifests::Manifests;
use crate::links::{Arrived, Back};
use crate::run::settings::Settings;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

/// Bytes that are written in one step at most.
const STEP_BYTES: usize = 1 << 20;

/// How long nothing may arrive before it is looked after what is missing and what was delivered.
const PAUSE: Duration = Duration::from_millis(20);

/// How often a reason why frames are refused is said.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// What somebody asks of the thread.
#[derive(Debug)]
pub enum Order {
    /// To know these keys and manifests.
    Learn(Box<(Keys, Manifests)>),
    /// To write what has arrived, and end.
    Stop,
}

/// What the thread works with.
#[derive(Debug)]
pub struct Taking {
    taker: Taker,
    kept: Arc<Kept>,
    counts: Arc<Counts>,
    wake: Arc<Notify>,
    acknowledging: Acknowledging,
    bytes_max: u64,
    gap_seconds: u64,
    /// How many refusals of each reason were said, and when.
    said: [(u64, Option<Instant>); Refusal::ALL.len()],
    said_of_programs: [(u64, Option<Instant>); RecordRefusal::ALL.len()],
}

impl Taking {
    /// What takes for `settings`.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn new(
        settings: &Settings,
        (keys, manifests): (Keys, Manifests),
        kept: Arc<Kept>,
        counts: Arc<Counts>,
        wake: Arc<Notify>,
    ) -> Result<Self, Error> {
        let mut taker = Taker::new(keys, manifests, Arc::clone(&counts));
        for (boot, session) in kept.with_holes()? {
            taker.remember(boot, session);
        }
        let acknowledging = Acknowledging::new(settings.acknowledge, &kept)?;
        let (bytes_max, gap_seconds) = (settings.store.bytes, settings.store.gap_seconds);
        Ok(Self {
            taker,
            kept,
            counts,
            wake,
            acknowledging,
            bytes_max,
            gap_seconds,
            said: [(0, None); Refusal::ALL.len()],
            said_of_programs: [(0, None); RecordRefusal::ALL.len()],
        })
    }

    /// Takes until it is told to stop.
    pub fn run(
        mut self,
        arriving: &Receiver<Arrived>,
        ordered: &Receiver<Order>,
        mut delivered: UnboundedReceiver<u64>,
    ) {
        let mut expired = Instant::now();
        loop {
            let order = ordered.try_recv().ok();
            let (mut answers, mut requests) = (Vec::new(), Vec::new());
            match arriving.recv_timeout(PAUSE) {
                Ok(arrived) => self.take(arrived, &mut answers, &mut requests),
                Err(RecvTimeoutError::Timeout) => {}
                // All links have ended: standard input has.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(PAUSE),
            }
            while self.taker.len() < STEP_BYTES {
                let Ok(arrived) = arriving.try_recv() else { break };
                self.take(arrived, &mut answers, &mut requests);
            }
            if expired.elapsed() >= Duration::from_secs(1) {
                expired = Instant::now();
                let now = Now::from(SystemTime::now());
                self.taker.expire(now.0.saturating_sub(self.gap_seconds), now);
                self.say();
            }
            self.write(answers);
            for request in requests {
                let _ = request.send(true);
            }
            while let Ok(entry) = delivered.try_recv() {
                self.acknowledging.delivered(entry, &self.counts);
            }
            match order {
                Some(Order::Learn(known)) => self.taker.learn(known.0, known.1),
                Some(Order::Stop) => return,
                None => {}
            }
        }
    }

    fn take(
        &mut self,
        arrived: Arrived,
        answers: &mut Vec<(Answer, Back)>,
        requests: &mut Vec<oneshot::Sender<bool>>,
    ) {
        let (now, mut start) = (Now::from(SystemTime::now()), 0);
        let room = self.bytes_max.saturating_sub(self.kept.waiting());
        for (end, back) in arrived.frames {
            let answer = self.taker.take(&arrived.bytes[start..end], &*self.kept, room, now);
            start = end;
            answers.push((answer, back));
        }
        if let Some((held, back)) = arrived.request {
            if self.taker.put(&held, room) {
                requests.push(back);
            } else {
                let _ = back.send(false);
            }
        }
    }

    /// Writes what was taken, and answers.
    fn write(&mut self, answers: Vec<(Answer, Back)>) {
        if !self.taker.is_empty() {
            let batch = self.taker.batch();
            loop {
                match self.kept.commit(&batch) {
                    Ok(last) => break self.acknowledging.kept(last),
                    // What arrives meanwhile waits in its link.
                    Err(error) => {
                        eprintln!(
                            "telemetry-gateway: the store can't be written ({error}): it is tried again"
                        );
                        std::thread::sleep(Duration::from_secs(1));
                    }
                }
            }
            self.wake.notify_one();
        }
        for (answer, back) in answers {
            self.acknowledging.answer(answer, back, &self.counts);
        }
    }

    /// Says why frames and records of programs were refused, each reason once a minute at most.
    fn say(&mut self) {
        for (reason, (said, at)) in RecordRefusal::ALL.into_iter().zip(&mut self.said_of_programs) {
            let count = self.counts.refused_of_programs(reason);
            if let Some(more) = more(count, said, at) {
                let (word, remedy) = (reason.word(), reason.remedy());
                eprintln!("telemetry-gateway: {more} records of programs refused: {word}: {remedy}");
            }
        }
        for (reason, (said, at)) in Refusal::ALL.into_iter().zip(&mut self.said) {
            let count = self.counts.refused(reason);
            // Frames are repeated, as they should be: a count is enough.
            if reason != Refusal::Replayed
                && let Some(more) = more(count, said, at)
            {
                eprintln!("telemetry-gateway: {more} frames refused: {}: {}", reason.word(), reason.remedy());
            }
        }
    }
}

/// How many more there are than were said, if it is time to say so.
fn more(count: u64, said: &mut u64, at: &mut Option<Instant>) -> Option<u64> {
    let is_time = count > *said && at.is_none_or(|at| at.elapsed() >= SAID_EVERY);
    is_time.then(|| {
        *at = Some(Instant::now());
        count - std::mem::replace(said, count)
    })
}
