//! A schema with the policy's six events and one with a field of every kind, and how bytes choose what it says.

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::resource::Resource;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::{Coarse, Resolution};
use automagik_telemetry::{
    ApiRequest, Bytes, CommandExecuted, Count, Counter, ErrorCategory, ErrorOccurred, Event, FeatureUsed,
    HealthStatus, Histogram, HttpStatus, Label, Metrics, Milliseconds, OperationLatency, Pseudonym, Record,
    Schema, Secret, ServiceHealth,
};

#[derive(Label, Clone, Copy, Debug)]
pub(crate) enum Word {
    ListContacts,
    #[label("GET /traces/phone/{phone_number}")]
    TracesOfPhone,
    #[label("OMNI-1001")]
    Code,
}

#[derive(Event, Clone, Copy, Debug)]
#[event(name = "omni.everything", severity = "warn")]
pub(crate) struct Everything {
    word: Option<Word>,
    flag: Option<bool>,
    count: Count<100_000>,
    status: Option<HttpStatus>,
    #[event(name = "size_by")]
    size: Bytes,
}

#[derive(Metrics)]
pub(crate) struct OmniMetrics {
    #[metric(name = "omni.retries", by = "word")]
    retries: Counter<Word>,
    #[metric(name = "omni.command.duration", by = "word", and = "category")]
    durations: Histogram<(Word, ErrorCategory), Milliseconds>,
}

#[derive(Schema, Clone, Copy, Debug)]
#[schema(organization = "automagik", project = "omni", version = "1.2.3", metrics = OmniMetrics)]
pub(crate) enum Omni {
    Feature(FeatureUsed<Word>),
    Api(ApiRequest<Word>),
    Command(CommandExecuted<Word>),
    Latency(OperationLatency<Word>),
    Error(ErrorOccurred<Word>),
    Health(ServiceHealth<Word>),
    Everything(Everything),
}

/// The time of every record: 2025-10-21T12:00:00Z. No byte of an input chooses it.
pub(crate) fn noon() -> Coarse {
    Coarse::from_unix_seconds(1_761_048_000, Resolution::Minute)
}

pub(crate) fn resource() -> Resource {
    let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().expect("a yes");
    Resource::new(Checked::<Omni>::DESCRIPTOR, Pseudonym::new(&Secret::new([7; 32], consent), "omni", 0))
}

/// Bytes, taken one number at a time; zeros behind their end.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    fn word(&mut self) -> Word {
        [Word::ListContacts, Word::TracesOfPhone, Word::Code][usize::from(self.byte() % 3)]
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() & 1 == 1).then(|| value(self))
    }

    fn duration(&mut self) -> Milliseconds {
        Milliseconds::new(self.number())
    }

    fn status(&mut self) -> HttpStatus {
        HttpStatus::new(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    fn event(&mut self) -> Omni {
        match self.byte() % 7 {
            0 => Omni::Feature(FeatureUsed { feature: self.word() }),
            1 => {
                Omni::Api(ApiRequest { route: self.word(), status: self.status(), duration: self.duration() })
            }
            2 => Omni::Command(CommandExecuted {
                command: self.word(),
                success: self.byte() & 1 == 1,
                duration: self.duration(),
            }),
            3 => Omni::Latency(OperationLatency { operation: self.word(), duration: self.duration() }),
            4 => {
                let category =
                    if self.byte() & 1 == 1 { ErrorCategory::Database } else { ErrorCategory::Network };
                Omni::Error(ErrorOccurred { code: self.word(), category })
            }
            5 => Omni::Health(ServiceHealth { service: self.word(), status: HealthStatus::Degraded }),
            _ => Omni::Everything(Everything {
                word: self.maybe(Self::word),
                flag: self.maybe(|choices| choices.byte() & 1 == 1),
                count: Count::new(self.number()),
                status: self.maybe(Self::status),
                size: Bytes::new(u64::from(self.number()) << (self.byte() & 31)),
            }),
        }
    }
}

/// The events that `bytes` choose, as records.
pub(crate) fn records(bytes: &[u8]) -> Vec<Record> {
    let mut choices = Choices(bytes);
    let mut records = Vec::new();
    while !choices.0.is_empty() && records.len() < 200 {
        records.push(Record::new(&choices.event(), noon()).expect("a derived event is in its domain"));
    }
    records
}

/// What `bytes` choose that metrics counted, as records: such as they are read back from a store.
pub(crate) fn deltas(bytes: &[u8]) -> Vec<Record> {
    let schema = Checked::<Omni>::DESCRIPTOR;
    let mut choices = Choices(bytes);
    let mut records = Vec::new();
    while !choices.0.is_empty() && records.len() < 200 {
        let metric = usize::from(choices.byte() & 1);
        let cell = usize::from(u16::from_le_bytes([choices.byte(), choices.byte()]))
            % schema.metrics()[metric].cells();
        // So few that no sum of all is too large for a cell.
        let count = 1 + (choices.number() >> 8);
        let steps = u64::from(choices.byte() & 3);
        let bits = cell as u64 | u64::from(count) << 16 | steps << 48;
        let mut encoded = Vec::new();
        for number in [256 + metric as u64, u64::from(noon().steps()), bits] {
            prost::encoding::encode_varint(number, &mut encoded);
        }
        records.push(Record::decode(schema, &encoded).expect("a delta of the schema").0);
    }
    records
}
