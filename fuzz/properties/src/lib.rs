//! What must hold for any bytes.
//!
//! Each property is a function of bytes that panics where it does not hold. `cargo test` runs it on random samples,
//! on the kept corpus (`fuzz/corpus/<property>`) and on what once failed; `fuzz/fuzz_targets` run it without end.

mod crash;
mod frames;
mod manifest;
mod metrics;
mod otlp;
mod record;
mod redaction;
mod replay;
mod speech;

pub use crash::crash;
pub use frames::frames;
pub use manifest::manifest;
pub use metrics::metrics;
pub use otlp::otlp;
pub use record::record;
pub use redaction::redaction;
pub use replay::replay;
