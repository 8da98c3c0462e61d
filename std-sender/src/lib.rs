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
//! A folder uses only those above it: `files`, `person`, `kept`, `decode`, `send`, `run`, `shown`; then the front door, which stands here.

mod decode;
mod files;
mod kept;
mod person;
mod run;
mod send;
mod shown;

mod builder;
#[cfg(feature = "clap")]
pub mod cli;
mod library;
mod telemetry;
#[cfg(test)]
mod testing;
mod timer;

pub use builder::Builder;
pub use kept::spool::{SPOOL_BYTES_MAX, SPOOL_SECONDS_MAX};
pub use library::LibraryTelemetry;
pub use person::agreed::News;
pub use person::environment::{Environment, STATE_DIR};
pub use person::inventory::Inventory;
pub use person::organization::Organization;
pub use person::signals;
pub use run::running::WAIT_WITHOUT_DISK;
pub use run::start::INTERVAL;
pub use run::start_error::StartError;
pub use send::failure::{Failure, TlsFailure};
pub use send::health::Health;
pub use send::http::ANSWER_BYTES_MAX;
pub use send::sent::{Became, SENT_BYTES_MAX, SENT_SECONDS_MAX};
pub use send::{endpoint, settings, verbose};
pub use shown::ask::{Ask, Question, Reply};
pub use shown::rights::{Deleted, Rights, RightsError, SentRequest, Waiting};
pub use shown::status::Status;
pub use shown::terminal::{Terminal, Wording};
pub use telemetry::{FlushError, Telemetry};
pub use timer::{Stopwatch, Timer};

/// Most records of one request.
pub const BATCH_RECORDS_MAX: usize = 100;
