//! What runs once a person has agreed, and how it ends.
//!
//! ```text
//!  start ──► running: what a handle has ──► pipeline ──► worker: takes in, delivers, waits, tries again
//!                        │                                  intake: from queues to the store
//!                        └── the end: writes to disk; background: a process that is left behind delivers
//! ```

pub(crate) mod background;
pub(crate) mod intake;
#[cfg(feature = "panics")]
mod executable;
#[cfg(feature = "panics")]
pub(crate) mod panics;
pub(crate) mod pipeline;
pub(crate) mod running;
pub(crate) mod start;
pub(crate) mod start_error;
pub(crate) mod worker;
