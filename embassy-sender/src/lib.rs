//! Telemetry for firmware, `no_std` and without allocation. Use it through the crate `automagik-telemetry` with its feature `embassy`.
//!
//! ```text
//!  task, interrupt:  record(event) ──► Telemetry (a queue in a static, counters beside it)
//!                                          │ an interval, or half a queue
//!  one task:         run ──► batch ──► otlp::Logs, otlp::Metrics ──► Sender
//!                     ▲                                               │
//!                     └── core's Delivery: wait, again, over ◄────────┘
//!
//!  away for long:    batch ──► Backlog (flash) ──► the same, oldest first
//!
//!  Sender:           Http over any TCP stack of embedded-nal-async (embassy-net), a body in pieces of 512 bytes;
//!                    Https: the same over TLS 1.3 (feature `tls`)
//!
//!  no HTTP:          run_frames ──► sealed frames ──► Link (feature `frames`): a UART, datagrams (feature `udp`), a radio ──► gateway
//!                     away for long: SealedBacklog (flash) ──► the same bytes, oldest first
//! ```
//!
//! Other transports of requests implement the same trait, [`Sender`](automagik_telemetry_core::Sender); links to a gateway implement `Link`.
//!
//! Nothing is recorded before [`Telemetry::start`], which takes a [`Consent`](automagik_telemetry_core::Consent). On a device the answer is
//! provisioned: [`Provision`] stores it in flash, and [`decide`](automagik_telemetry_core::consent::decide) turns it into a decision, as on
//! hosts.

#![no_std]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod answer;
mod backlog;
mod clock;
mod http;
#[cfg(feature = "frames")]
mod link;
mod provision;
#[cfg(feature = "frames")]
mod sealed;
mod telemetry;
#[cfg(test)]
mod testing;
#[cfg(feature = "tls")]
mod tls;

pub use backlog::{BACKLOG_SECONDS_MAX, Backlog, FRAME_LEN_MAX};
pub use http::{Http, PIECE_LEN, TIMEOUT};
#[cfg(feature = "udp")]
pub use link::Datagrams;
#[cfg(feature = "frames")]
pub use link::{Broken, Link, Stream};
pub use provision::{Provision, RANGE_LEN_MIN};
#[cfg(feature = "frames")]
pub use sealed::{SEALED_HEAD_LEN, SealedBacklog};
#[cfg(feature = "frames")]
pub use telemetry::Frames;
pub use telemetry::{BATCH_RECORDS_MAX, INTERVAL, Settings, Telemetry};
#[cfg(feature = "tls")]
pub use tls::{Authority, Https, RECORD_LEN_MAX};

#[cfg(test)]
extern crate std;
