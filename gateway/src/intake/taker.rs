//! Takes frames: the one place that decides what becomes of each.

use super::held::{Held, Packing};
use super::placing::Now;
use super::received::Arrival;
use super::session::{Session, number};
use crate::counts::{Counts, Refusal, add};
use crate::known::keys::{Keys, Known};
use crate::known::manifests::Manifests;
use crate::known::system::System;
use automagik_telemetry_core::frames::{
    ACK_LEN, ASK_LEN, Boot, Clear, Kind, MTU_MAX, Reader, Statement, ask,
};
use automagik_telemetry_core::loss::Reason;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Most boots that are in memory: the others are on disk.
const LIVE_MAX: usize = 1 << 16;

/// What boots are known from before.
pub trait Boots {
    /// Those whose number begins with these two bytes.
    fn of_session(&self, session: u16) -> Vec<(u64, Session)>;

    /// That of this number.
    fn of_number(&self, number: u64) -> Option<Session>;
}

/// No boot is known from before.
impl Boots for () {
    fn of_session(&self, _: u16) -> Vec<(u64, Session)> {
        Vec::new()
    }

    fn of_number(&self, _: u64) -> Option<Session> {
        None
    }
}

/// What to say to whoever sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: it will never be taken.
    Nothing,
    /// Nothing yet: it may be taken later.
    Later,
    /// It was taken: acknowledge it when it is safe.
    Taken(Acknowledgement),
    /// It needs no keeping, or is kept already: acknowledge it when that is safe.
    Known(Acknowledgement),
    /// Who is that?
    Ask([u8; ASK_LEN]),
}

/// An acknowledgement, and the frame that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The number of the boot.
    pub boot: u64,
    /// The whole sequence.
    pub sequence: u32,
    /// What to send.
    pub frame: [u8; ACK_LEN],
}

/// What was taken and is not on disk yet.
#[derive(Debug, Default)]
pub struct Batch {
    /// [`Held`] frames behind each other.
    pub held: Vec<u8>,
    /// Boots that changed, as they are now.
    pub sessions: Vec<(u64, Session)>,
}

/// Takes frames.
#[derive(Debug)]
pub struct Taker {
    keys: Keys,
    manifests: Manifests,
    live: HashMap<u64, Session>,
    by_session: HashMap<u16, Vec<u64>>,
    changed: HashSet<u64>,
    held: Vec<u8>,
    counts: Arc<Counts>,
}

impl Taker {
    /// One that knows these programs and keys.
    #[must_use]
    pub fn new(keys: Keys, manifests: Manifests, counts: Arc<Counts>) -> Self {
        Self {
            keys,
            manifests,
            counts,
            live: HashMap::new(),
            by_session: HashMap::new(),
            changed: HashSet::new(),
            held: Vec::new(),
        }
    }

    /// Replaces what it knows of programs and keys; boots stay.
    pub fn learn(&mut self, keys: Keys, manifests: Manifests) {
        (self.keys, self.manifests) = (keys, manifests);
    }

    /// Remembers a boot that is on disk.
    pub fn remember(&mut self, boot: u64, session: Session) {
        self.by_session.entry(prefix(boot)).or_default().push(boot);
        self.live.insert(boot, session);
    }

