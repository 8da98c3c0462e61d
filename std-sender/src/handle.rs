//! The front door: what an application holds.
//!
//! ```text
//!  builder ──► telemetry: a handle; record, flush, turn on and off ──► library: the same for a library's own events
//!  timer: how long something takes
//! ```

pub(crate) mod builder;
pub(crate) mod library;
pub(crate) mod telemetry;
pub(crate) mod timer;
