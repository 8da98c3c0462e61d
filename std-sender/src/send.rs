//! The way out: one request, where it goes, and what became of it.
//!
//! ```text
//!  batch ──► body ──► verbose: shows it ──► http ── endpoint, settings, trust ──► collector
//!                                            │
//!                    sent: the log ◄── answer┴──► failure, health: why not, and what to do
//! ```

pub(crate) mod body;
pub mod endpoint;
pub(crate) mod exporter;
pub(crate) mod failure;
pub(crate) mod flight;
pub(crate) mod health;
pub(crate) mod http;
pub(crate) mod sent;
pub mod settings;
pub(crate) mod trust;
pub mod verbose;
