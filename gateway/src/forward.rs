//! What leaves: records of many devices as one OTLP request a signal, each device a resource of its own.
//!
//! ```text
//!  Held (frames on disk) ──► records, placed in time ──► Backward: a request, from its end to its start ──► Exporter ──► collector
//!                                         Vocabulary ───────┘ every name and word is there as the bytes that leave
//! ```

pub mod request;
pub mod metrics;
pub mod delivery;
pub mod through;
