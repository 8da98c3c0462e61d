//! Telemetry for desktops and servers. Applications use it through the crate `automagik-telemetry` with its feature
//! `std`.
//!
//! ```text
//!  builder ── person: variables, files, the answer ► core decides ──► off: one branch a record, no file, thread or socket
//!                                         │
//!                                         ▼ consent
//!  telemetry.record(event) ──► kept: recorder (queues without locks) ──► store ──► spool (disk), or memory
//!                                                                           │
//!                     run: the worker, whoever drops the last handle, a process that is left behind
//!                                                                           │
//!                     send: batch ──► request ──► verbose ──► http ──► collector
//!                                                                │
//!                     shown: the question, status, rights  ◄── decode ── what is kept, and the log of what was sent
//! ```
//!
//! A folder uses only those above it: `files`, `person`, `kept`, `decode`, `send`, `run`, `shown`, `handle`.

mod decode;
mod files;
mod handle;
mod kept;
mod person;
mod run;
mod send;
mod shown;

#[cfg(feature = "clap")]
pub mod cli;
#[cfg(test)]
mod testing;

pub use handle::builder::Builder;
pub use handle::library::LibraryTelemetry;
pub use handle::telemetry::{FlushError, Telemetry};
pub use handle::timer::{Stopwatch, Timer};
pub use kept::spool::{SPOOL_BYTES_MAX, SPOOL_SECONDS_MAX};
pub use person::agreed::News;
pub use person::environment::{Environment, STATE_DIR};
pub use person::inventory::Inventory;
pub use person::organization::Organization;
pub use person::signals;
pub use run::running::WAIT_WITHOUT_DISK;
pub use run::start::INTERVAL;
pub use run::start_error::StartError;
pub use send::exporter::Exporter;
pub use send::failure::{Failure, TlsFailure};
pub use send::health::Health;
pub use send::http::ANSWER_BYTES_MAX;
pub use send::sent::{Became, SENT_BYTES_MAX, SENT_SECONDS_MAX};
pub use send::{endpoint, settings, verbose};
pub use shown::ask::{Ask, Question, Reply};
pub use shown::rights::{Deleted, Rights, RightsError, SentRequest, Waiting};
pub use shown::status::Status;
pub use shown::terminal::{Terminal, Wording};

/// Most records of one request.
pub const BATCH_RECORDS_MAX: usize = 100;
