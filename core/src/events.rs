//! What can be said: an event with its fields, a metric with its labels, all of them finite.
//!
//! ```text
//!  label, bool, Count, Bytes, ... ──► field: a domain ──► event: a name, a severity, fields ── time: how coarse
//!  loss: what was dropped, as an event        metric: what is counted ── cell: the counts in memory
//! ```

pub mod bucket;
pub mod field;
pub mod code_location;
pub mod time;
pub mod event;
pub mod loss;
pub mod metric;
pub mod cell;
