#![doc = include_str!("../README.md")]
#![cfg_attr(not(any(feature = "std", feature = "off")), no_std)]

#[doc(inline)]
pub use automagik_telemetry_core::aggregate::Metrics;
#[doc(inline)]
#[cfg(feature = "frames")]
pub use automagik_telemetry_core::frames;
pub use automagik_telemetry_core::{
    ApiRequest, Bytes, CodeAddress, CodeLocation, CommandExecuted, Consent, Count, Counter, Crash, Delivery,
    ErrorAt, ErrorCategory, ErrorOccurred, FeatureUsed, Field, HealthStatus, Histogram, HttpStatus, Includes,
    IncludesLibrary, Milliseconds, OperationLatency, Outcome, Pseudonym, Queue, Record, Secret, Sender,
    ServiceHealth, Severity, aggregate, answer, bucket, cell, code_location, consent, crashes, delivery,
    event, field, label, loss, manifest, message, metric, otlp, outcome, policy, pseudonym, queue, record,
    resource, ring, schema, sender, time, vocabulary, word,
};
pub use automagik_telemetry_core::{Event, Label, Library, Schema};
pub use automagik_telemetry_derive::{Event, Label, Library, Metrics, Schema};

#[cfg(doctest)]
#[doc = include_str!("../core/derive/README.md")]
struct DerivesPage;

#[cfg(all(doctest, feature = "embassy"))]
#[doc = include_str!("../docs/FIRMWARE.md")]
struct FirmwarePage;

/// For firmware: a static to record to, and a task that sends.
#[cfg(feature = "embassy")]
pub use automagik_telemetry_embassy as firmware;

// The person's side: what `std` has, or the same with nothing behind it.
#[cfg(any(feature = "off", all(feature = "std", automagik_telemetry_off)))]
use automagik_telemetry_off as side;
#[cfg(all(feature = "std", not(any(feature = "off", automagik_telemetry_off))))]
use automagik_telemetry_std as side;

#[cfg(all(feature = "clap", any(feature = "std", feature = "off")))]
pub use side::cli;
#[cfg(any(feature = "std", feature = "off"))]
pub use side::{
    Ask, Became, Builder, Deleted, Environment, Failure, FlushError, Health, Inventory, LibraryTelemetry,
    News, Organization, Question, Reply, Rights, RightsError, STATE_DIR, SentRequest, StartError, Status,
    Stopwatch, Telemetry, Terminal, Timer, TlsFailure, WAIT_WITHOUT_DISK, Waiting, Wording, endpoint,
    settings, signals, verbose,
};
