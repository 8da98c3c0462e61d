//! What a gateway counts of itself, for Prometheus and its log: numbers and reasons, no payload and no address.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes are no frame, or one of another version.
    Malformed,
    /// It is of a session that has not said who it is.
    UnknownSession,
    /// No key opens it.
    BadTag,
    /// There is no manifest of its program.
    UnknownSchema,
    /// It holds what its manifest does not.
    OutOfDomain,
    /// It was taken before.
    Replayed,
    /// The store is full.
    StoreFull,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Malformed,
        Self::UnknownSession,
        Self::BadTag,
        Self::UnknownSchema,
        Self::OutOfDomain,
        Self::Replayed,
        Self::StoreFull,
    ];

    /// Its name in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownSession => "unknown_session",
            Self::BadTag => "bad_tag",
            Self::UnknownSchema => "unknown_schema",
            Self::OutOfDomain => "out_of_domain",
            Self::Replayed => "replayed",
            Self::StoreFull => "store_full",
        }
    }

    /// What it means, and what to do.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Malformed => "something else than frames of version 1 arrives here",
            Self::UnknownSession => {
                "devices were asked who they are; one-way devices say it again by themselves"
            }
            Self::BadTag => "put the devices' key into the folder of keys, and send SIGHUP",
            Self::UnknownSchema => {
                "put the manifest of their firmware into the folder of manifests, and send SIGHUP"
            }
            Self::OutOfDomain => {
                "a firmware sends what its manifest does not hold: its records are told as lost"
            }
            Self::Replayed => "frames arrived twice, as they may",
            Self::StoreFull => "the collector has been away for too long: look at it, or raise store.bytes",
        }
    }
}

/// Why a log record or a point was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRefusal {
    /// There is no manifest of its program.
    UnknownProgram,
    /// Its resource or scope says what is in no manifest.
    Origin,
    /// The manifest has no event or metric of that name.
    UnknownName,
    /// An attribute, a value, a unit or a severity is not in the manifest.
    OutOfDomain,
    /// It has more than an event or a metric has: a body, a trace, an exemplar.
    More,
}

impl RecordRefusal {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::UnknownProgram, Self::Origin, Self::UnknownName, Self::OutOfDomain, Self::More];

    /// Its name in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnknownProgram => "unknown_program",
            Self::Origin => "unknown_origin",
            Self::UnknownName => "unknown_name",
            Self::OutOfDomain => "out_of_domain",
            Self::More => "more_than_a_record",
        }
    }

    /// What it means, and what to do.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::UnknownProgram => {
                "there is no manifest of this service.name: put it into the gateway's folder of manifests, and send SIGHUP"
            }
            Self::Origin => "the resource or the scope has an attribute or a value that is in no manifest",
            Self::UnknownName => "the manifest has no event or metric of this name",
            Self::OutOfDomain => {
                "an attribute or a value is not in the manifest: put that of this version into the gateway's folder"
            }
            Self::More => "a record may have a name, a time, a severity and attributes, and nothing else",
        }
    }
}

macro_rules! counts {
    ($($(#[doc = $doc:literal])+ $name:ident: $metric:literal,)+) => {
        /// Counters that only grow.
        #[derive(Debug, Default)]
        pub struct Counts {
            refused: [AtomicU64; Refusal::ALL.len()],
            refused_of_programs: [AtomicU64; RecordRefusal::ALL.len()],
            $($(#[doc = $doc])+ pub $name: AtomicU64,)+
        }

        impl Counts {
            /// In the text format of Prometheus.
            #[must_use]
            pub fn to_prometheus(&self) -> String {
                let mut text = String::new();
                let _ = writeln!(text, "# HELP telemetry_gateway_frames_refused_total Frames that were not taken, by reason.");
                let _ = writeln!(text, "# TYPE telemetry_gateway_frames_refused_total counter");
                for reason in Refusal::ALL {
                    let word = reason.word();
                    let _ = writeln!(text, "telemetry_gateway_frames_refused_total{{reason=\"{word}\"}} {}", self.refused(reason));
                }
                let name = "telemetry_gateway_program_records_refused_total";
                let _ = writeln!(text, "# HELP {name} Log records and points of programs that were not taken, by reason.");
                let _ = writeln!(text, "# TYPE {name} counter");
                for reason in RecordRefusal::ALL {
                    let _ = writeln!(text, "{name}{{reason=\"{}\"}} {}", reason.word(), self.refused_of_programs(reason));
                }
                $({
                    let _ = writeln!(text, "# HELP {} {}", $metric, concat!($($doc),+).trim());
                    let _ = writeln!(text, "# TYPE {} counter", $metric);
                    let _ = writeln!(text, "{} {}", $metric, self.$name.load(Ordering::Relaxed));
                })+
                text
            }
        }
    };
}

counts! {
    /// Requests of programs that arrived.
    requests: "telemetry_gateway_program_requests_total",
    /// Frames that arrived.
    frames: "telemetry_gateway_frames_total",
    /// Records that were taken.
    records: "telemetry_gateway_records_total",
    /// Records that a device sent and that never arrived: they are told to the collector.
    given_up: "telemetry_gateway_records_given_up_total",
    /// Records whose time lay in the future or too far back.
    moved: "telemetry_gateway_records_moved_in_time_total",
    /// Records that the collector took.
    delivered: "telemetry_gateway_records_delivered_total",
    /// Records that the collector refused: they are told to it.
    refused_by_collector: "telemetry_gateway_records_refused_by_collector_total",
    /// Requests that the collector did not take at once.
    retries: "telemetry_gateway_requests_retried_total",
    /// Datagrams that the kernel dropped before the gateway could read them.
    kernel_drops: "telemetry_gateway_datagrams_dropped_by_kernel_total",
    /// Acknowledgements that were sent.
    acknowledged: "telemetry_gateway_frames_acknowledged_total",
    /// Sessions that were asked who they are.
    asked: "telemetry_gateway_sessions_asked_total",
}

impl Counts {
    /// One more frame that was refused.
    pub fn refuse(&self, reason: Refusal) {
        self.refused[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many were refused for this reason.
    #[must_use]
    pub fn refused(&self, reason: Refusal) -> u64 {
        self.refused[reason as usize].load(Ordering::Relaxed)
    }

    /// More records of programs that were refused, by reason.
    pub fn refuse_of_programs(&self, refused: &[u64; RecordRefusal::ALL.len()]) {
        self.refused_of_programs.iter().zip(refused).for_each(|(counter, count)| add(counter, *count));
    }

    /// How many records of programs were refused for this reason.
    #[must_use]
    pub fn refused_of_programs(&self, reason: RecordRefusal) -> u64 {
        self.refused_of_programs[reason as usize].load(Ordering::Relaxed)
    }
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
