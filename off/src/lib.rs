//! The interface of `automagik-telemetry-std` with nothing behind it, for whoever builds a program and wants no telemetry in it.
//! Applications get it through the crate `automagik-telemetry`, by its feature `off` or by `--cfg automagik_telemetry_off`.
//!
//! A program compiles unchanged: a handle records nothing, nobody is asked, no variable, file or socket is touched, no address stands in
//! the binary. What a handle says of itself is true: it is off, since this build has no telemetry in it.
//!
//! Types that only a running telemetry makes have no values here ([`Question`], [`News`], [`Endpoint`](endpoint::Endpoint)), so whatever a
//! program does with them is no code.
#![forbid(unsafe_code)]

#[cfg(feature = "clap")]
pub mod cli;
pub mod endpoint;
pub mod settings;
pub mod signals;
pub mod verbose;

mod failure;
mod person;
mod rights;
mod telemetry;

pub use failure::{Failure, TlsFailure};
pub use person::{Ask, Environment, News, Organization, Question, Reply, STATE_DIR, Terminal, Wording};
pub use rights::{
    Became, Deleted, Health, Inventory, Rights, RightsError, SENT_BYTES_MAX, SENT_SECONDS_MAX, SentRequest,
    Status, Waiting,
};
pub use telemetry::{
    Builder, FlushError, INTERVAL, LibraryTelemetry, StartError, Stopwatch, Telemetry, Timer,
    WAIT_WITHOUT_DISK,
};

/// Most records of one request, were there any.
pub const BATCH_RECORDS_MAX: usize = 100;

/// Most of an answer that would be read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Most that would wait on disk, in bytes.
pub const SPOOL_BYTES_MAX: u64 = 1 << 20;

/// Longest that a record would wait, in seconds.
pub const SPOOL_SECONDS_MAX: u64 = 30 * 86_400;

/// What is said where somebody asks.
const LEFT_OUT: &str = "this build has no telemetry in it";
