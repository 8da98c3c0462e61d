#![doc = include_str!("../README.md")]
#![no_std]

pub use automagik_telemetry_core::{
    ApiRequest, Bytes, CommandExecuted, Consent, Count, ErrorCategory, ErrorOccurred, FeatureUsed, Field,
    HealthStatus, HttpStatus, Includes, Milliseconds, OperationLatency, Outcome, Pseudonym, Queue, Record,
    Secret, Sender, ServiceHealth, Severity, bucket, consent, event, field, label, loss, message, otlp,
    outcome, policy, pseudonym, queue, record, resource, ring, schema, sender, time, word,
};
#[doc(inline)]
pub use automagik_telemetry_core::{Event, Label, Schema};
pub use automagik_telemetry_derive::{Event, Label, Schema};

#[cfg(feature = "std")]
pub use automagik_telemetry_std::{Builder, Environment, StartError, Telemetry};
