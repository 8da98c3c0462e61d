//! What the tests and the demo share: a receiver for OTLP over HTTP, in process, on loopback, that decodes with the
//! official types of `opentelemetry-proto` and none of our code.

mod clickhouse;
mod disk;
mod example;
mod files;
pub mod firmware;
mod log;
mod posting;
mod receiver;
mod rotel;
pub mod sockets;
mod streams;
pub mod tls;

pub use clickhouse::{ClickHouse, clickhouse, clickhouse_answers};
pub use disk::Disk;
pub use example::{at_home, example, omni};
pub use files::holds;
pub use log::{Log, logs};
pub use posting::post;
pub use receiver::{Answer, Receiver, Request};
pub use rotel::Rotel;
pub use streams::Streams;
