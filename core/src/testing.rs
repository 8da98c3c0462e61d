//! A schema with a field of every kind, for this crate's tests.

use crate::counts::policy::{ErrorCategory, ErrorOccurred, FeatureUsed};
use crate::events::event::{Event, EventDescriptor, Ordinals, Severity, field};
use crate::events::field::{Bytes, Count, Field, HttpStatus, Milliseconds};
use crate::schemas::schema::{Checked, Schema, SchemaDescriptor};
use crate::words::label::Label;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    One,
    Two,
    Three,
}

impl Word {
    pub(crate) const WORDS_OF_TEST: &'static [&'static str] = &["one", "GET /two/{id}", "OMNI-3"];
}

impl Label for Word {
    const WORDS: &'static [&'static str] = Self::WORDS_OF_TEST;
    fn ordinal(&self) -> u32 {
        *self as u32
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Everything {
    pub(crate) word: Word,
    pub(crate) flag: Option<bool>,
    pub(crate) count: Count<1000>,
    pub(crate) status: HttpStatus,
    pub(crate) duration: Option<Milliseconds>,
    pub(crate) size: Bytes,
}

impl Event for Everything {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "testing.everything",
        severity: Severity::Warn,
        fields: &[
            field::<Word>("word"),
            field::<Option<bool>>("flag"),
            field::<Count<1000>>("count"),
            field::<HttpStatus>("status"),
            field::<Option<Milliseconds>>("duration_ms"),
            field::<Bytes>("size_by"),
        ],
    };
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([
            Field::ordinal(&self.word),
            self.flag.ordinal(),
            self.count.ordinal(),
            self.status.ordinal(),
            self.duration.ordinal(),
            self.size.ordinal(),
        ])
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Testing {
    Everything(Everything),
    Feature(FeatureUsed<Word>),
    Error(ErrorOccurred<Word>),
}

impl Schema for Testing {
    const ORGANIZATION: &'static str = "acme";
    const ENDPOINT: Option<&'static str> = Some("https://telemetry.acme.example");
    const PROJECT: &'static str = "testing";
    const VERSION: &'static str = "1.2.3";
    const EVENTS: &'static [EventDescriptor] =
        &[Everything::DESCRIPTOR, <FeatureUsed<Word>>::DESCRIPTOR, <ErrorOccurred<Word>>::DESCRIPTOR];
    fn position(&self) -> (u16, Ordinals) {
        match self {
            Self::Everything(event) => (0, event.ordinals()),
            Self::Feature(event) => (1, event.ordinals()),
            Self::Error(event) => (2, event.ordinals()),
        }
    }
}

pub(crate) fn schema() -> &'static SchemaDescriptor {
    Checked::<Testing>::DESCRIPTOR
}

pub(crate) fn word() -> impl Strategy<Value = Word> {
    prop_oneof![Just(Word::One), Just(Word::Two), Just(Word::Three)]
}

pub(crate) fn everything() -> impl Strategy<Value = Everything> {
    (word(), any::<Option<bool>>(), any::<u32>(), any::<u16>(), any::<Option<u32>>(), any::<u64>()).prop_map(
        |(word, flag, count, status, duration, size)| Everything {
            word,
            flag,
            count: Count::new(count),
            status: HttpStatus::new(status),
            duration: duration.map(Milliseconds::new),
            size: Bytes::new(size),
        },
    )
}

pub(crate) fn event() -> impl Strategy<Value = Testing> {
    prop_oneof![
        everything().prop_map(Testing::Everything),
        word().prop_map(|feature| Testing::Feature(FeatureUsed { feature })),
        word().prop_map(|code| Testing::Error(ErrorOccurred { code, category: ErrorCategory::Network })),
    ]
}
