//! Requests of programs on the gateway's own network: OTLP comes in, and records go on. A program's address ends here.
//!
//! ```text
//!  request ──► Origin: whose manifest? ──► every name and value: its ordinal ──► Held ──► store, or the collector at once
//!                │ no manifest                │ not in it
//!                └────────────────────────────┴──► counted by reason, and answered as a partial success
//! ```
//!
//! What goes on is written anew from the manifest, as it is for devices: a string that is in none has no way through.

pub mod origin;
pub mod crash;
pub mod logs;
pub mod metrics;
pub mod taken;
pub mod request;
