#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

pub use automagik_telemetry_core::{
    ApiRequest, Bytes, CommandExecuted, Consent, Count, Delivery, ErrorCategory, ErrorOccurred, FeatureUsed,
    Field, HealthStatus, HttpStatus, Includes, Milliseconds, OperationLatency, Outcome, Pseudonym, Queue,
    Record, Secret, Sender, ServiceHealth, Severity, bucket, consent, delivery, event, field, label, loss,
    manifest, message, otlp, outcome, policy, pseudonym, queue, record, resource, ring, schema, sender, time,
    vocabulary, word,
};
#[doc(inline)]
pub use automagik_telemetry_core::{Event, Label, Schema};
pub use automagik_telemetry_derive::{Event, Label, Schema};

#[cfg(feature = "std")]
pub use automagik_telemetry_std::{
    Builder, Environment, FlushError, Inventory, StartError, Status, Telemetry, endpoint, settings, signals,
    verbose,
};
