//! What must hold of a gateway for any bytes: nothing panics, and no string leaves that is not in a manifest.
//!
//! Each property is a function of bytes that panics where it does not hold. `cargo test` runs it on random samples and on the kept corpus
//! (`fuzz/corpus/<property>`) and what once failed; `fuzz/fuzz_targets` run it without end.

mod folders;
mod ingest;
mod leaving;
mod programs;

pub use folders::folders;
pub use ingest::ingest;
pub use programs::programs;
