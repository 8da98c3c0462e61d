//! Devices and a gateway that are reset at every point of sending: at one gateway nothing arrives twice, nothing that was acknowledged is lost, and no
//! number ever seals two frames.

use automagik_telemetry_core::frames::{Boot, Hello, Key, MTU_MAX, Reader, Session};
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::record::Cursor;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Pseudonym, Record};
use automagik_telemetry_gateway::counts::Counts;
use automagik_telemetry_gateway::intake::held::Held;
use automagik_telemetry_gateway::intake::placing::Now;
use automagik_telemetry_gateway::intake::session::Session as Known;
use automagik_telemetry_gateway::intake::taker::{Answer, Boots, Taker};
use automagik_telemetry_gateway::known::keys::Keys;
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::known::vocabulary::Vocabulary;
use automagik_telemetry_gateway::tools::simulate;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Numbers that are the same each time (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The disk of a gateway.
#[derive(Default)]
struct Disk {
    boots: BTreeMap<u64, Known>,
}

impl Boots for Disk {
    fn of_session(&self, session: u16) -> Vec<(u64, Known)> {
        let first = u64::from(session.swap_bytes()) << 48;
        self.boots
            .range(first..=first | ((1 << 48) - 1))
            .map(|(boot, known)| (*boot, known.clone()))
            .collect()
    }

    fn of_number(&self, number: u64) -> Option<Known> {
        self.boots.get(&number).cloned()
    }
}

fn key() -> Key {
    Key::new([7; 16])
}

fn taker() -> Taker {
    let (mut keys, mut manifests) = (Keys::default(), Manifests::default());
    keys.add(key());
    manifests.add(Vocabulary::read(&simulate::manifest()).unwrap()).unwrap();
    Taker::new(keys, manifests, Arc::new(Counts::default()))
}

struct World {
    random: Random,
    disk: Disk,
    taker: Taker,
    /// Frames that were sent in the past: somebody repeats them.
    captured: Vec<Vec<u8>>,
    /// What each number sealed.
    sealed: HashMap<(Boot, u32), u64>,
    /// Records that are on the gateway's disk, by boot and number.
    taken: HashSet<(u64, u32)>,
    resets: u64,
    vocabulary: Vocabulary,
}

impl World {
    /// Hands `frame` to the gateway, which may be reset before it writes, after that, or not at all; what it answers, if that is heard.
    fn send(&mut self, frame: &[u8]) -> Option<Answer> {
        if self.random.below(8) == 0 {
            return None;
        }
        if self.random.below(16) == 0 {
            self.captured.push(frame.to_vec());
        }
        let answer = self.taker.take(frame, &self.disk, u64::MAX, Now(1_800_000_000));
        if self.random.below(40) == 0 {
            // It had written nothing.
            self.taker = taker();
            self.resets += 1;
            return None;
        }
        let batch = self.taker.batch();
        let mut held = batch.held.as_slice();
        while let Some(held) = Held::take(&mut held) {
            let count = Reader::new(&self.vocabulary, held.stream).map(Result::unwrap).count() as u32;
            for number in held.sequence..held.sequence + count {
                assert!(self.taken.insert((u64::from_be_bytes(held.boot), number)), "it arrived twice");
            }
        }
        self.disk.boots.extend(batch.sessions);
        if self.random.below(40) == 0 {
            self.taker = taker();
            self.resets += 1;
        }
        (self.random.below(8) > 0).then_some(answer)
    }

    fn is_acknowledged(answer: Option<Answer>, session: &Session, sequence: u32) -> bool {
        match answer {
            Some(Answer::Taken(answer) | Answer::Known(answer)) => {
                session.is_acknowledged(sequence, &answer.frame)
            }
            _ => false,
        }
    }

    fn note(&mut self, boot: Boot, sequence: u32, frame: &[u8]) {
        let mut hasher = DefaultHasher::new();
        frame.hash(&mut hasher);
        let hash = hasher.finish();
        assert_eq!(*self.sealed.entry((boot, sequence)).or_insert(hash), hash, "a number sealed two frames");
    }

    /// A boot of a device: it says who it is, and sends frames, until it is reset at some point.
    fn boot(&mut self) {
        let boot = Boot::random(self.random.below(u64::MAX).to_le_bytes());
        let mut session = Session::new(key(), boot, None);
        let hello = Hello::new(simulate::schema(), Pseudonym::NOBODY, None);
        let mut buffer = [0; MTU_MAX];
        let sealed = session.hello(&hello, &mut buffer).unwrap();
        let said = buffer[..sealed.len].to_vec();
        self.note(boot, 0, &said);
        loop {
            let records: Vec<Record> = (0..=self.random.below(4))
                .map(|number| Record::dropped(Reason::Refused, number as u32, Coarse::from_steps(1)))
                .collect();
            let records = records.as_slice();
            let sealed =
                session.data(&hello, &records, &mut Cursor::default(), &mut buffer).unwrap().unwrap();
            let frame = buffer[..sealed.len].to_vec();
            self.note(boot, sealed.sequence, &frame);
            loop {
                // Before it is sent, after it, before the answer is heard: the device is gone.
                if self.random.below(12) == 0 {
                    self.resets += 1;
                    return;
                }
                let answer = self.send(&frame);
                if Self::is_acknowledged(answer, &session, sealed.sequence) {
                    let first = (u64::from_be_bytes(boot.bytes()), sealed.sequence);
                    assert!(self.taken.contains(&first), "it was acknowledged, and is nowhere");
                    break;
                }
                if let Some(Answer::Ask(question)) = answer {
                    assert!(session.is_asked(&question));
                    self.send(&said);
                }
                if self.random.below(6) == 0 && !self.captured.is_empty() {
                    let at = self.random.below(self.captured.len() as u64) as usize;
                    let frame = self.captured[at].clone();
                    self.send(&frame);
                }
            }
        }
    }
}

fn resets(count: u64) {
    let mut world = World {
        random: Random(0x9E37_79B9_7F4A_7C15),
        disk: Disk::default(),
        taker: taker(),
        captured: Vec::new(),
        sealed: HashMap::new(),
        taken: HashSet::new(),
        resets: 0,
        vocabulary: Vocabulary::read(&simulate::manifest()).unwrap(),
    };
    while world.resets < count {
        world.boot();
        world.captured.truncate(1_000);
    }
    assert!(world.taken.len() as u64 > count / 10);
}

#[test]
fn nothing_arrives_twice_and_nothing_acknowledged_is_lost_over_thousands_of_resets() {
    resets(3_000);
}

/// `cargo test --release -p automagik-telemetry-gateway --test resets -- --ignored`: a minute.
#[test]
#[ignore = "a million"]
fn nothing_arrives_twice_and_nothing_acknowledged_is_lost_over_a_million_resets() {
    resets(1_000_000);
}
