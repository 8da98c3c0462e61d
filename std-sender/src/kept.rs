//! What is kept until it is delivered: events and counts, and the secret behind the pseudonym.
//!
//! ```text
//!  record(event) ──► recorder: queues in memory ──► store ──► spool: segments on disk ──► batches
//!                                     counts: sums of metrics ─┘  or memory, where there is no disk
//! ```

pub(crate) mod counts;
pub(crate) mod crash;
pub(crate) mod identity;
pub(crate) mod recorder;
pub(crate) mod spool;
pub(crate) mod store;
