//! The core of Automagik Telemetry: **an event has no place to put a string**.
//!
//! Every field of an event takes its value from a small finite set that is fixed at compile time. A record holds the ordinals of these
//! values; the words that they stand for are constants, checked by the compiler. This crate is `no_std`, and has no allocation, no unsafe code
//! and no panics.
//!
//! ```text
//!  compile time                       run time                                  edge
//!  Label, Event, Schema               record(event)
//!        │                                 │ ordinals, checked
//!        ▼                                 ▼
//!  schema::Checked (const) ───────►  Record ──► Queue ──► batch ──► otlp::Logs ──► Sender
//! ```
//!
//! Applications depend on the crate `automagik-telemetry`, which re-exports this one together with the derives and the senders. To write
//! a transport, depend on this crate alone. The folders stand in reading order: each opens with its idea and uses only those above it.

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

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod words;
mod events;
mod schemas;
mod records;
mod counts;
mod person;
pub mod crashes;
mod wire;
#[cfg(feature = "frames")]
pub mod frames;
#[cfg(test)]
mod testing;

pub use counts::{aggregate, policy};
pub use events::{bucket, cell, code_location, event, field, loss, metric, time};
pub use person::{consent, pseudonym};
pub use records::{queue, record, ring};
pub use schemas::{manifest, schema};
pub use wire::{answer, delivery, otlp, outcome, resource, sender, vocabulary};
pub use words::{label, message, word};

pub use aggregate::{Counter, Histogram};
pub use code_location::{CodeAddress, CodeLocation};
pub use consent::Consent;
pub use crashes::{Crash, CrashReport};
pub use delivery::Delivery;
pub use event::{Event, Severity};
pub use field::{Bytes, Count, Field, HttpStatus, Milliseconds};
pub use label::Label;
pub use outcome::Outcome;
pub use policy::{
    ApiRequest, CommandExecuted, ErrorAt, ErrorCategory, ErrorOccurred, FeatureUsed, HealthStatus,
    OperationLatency, ServiceHealth,
};
pub use pseudonym::{Pseudonym, Secret};
pub use queue::Queue;
pub use record::Record;
pub use schema::{Includes, IncludesLibrary, Library, Schema};
pub use sender::Sender;
