//! When an acknowledgement leaves: once its frame is on disk, or once the collector has it, as the operator chose.

use crate::counts::{Counts, add};
use crate::intake::held::Held;
use crate::intake::taker::{Acknowledgement, Answer};
use crate::kept::{Error, Kept};
use crate::links::Back;
use crate::run::settings::Acknowledge;
use std::collections::{BTreeMap, HashMap};

/// Acknowledgements that wait.
#[derive(Debug)]
pub struct Acknowledging {
    when: Acknowledge,
    /// Frames that the collector does not have yet, with the entry of the queue that they are in.
    undelivered: HashMap<(u64, u32), u64>,
    /// What to say when an entry is delivered.
    waiting: BTreeMap<u64, Vec<(Acknowledgement, Back)>>,
    /// The entry that the last step ended with.
    last: u64,
}

impl Acknowledging {
    /// What waits in the store is not acknowledged yet, where that takes the collector.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    pub fn new(when: Acknowledge, kept: &Kept) -> Result<Self, Error> {
        let (mut undelivered, mut last) = (HashMap::new(), 0);
        if when == Acknowledge::Collector {
            for (number, bytes) in kept.entries(None, usize::MAX)? {
                let mut rest = bytes.as_slice();
                while let Some(held) = Held::take(&mut rest) {
                    if !held.stream.is_empty() {
                        undelivered.insert((u64::from_be_bytes(held.boot), held.sequence), number);
                    }
                }
                last = number;
            }
        }
        Ok(Self { when, undelivered, waiting: BTreeMap::new(), last })
    }

    /// A step was written that ends with this entry.
    pub fn kept(&mut self, last: Option<u64>) {
        self.last = last.unwrap_or(self.last);
    }

    /// Answers a frame of the last step.
    pub fn answer(&mut self, answer: Answer, back: Back, counts: &Counts) {
        match answer {
            Answer::Nothing => back.refuse(),
            Answer::Later => back.later(),
            Answer::Ask(frame) => {
                add(&counts.asked, 1);
                back.ask(&frame);
            }
            Answer::Taken(acknowledgement) if self.when == Acknowledge::Collector => {
                // Entries are delivered in their order, so the last of the step is late enough.
                self.undelivered.insert((acknowledgement.boot, acknowledgement.sequence), self.last);
                self.waiting.entry(self.last).or_default().push((acknowledgement, back));
            }
            Answer::Taken(acknowledgement) => send(&acknowledgement, &back, counts),
            Answer::Known(acknowledgement) => {
                match self.undelivered.get(&(acknowledgement.boot, acknowledgement.sequence)) {
                    Some(entry) => self.waiting.entry(*entry).or_default().push((acknowledgement, back)),
                    None => send(&acknowledgement, &back, counts),
                }
            }
        }
    }

    /// The collector has all entries up to this one.
    pub fn delivered(&mut self, entry: u64, counts: &Counts) {
        if self.when == Acknowledge::Disk {
            return;
        }
        let later = self.waiting.split_off(&(entry + 1));
        for (acknowledgement, back) in std::mem::replace(&mut self.waiting, later).into_values().flatten() {
            send(&acknowledgement, &back, counts);
        }
        self.undelivered.retain(|_, of| *of > entry);
    }
}

fn send(acknowledgement: &Acknowledgement, back: &Back, counts: &Counts) {
    add(&counts.acknowledged, 1);
    back.acknowledge(&acknowledgement.frame);
}
