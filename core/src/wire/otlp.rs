//! OTLP 1.x in protobuf: what leaves.
//!
//! ```text
//! ExportLogsServiceRequest            collector/logs/v1/logs_service.proto
//! └─ 1 resource_logs: ResourceLogs    logs/v1/logs.proto
//!    ├─ 1 resource: Resource          resource/v1/resource.proto
//!    │  └─ 1 attributes: KeyValue*    common/v1/common.proto
//!    ├─ 2 scope_logs: ScopeLogs
//!    │  ├─ 1 scope: InstrumentationScope { 1 name, 2 version }
//!    │  └─ 2 log_records: LogRecord*
//!    │     ├─ 1 time_unix_nano: fixed64
//!    │     ├─ 2 severity_number: enum
//!    │     ├─ 6 attributes: KeyValue*
//!    │     ├─ 11 observed_time_unix_nano: fixed64
//!    │     └─ 12 event_name: string
//!    └─ 3 schema_url: string
//!
//! ExportMetricsServiceRequest         collector/metrics/v1/metrics_service.proto
//! └─ 1 resource_metrics: ResourceMetrics
//!    ├─ 1 resource, 3 schema_url      as above
//!    └─ 2 scope_metrics: ScopeMetrics { 1 scope }
//!       └─ 2 metrics: Metric { 1 name, 3 unit }     metrics/v1/metrics.proto
//!          ├─ 7 sum: Sum { 1 data_points, 2 aggregation_temporality, 3 is_monotonic }
//!          │  └─ NumberDataPoint { 2, 3 start and end, 6 as_int: sfixed64, 7 attributes }
//!          └─ 9 histogram: Histogram { 1 data_points, 2 aggregation_temporality }
//!             └─ HistogramDataPoint { 2, 3, 4 count, 6 bucket_counts, 7 explicit_bounds, 9 attributes }
//! KeyValue { 1 key: string, 2 value: AnyValue { 1 string | 2 bool | 3 int64 } }
//! ```
//!
//! Sources: [opentelemetry-proto](https://github.com/open-telemetry/opentelemetry-proto). Fields are written in the
//! order of their numbers, so the bytes are those of any encoder that does the same.
//!
//! A nested message starts with its length, so everything is written from its end to its start: a length is then known when it is
//! written. There is one writer of a record, of a point, of what stands around them. Who has room for a whole request has
//! it written in one go ([`Logs::encode`], [`Metrics::encode`]). A device has not: it has the lengths counted first, by the same
//! code with room for nothing, and then pulls one record after the other, each written backwards into a small buffer ([`Body::read`],
//! of [`Logs::piece_len_max`] bytes). Whoever owns the destination pulls, so nobody hands the encoder a writer.

mod crash;
mod envelope;
mod logs;
mod metrics;
mod room;

pub use crash::{FINGERPRINT, encode_crash};
pub use logs::Logs;
pub use metrics::{Interval, Metrics};

use crate::records::record::Record;

/// The kind of data a request holds, and so the path it is posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Events, as log records.
    Logs,
    /// Counts and durations.
    Metrics,
}

impl Signal {
    /// The signal that `record` leaves by.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        if record.is_delta() { Self::Metrics } else { Self::Logs }
    }

    /// Returns the path of the signal, relative to a collector's base.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Logs => "v1/logs",
            Self::Metrics => "v1/metrics",
        }
    }
}

/// Why a body gave no piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The next piece does not fit; nothing was taken. Ask again with a buffer of this many bytes.
    BufferTooSmall(usize),
    /// The records are no longer those that were measured; the request can't be completed.
    Changed,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::BufferTooSmall(_) => "the buffer is too small for the next piece",
            Self::Changed => "the records changed while they were being sent",
        })
    }
}

impl core::error::Error for Error {}

/// A request's body: measured, then pulled piece by piece.
#[expect(clippy::len_without_is_empty, reason = "a body is never empty: it has a resource at least")]
pub trait Body {
    /// Length of the whole body, in bytes: its `Content-Length`.
    fn len(&self) -> usize;

    /// Writes the next pieces, as many as fit, to the start of `buffer` and says how long they are; 0 behind the last.
    /// What stands behind them in `buffer` is unspecified.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] where not even one fits: the body then stands where it stood. [`Error::Changed`] where
    /// the records are no longer those that were measured.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;

    /// Starts again at the first piece.
    fn rewind(&mut self);
}

/// Writes the whole of `body` to the start of `buffer` and says how long it is.
///
/// # Errors
///
/// [`Error::BufferTooSmall`] where `buffer` is shorter than [`Body::len`], and nothing is written; and those of
/// [`Body::read`].
pub fn to_slice(body: &mut dyn Body, buffer: &mut [u8]) -> Result<usize, Error> {
    if buffer.len() < body.len() {
        return Err(Error::BufferTooSmall(body.len()));
    }
    body.rewind();
    let mut written: usize = 0;
    loop {
        let free = buffer.get_mut(written..).unwrap_or(&mut []);
        match body.read(free)? {
            0 => return Ok(written),
            len => written = written.saturating_add(len),
        }
    }
}

/// Why [`to_writer`] stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError<E> {
    /// The body gave no piece.
    Body(Error),
    /// The writer failed.
    Writer(E),
}

/// Writes the whole of `body` to `writer`, through `piece`, a buffer of [`Logs::piece_len_max`] bytes or more.
///
/// # Errors
///
/// Those of [`Body::read`] and those of the writer.
pub fn to_writer<W: embedded_io::Write>(
    body: &mut dyn Body,
    writer: &mut W,
    piece: &mut [u8],
) -> Result<(), WriteError<W::Error>> {
    body.rewind();
    loop {
        match body.read(piece).map_err(WriteError::Body)? {
            0 => return Ok(()),
            len => writer.write_all(piece.get(..len).unwrap_or(&[])).map_err(WriteError::Writer)?,
        }
    }
}
