//! Delivery: what waits on disk, oldest first, until the collector has it. When to try again is core's to say, as on desktops and devices.

use super::request::Devices;
use crate::counts::{Counts, add};
use crate::intake::held::Held;
use crate::kept::Kept;
use crate::known::backward::Backward;
use crate::known::manifests::Manifests;
use automagik_telemetry_core::Outcome;
use automagik_telemetry_core::delivery::{Delivery, Next, Verdict};
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_std::{Exporter, Failure};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};

/// Bytes of frames that one request is made of: some thousands of records.
const REQUEST_BYTES: usize = 1 << 17;

/// Manifests that are replaced while the gateway runs.
pub type Shared = Arc<RwLock<Arc<Manifests>>>;

/// Those that are known now.
#[must_use]
pub fn current(manifests: &Shared) -> Arc<Manifests> {
    Arc::clone(&manifests.read().unwrap_or_else(PoisonError::into_inner))
}

/// What delivery works with.
pub struct Forwarder {
    /// Where frames wait.
    pub kept: Arc<Kept>,
    /// Posts requests.
    pub exporter: Exporter,
    /// All that were ever known.
    pub manifests: Shared,
    /// What is counted.
    pub counts: Arc<Counts>,
    /// Wakes it: something was kept.
    pub wake: Arc<Notify>,
    /// Told of each entry that the collector has.
    pub delivered: mpsc::UnboundedSender<u64>,
    /// Whether each log record has a name of its own.
    pub names: bool,
    /// Spreads retries.
    pub seed: u32,
}

/// What became of a part of what waits.
enum Over {
    /// The collector has it, but for so many records that it refused.
    Taken { refused: u32 },
    /// It is to be sent in smaller parts.
    Split,
    /// Nobody will take it.
    Refused,
}

impl Forwarder {
    /// Delivers, without end.
    pub async fn run(mut self) {
        let mut delivery = Delivery::new(self.seed);
        let started = Instant::now();
        let mut out = Backward::with_room(4 << 20);
        loop {
            let entries = match self.kept.entries(None, REQUEST_BYTES) {
                Ok(entries) if !entries.is_empty() => entries,
                Ok(_) => {
                    self.wake.notified().await;
                    continue;
                }
                Err(error) => {
                    eprintln!("telemetry-gateway: the store can't be read ({error}): it is tried again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            let frames: Vec<Held<'_>> = entries
                .iter()
                .flat_map(|(_, bytes)| {
                    let mut rest = bytes.as_slice();
                    std::iter::from_fn(move || Held::take(&mut rest))
                })
                .collect();
            let mut told = Vec::new();
            let mut parts = vec![frames.as_slice()];
            while let Some(part) = parts.pop() {
                match self.send(part, &mut delivery, started, &mut out).await {
                    Over::Split if part.len() > 1 => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                    Over::Split | Over::Refused => {
                        part.iter().for_each(|held| self.refuse(held, u32::MAX, &mut told))
                    }
                    Over::Taken { refused: 0 } => {}
                    // Which of them a collector does not say.
                    Over::Taken { refused } => {
                        if let Some(held) = part.first() {
                            self.refuse(held, refused, &mut told);
                        }
                    }
                }
            }
            while let Err(error) = self.kept.remove(&entries, &told) {
                eprintln!("telemetry-gateway: the store can't be written ({error}): it is tried again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            if let Some((last, _)) = entries.last() {
                let _ = self.delivered.send(*last);
            }
        }
    }

    /// Sends what `part` says, events and then counts, until each is over.
    async fn send(
        &mut self,
        part: &[Held<'_>],
        delivery: &mut Delivery,
        started: Instant,
        out: &mut Backward,
    ) -> Over {
        let manifests = current(&self.manifests);
        let devices = Devices::of(part.iter().copied(), &manifests, self.names);
        add(&self.counts.moved, devices.moved.into());
        if devices.unknown > 0 {
            let frames = devices.unknown;
            eprintln!(
                "telemetry-gateway: {frames} frames of a program whose manifest is gone from the store are left out"
            );
        }
        let mut refused_in_all: u32 = 0;
        for signal in [Signal::Logs, Signal::Metrics] {
            out.clear();
            let count = match signal {
                Signal::Logs => devices.logs(out),
                Signal::Metrics => devices.metrics(out),
            };
            if count == 0 {
                continue;
            }
            match self.post(signal, out.as_slice(), delivery, started).await {
                Over::Taken { refused } => {
                    refused_in_all = refused_in_all.saturating_add(refused);
                    add(&self.counts.delivered, (count as u64).saturating_sub(refused.into()));
                }
                // Events that were taken are not sent again with counts that were not: parts are halves of both, and a collector that takes
                // the one is rarely too small for the other.
                over => return over,
            }
        }
        Over::Taken { refused: refused_in_all }
    }

    async fn post(
        &mut self,
        signal: Signal,
        request: &[u8],
        delivery: &mut Delivery,
        started: Instant,
    ) -> Over {
        let milliseconds = || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        loop {
            if let Next::Wait(wait) = delivery.next(milliseconds()) {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                continue;
            }
            let (outcome, failure) = self.exporter.post(signal, request).await;
            if let Some(failure) = failure {
                self.say(outcome, failure);
            }
            match delivery.done(outcome, milliseconds()) {
                Verdict::Keep => add(&self.counts.retries, 1),
                Verdict::Taken { refused } => return Over::Taken { refused },
                Verdict::Split => return Over::Split,
                Verdict::Refused => return Over::Refused,
            }
        }
    }

    fn say(&self, outcome: Outcome, failure: Failure) {
        let then = match outcome {
            Outcome::Retry { .. } => "it is sent again",
            Outcome::TooLarge => "it is sent in parts",
            _ => "what it refused is told as lost",
        };
        eprintln!("telemetry-gateway: {failure}: {then}");
    }

    /// Tells that records of `held` were refused, all or `most`. A loss that is refused is not told again: that would have no end.
    fn refuse(&self, held: &Held<'_>, most: u32, told: &mut Vec<u8>) {
        let Some(known) = current(&self.manifests).find(held.mark, held.version) else { return };
        let mut records = Vec::new();
        held.records(&known.vocabulary, |record, _| records.push(record));
        let count = records.iter().filter(|record| record.loss().is_none()).map(|record| record.stands_for());
        let count = if most == u32::MAX { count.fold(0, u32::saturating_add) } else { most };
        add(&self.counts.refused_by_collector, count.into());
        if count > 0 {
            Held { lost: Some((Reason::Refused, count)), stream: &[], ..*held }.write(told);
        }
    }
}