    /// How many bytes were taken and are not on disk yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.changed.is_empty()
    }

    /// Takes `frame`, for which there are `room` bytes on disk.
    pub fn take(&mut self, frame: &[u8], boots: &impl Boots, room: u64, now: Now) -> Answer {
        add(&self.counts.frames, 1);
        match self.answer(frame, boots, room, now) {
            Ok(answer) => answer,
            Err((refusal, answer)) => {
                self.counts.refuse(refusal);
                answer
            }
        }
    }

    /// Takes a program's records as [`Held`] bytes, if `room` is enough.
    #[must_use]
    pub fn put(&mut self, held: &[u8], room: u64) -> bool {
        let has_room = room >= (self.held.len() + held.len()) as u64;
        if has_room {
            self.held.extend_from_slice(held);
        }
        has_room
    }

    fn answer(
        &mut self,
        frame: &[u8],
        boots: &impl Boots,
        room: u64,
        now: Now,
    ) -> Result<Answer, (Refusal, Answer)> {
        let clear = Clear::parse(frame).map_err(|_| (Refusal::Malformed, Answer::Nothing))?;
        let mut plain = [0; MTU_MAX];
        match (clear.kind(), clear.boot()) {
            (Kind::Data, _) => {
                let mut found = self.opener(&clear, &mut plain);
                if found.is_none() && self.recall(clear.session(), boots) {
                    found = self.opener(&clear, &mut plain);
                }
                let Some((boot, sequence)) = found else {
                    let is_known = self.by_session.contains_key(&clear.session());
                    let refusal = if is_known { Refusal::BadTag } else { Refusal::UnknownSession };
                    // It may be of a boot that nobody here knows.
                    return Err((refusal, Answer::Ask(ask(clear.session()))));
                };
                let plain = &plain[..clear.sealed_len()];
                self.take_records(boot, sequence, plain, room, now)
            }
            (Kind::Hello | Kind::Once, Some(boot)) => {
                let known = self.live.get(&number(boot)).cloned().or_else(|| boots.of_number(number(boot)));
                let next = known.as_ref().map_or(0, |session| session.received.next());
                let (key, sequence) = self
                    .keys
                    .candidates(boot, clear.hint(), known.as_ref().map(|session| session.key))
                    .find_map(|key| {
                        let mut sequences = clear.sequences(next);
                        let opens =
                            |sequence: &u32| key.key.open(&clear, boot, *sequence, &mut plain).is_ok();
                        Some((key, sequences.find(opens)?))
                    })
                    .ok_or((Refusal::BadTag, Answer::Nothing))?;
                let plain = &plain[..clear.sealed_len()];
                let malformed = (Refusal::Malformed, Answer::Nothing);
                let (statement, stream) = Statement::read(plain).map_err(|_| malformed)?;
                let found = self.manifests.find(statement.fingerprint, statement.version);
                let resolution = found.ok_or((Refusal::UnknownSchema, Answer::Later))?.vocabulary.resolution;
                let acknowledgement = acknowledgement(key, number(boot), sequence);
                let mut session =
                    known.unwrap_or_else(|| Session::new(key, boot, &statement, now, resolution));
                let replayed = Err((Refusal::Replayed, Answer::Known(acknowledgement)));
                if session.received.has(sequence) {
                    return replayed;
                }
                session.hear(&statement, now, resolution);
                session.seen = now.0;
                if clear.kind() == Kind::Once {
                    self.keep(number(boot), session);
                    return self.take_records(number(boot), sequence, stream, room, now);
                }
                let Arrival::New { given_up } = session.received.note(sequence, 1) else { return replayed };
                self.keep(number(boot), session);
                self.give_up(number(boot), given_up, now);
                Ok(Answer::Known(acknowledgement))
            }
            // A gateway's own.
            _ => Err((Refusal::Malformed, Answer::Nothing)),
        }
    }

    /// Takes what was sealed, whose tag holds.
    fn take_records(
        &mut self,
        boot: u64,
        sequence: u32,
        stream: &[u8],
        room: u64,
        now: Now,
    ) -> Result<Answer, (Refusal, Answer)> {
        let unknown = (Refusal::UnknownSchema, Answer::Later);
        let Some(session) = self.live.get_mut(&boot) else { return Err(unknown) };
        let Some(known) = self.keys.by_id(session.key) else { return Err(unknown) };
        let acknowledgement = acknowledgement(known, boot, sequence);
        let found = self.manifests.find(session.mark, session.version).ok_or(unknown)?;
        if session.received.has(sequence) {
            return Err((Refusal::Replayed, Answer::Known(acknowledgement)));
        }
        let (mut count, mut last, mut counts) = (0_u32, 0, false);
        for record in Reader::new(&*found.vocabulary, stream) {
            let out_of_domain = (Refusal::OutOfDomain, Answer::Known(acknowledgement));
            // It stays missing, and so is told in the end; to repeat it would not help.
            let record = record.map_err(|_| out_of_domain)?;
            counts |= record.as_delta().is_some();
            last = last.max(record.time().steps());
            count += 1;
        }
        if room < (self.held.len() + super::held::HEAD_LEN + stream.len()) as u64 {
            return Err((Refusal::StoreFull, Answer::Later));
        }
        let Arrival::New { given_up } = session.received.note(sequence, count) else {
            return Err((Refusal::Replayed, Answer::Known(acknowledgement)));
        };
        session.learn(last, now, found.vocabulary.resolution);
        let held = Held {
            sequence,
            arrived: now.0,
            counts_start: if counts { session.counts_start() } else { session.start() },
            lost: (given_up > 0).then_some((Reason::Undeliverable, given_up)),
            stream,
            ..of_session(boot, session)
        };
        held.write(&mut self.held);
        add(&self.counts.records, count.into());
        add(&self.counts.given_up, given_up.into());
        self.changed.insert(boot);
        Ok(Answer::Taken(acknowledgement))
    }

    /// Gives up what is missing of boots of which nothing has come since `before`, in seconds since 1970, and forgets those that are on disk: idle ones, and
    /// where there are too many, those that were heard of least lately.
    pub fn expire(&mut self, before: u64, now: Now) {
        let mut least = before;
        if self.live.len() > LIVE_MAX {
            let mut seen: Vec<u64> = self.live.values().map(|session| session.seen).collect();
            let surplus = seen.len() - LIVE_MAX / 2;
            least = least.max(*seen.select_nth_unstable(surplus).1);
        }
        let quiet: Vec<u64> =
            self.live.iter().filter(|(_, session)| session.seen < least).map(|(boot, _)| *boot).collect();
        for boot in quiet {
            let Some(session) = self.live.get_mut(&boot) else { continue };
            if session.received.has_holes() {
                if session.seen < before {
                    let given_up = session.received.give_up();
                    self.give_up(boot, given_up, now);
                }
            } else if !self.changed.contains(&boot) {
                self.live.remove(&boot);
                if let Some(same) = self.by_session.get_mut(&prefix(boot)) {
                    same.retain(|other| *other != boot);
                    if same.is_empty() {
                        self.by_session.remove(&prefix(boot));
                    }
                }
            }
        }
    }

    /// Tells that so many records of `boot` never came.
    fn give_up(&mut self, boot: u64, given_up: u32, now: Now) {
        let Some(session) = self.live.get(&boot).filter(|_| given_up > 0) else { return };
        let lost = Some((Reason::Undeliverable, given_up));
        Held { arrived: now.0, lost, ..of_session(boot, session) }.write(&mut self.held);
        add(&self.counts.given_up, given_up.into());
        self.changed.insert(boot);
    }

    /// What was taken since the last time, to be written in one step.
    pub fn batch(&mut self) -> Batch {
        let sessions =
            self.changed.drain().filter_map(|boot| Some((boot, self.live.get(&boot)?.clone()))).collect();
        Batch { held: std::mem::take(&mut self.held), sessions }
    }

    /// Opens data into `plain`, and says whose it is, if it is of a boot in memory.
    fn opener(&self, clear: &Clear<'_>, plain: &mut [u8; MTU_MAX]) -> Option<(u64, u32)> {
        self.by_session.get(&clear.session())?.iter().find_map(|boot| {
            let session = self.live.get(boot)?;
            let known = self.keys.by_id(session.key)?;
            let mut sequences = clear.sequences(session.received.next());
            let sequence = sequences
                .find(|sequence| known.key.open(clear, of_number(*boot), *sequence, plain).is_ok())?;
            Some((*boot, sequence))
        })
    }

    /// Takes boots from disk that look like this in clear and are not here, and says whether there were any.
    fn recall(&mut self, session: u16, boots: &impl Boots) -> bool {
        let others: Vec<(u64, Session)> =
            boots.of_session(session).into_iter().filter(|(boot, _)| !self.live.contains_key(boot)).collect();
        let are_there = !others.is_empty();
        others.into_iter().for_each(|(boot, session)| self.remember(boot, session));
        are_there
    }

    fn keep(&mut self, boot: u64, session: Session) {
        if self.live.insert(boot, session).is_none() {
            self.by_session.entry(prefix(boot)).or_default().push(boot);
        }
        self.changed.insert(boot);
    }
}

fn acknowledgement(known: &Known, boot: u64, sequence: u32) -> Acknowledgement {
    Acknowledgement { boot, sequence, frame: known.key.acknowledge(of_number(boot), sequence) }
}

/// What is the same of all frames of a boot.
fn of_session(boot: u64, session: &Session) -> Held<'static> {
    Held {
        mark: session.mark,
        version: session.version,
        pseudonym: session.pseudonym,
        uid: session.uid,
        boot: boot.to_be_bytes(),
        sequence: 0,
        start: session.start(),
        arrived: 0,
        counts_start: session.start(),
        lost: None,
        system: System::default(),
        packing: Packing::Frame,
        stream: &[],
    }
}

const fn of_number(number: u64) -> Boot {
    Boot::random(number.to_be_bytes())
}

/// What stands for the boot of this number in clear.
const fn prefix(boot: u64) -> u16 {
    of_number(boot).session()
}
