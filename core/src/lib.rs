//! The core of Automagik Telemetry: **an event has no place to put a string**.
//!
//! Every field of an event is a member of a small finite set that is fixed when the program is compiled. What a
//! program records is a handful of ordinals; the words they stand for are constants that the compiler has
//! checked. `no_std`, no allocation, no unsafe code, no panics.
//!
//! ```text
//!  compile time                       run time                                  edge
//!  Label, Event, Schema               record(event)
//!        │                                 │ ordinals, checked
//!        ▼                                 ▼
//!  schema::Checked (const) ───────►  Record ──► Queue ──► batch ──► otlp::Logs ──► Sender
//! ```
//!
//! The folders stand in reading order; each opens with its idea and uses only those above it. Applications use the crate
//! `automagik-telemetry`, which re-exports this one together with the derives and the senders. Whoever writes a
//! transport depends on this crate alone.

// The tests of this crate run on a host.
#![cfg_attr(not(test), no_std)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::alloc_instead_of_core
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::std_instead_of_core,
        reason = "a test may fail loudly and runs on a host"
    )
)]

mod words;
mod events;
mod schemas;
mod records;
mod counts;
mod person;
mod wire;
#[cfg(test)]
mod testing;

pub use counts::{aggregate, policy};
pub use events::{bucket, cell, event, field, loss, metric, time};
pub use person::{consent, pseudonym};
pub use records::{queue, record, ring};
pub use schemas::{manifest, schema};
pub use wire::{answer, delivery, otlp, outcome, resource, sender, vocabulary};
pub use words::{label, message, word};

pub use aggregate::{Counter, Histogram};
pub use consent::Consent;
pub use delivery::Delivery;
pub use event::{Event, Severity};
pub use field::{Bytes, Count, Field, HttpStatus, Milliseconds};
pub use label::Label;
pub use outcome::Outcome;
pub use policy::{
    ApiRequest, CommandExecuted, ErrorCategory, ErrorOccurred, FeatureUsed, HealthStatus, OperationLatency,
    ServiceHealth,
};
pub use pseudonym::{Pseudonym, Secret};
pub use queue::Queue;
pub use record::Record;
pub use schema::{Includes, IncludesLibrary, Library, Schema};
pub use sender::Sender;
