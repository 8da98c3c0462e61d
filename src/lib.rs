#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

#[doc(inline)]
pub use automagik_telemetry_core::aggregate::Metrics;
pub use automagik_telemetry_core::{
    ApiRequest, Bytes, CommandExecuted, Consent, Count, Counter, Delivery, ErrorCategory, ErrorOccurred,
    FeatureUsed, Field, HealthStatus, Histogram, HttpStatus, Includes, IncludesLibrary, Milliseconds,
    OperationLatency, Outcome, Pseudonym, Queue, Record, Secret, Sender, ServiceHealth, Severity, aggregate,
    bucket, cell, consent, delivery, event, field, label, loss, manifest, message, metric, otlp, outcome,
    policy, pseudonym, queue, record, resource, ring, schema, sender, time, vocabulary, word,
};
#[doc(inline)]
pub use automagik_telemetry_core::{Event, Label, Library, Schema};
pub use automagik_telemetry_derive::{Event, Label, Library, Metrics, Schema};

#[cfg(all(doctest, feature = "embassy"))]
#[doc = include_str!("../docs/FIRMWARE.md")]
struct FirmwarePage;

/// For firmware: a static to record to, and a task that sends.
#[cfg(feature = "embassy")]
pub use automagik_telemetry_embassy as firmware;

#[cfg(feature = "clap")]
pub use automagik_telemetry_std::cli;
#[cfg(feature = "std")]
pub use automagik_telemetry_std::{
    Ask, Became, Builder, Deleted, Environment, Failure, FlushError, Health, Inventory, LibraryTelemetry,
    News, Organization, Question, Reply, Rights, RightsError, STATE_DIR, SentRequest, StartError, Status,
    Telemetry, Terminal, Timer, TlsFailure, WAIT_WITHOUT_DISK, Waiting, Wording, endpoint, settings, signals,
    verbose,
};
