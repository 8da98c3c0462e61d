//! The bytes that leave and that are kept stay what they were: a corpus of requests and manifests, as numbers. A change here is a change
//! of the wire, for CHANGELOG.md. `BLESS=1 cargo test --test golden` writes them anew. The version of this library is in the bytes.
//!
//! A request names the kind of machine that it is from, so requests are compared on one kind; records and manifests are the same on all.

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::otlp::{self, Body, Interval, Logs, Metrics as MetricsRequest};
use automagik_telemetry::record::Delta;
use automagik_telemetry::resource::Resource;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{
    Bytes, Count, Counter, ErrorCategory, ErrorOccurred, Event, FeatureUsed, Histogram, HttpStatus, Includes,
    Label, Metrics, Milliseconds, Pseudonym, Record, Schema, Secret, loss::Reason, manifest,
};
use sha2::{Digest, Sha256};

#[derive(Label, Clone, Copy)]
enum Word {
    ListContacts,
    #[label("GET /contacts/{id}/messages/{message_id}")]
    GetMessage,
    #[label("OMNI-1001")]
    Omni1001,
}

const WORDS: [Word; 3] = [Word::ListContacts, Word::GetMessage, Word::Omni1001];

#[derive(Event)]
#[event(name = "golden.everything", severity = "warn")]
struct Everything {
    word: Word,
    flag: Option<bool>,
    count: Count<100_000>,
    status: HttpStatus,
    duration: Option<Milliseconds>,
    size: Bytes,
}

#[derive(Metrics)]
struct Counts {
    #[metric(name = "golden.starts")]
    starts: Counter<()>,
    #[metric(name = "golden.duration", by = "word")]
    duration: Histogram<Word, Milliseconds>,
    #[metric(name = "golden.sizes", by = "word", and = "flag")]
    sizes: Histogram<(Word, ErrorCategory), Bytes>,
    #[metric(name = "golden.errors", by = "word", and = "kind")]
    errors: Counter<(Word, ErrorCategory)>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "golden", version = "1.2.3", metrics = Counts)]
enum Golden {
    Everything(Everything),
    Feature(FeatureUsed<Word>),
    Error(ErrorOccurred<Word>),
}

/// A generator of numbers that is the same each time (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    /// One of any length up to `bits`.
    fn number(&mut self, bits: u64) -> u64 {
        let bits = 1 + self.below(bits);
        self.below(1 << bits)
    }

    fn word(&mut self) -> Word {
        WORDS[self.below(3) as usize]
    }

    fn event(&mut self) -> Record {
        let time = Coarse::from_steps(29_350_800 + self.below(5_000) as u32);
        let record = match self.below(4) {
            0 => {
                let event = Everything {
                    word: self.word(),
                    flag: [None, Some(false), Some(true)][self.below(3) as usize],
                    count: Count::new(self.number(20) as u32),
                    status: HttpStatus::new(self.below(700) as u16),
                    duration: [None, Some(Milliseconds::new(self.below(1 << 31) as u32))]
                        [self.below(2) as usize],
                    size: Bytes::new(self.number(40)),
                };
                Record::new(&Golden::include(event), time)
            }
            1 => Record::new(&Golden::include(FeatureUsed { feature: self.word() }), time),
            2 => {
                let category =
                    [ErrorCategory::Network, ErrorCategory::Authentication][self.below(2) as usize];
                Record::new(&Golden::include(ErrorOccurred { code: self.word(), category }), time)
            }
            _ => return Record::dropped(Reason::QueueFull, self.below(2_000_000) as u32, time),
        };
        record.unwrap()
    }

    /// What was counted in some steps of time, as counters are read: metric by metric, cell by cell.
    fn counted(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        for step in 0..1 + self.below(3) as u32 {
            let start = Coarse::from_steps(29_350_800 + step);
            for (metric, descriptor) in Checked::<Golden>::DESCRIPTOR.metrics().iter().enumerate() {
                for cell in 0..descriptor.cells() {
                    if self.below(40) == 0 && records.len() < 100 {
                        let count = 1 + self.number(31) as u32;
                        let end = Coarse::from_steps(start.steps() + 1);
                        records.push(Record::from_delta(&Delta { metric, cell, count, start, end }));
                    }
                }
            }
        }
        records
    }
}

fn resource() -> Resource {
    let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    Resource::new(Checked::<Golden>::DESCRIPTOR, Pseudonym::new(&Secret::new([7; 32], consent), "golden", 0))
}

/// In pieces, through a buffer of one piece.
fn pulled(body: &mut dyn Body, piece_len: usize) -> Vec<u8> {
    let (mut whole, mut piece) = (Vec::new(), vec![0; piece_len]);
    loop {
        match body.read(&mut piece).unwrap() {
            0 => return whole,
            len => whole.extend_from_slice(&piece[..len]),
        }
    }
}

#[test]
fn the_bytes_are_those_of_before() {
    let (mut random, resource, schema) =
        (Random(88_172_645_463_325_252), resource(), Checked::<Golden>::DESCRIPTOR);
    let mut found = String::new();
    let mut note = |what: &str, bytes: &[u8]| {
        let digits: String = Sha256::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        found.push_str(&format!("{what} {} {digits}\n", bytes.len()));
    };
    let mut room = vec![0; 1 << 20];
    for _ in 0..60 {
        let events: Vec<Record> = (0..random.below(101)).map(|_| random.event()).collect();
        let logs = Logs::encode(&resource, &events, &mut room).unwrap().to_vec();
        assert_eq!(pulled(&mut Logs::new(&resource, &events.as_slice()), Logs::piece_len_max(schema)), logs);
        note("logs", &logs);

        let counted = random.counted();
        let metrics = MetricsRequest::encode(&resource, &counted, &mut room).unwrap().to_vec();
        let slice = counted.as_slice();
        let mut body = MetricsRequest::new(&resource, &slice);
        assert_eq!(pulled(&mut body, MetricsRequest::piece_len_max(schema)), metrics);
        note("metrics", &metrics);
        let interval = Interval { start: 1_761_048_000_000_000_000, end: 1_761_048_060_000_000_000 };
        let over = MetricsRequest::encode_over(&resource, &counted, interval, &mut room).unwrap();
        note("metrics over an interval", over);

        let mut records = Vec::new();
        events
            .iter()
            .chain(&counted)
            .for_each(|record| records.extend_from_slice(record.encode().as_slice()));
        note("records", &records);
    }
    let slice: &[Record] = &[];
    let mut empty = vec![0; Logs::new(&resource, &slice).len()];
    otlp::to_slice(&mut Logs::new(&resource, &slice), &mut empty).unwrap();
    note("logs of nothing", &empty);
    let mut cbor = vec![0; manifest::len(schema)];
    manifest::encode(schema, cbor.as_mut_slice()).unwrap();
    note("manifest", &cbor);

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden.txt");
    let is_their_machine = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    let same = |text: &str| {
        let is_same =
            |line: &&str| is_their_machine || line.starts_with("records") || line.starts_with("manifest");
        text.lines().filter(is_same).collect::<Vec<_>>().join("\n")
    };
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    assert_eq!(
        same(&std::fs::read_to_string(path).unwrap()),
        same(&found),
        "BLESS=1 cargo test --test golden, if that is meant"
    );
}
