//! Telemetry for desktops and servers. Applications use it through the crate `automagik-telemetry` with its feature
//! `std`.
//!
//! ```text
//!  Builder ── environment ► signals ► core decides ──► off: one branch a record, no file, thread or socket
//!                                         │
//!                                         ▼ consent
//!                            endpoint, identity, worker thread
//!
//!  caller:  record(event) ──► Recorder (a queue without locks)
//!                                         │
//!  worker, and whoever drops the last handle:   Store ──► Spool (disk), or memory
//!                                                  │
//!  worker:                  batch ──► otlp::Logs, Metrics ──► Verbose ──► Http ──► collector
//!                                                                │          │
//!                                         standard error ◄── decode        SentLog (disk) ──► Rights shows it
//! ```

#[cfg(feature = "clap")]
pub mod cli;
pub mod endpoint;
pub mod settings;
pub mod signals;
pub mod verbose;

mod agreed;
mod ask;
mod background;
mod body;
mod builder;
mod checksum;
mod choice;
mod clock;
mod counts;
mod decode;
mod disk;
mod environment;
mod exclusive;
mod failure;
mod flight;
mod health;
mod http;
mod identity;
mod intake;
mod inventory;
mod library;
mod organization;
mod pipeline;
mod recorder;
mod rights;
mod running;
mod sent;
mod spool;
mod start;
mod start_error;
mod status;
mod store;
mod telemetry;
mod terminal;
#[cfg(test)]
mod testing;
mod timer;
mod trial;
mod trust;
mod worker;

pub use agreed::News;
pub use ask::{Ask, Question, Reply};
pub use builder::Builder;
pub use environment::{Environment, STATE_DIR};
pub use failure::{Failure, TlsFailure};
pub use health::Health;
pub use http::ANSWER_BYTES_MAX;
pub use inventory::Inventory;
pub use library::LibraryTelemetry;
pub use organization::Organization;
pub use rights::{Deleted, Rights, RightsError, SentRequest, Waiting};
pub use running::WAIT_WITHOUT_DISK;
pub use sent::{Became, SENT_BYTES_MAX, SENT_SECONDS_MAX};
pub use spool::{SPOOL_BYTES_MAX, SPOOL_SECONDS_MAX};
pub use start::INTERVAL;
pub use start_error::StartError;
pub use status::Status;
pub use telemetry::{FlushError, Telemetry};
pub use terminal::{Terminal, Wording};
pub use timer::{Stopwatch, Timer};

/// Most records of one request.
pub const BATCH_RECORDS_MAX: usize = 100;
