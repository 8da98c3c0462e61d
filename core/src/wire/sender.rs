//! A transport: takes a body, says what became of it.

use crate::wire::otlp::{Body, Signal};
use crate::wire::outcome::Outcome;

/// Something that brings a request to a collector. The one trait that a new transport implements.
///
/// ```
/// use automagik_telemetry_core::otlp::{Body, Signal};
/// use automagik_telemetry_core::{Outcome, Sender};
///
/// /// Writes each request's length and bytes to a line of some kind.
/// struct Line<W>(W);
///
/// impl<W: embedded_io::Write> Sender for Line<W> {
///     async fn send(&mut self, _signal: Signal, body: &mut dyn Body) -> Outcome {
///         let len = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
///         if self.0.write_all(&len).is_err() {
///             return Outcome::Retry { after_seconds: None };
///         }
///         let mut piece = [0; 512];
///         loop {
///             match body.read(&mut piece) {
///                 Ok(0) => return Outcome::Accepted,
///                 Ok(len) if self.0.write_all(&piece[..len]).is_ok() => {}
///                 _ => return Outcome::Retry { after_seconds: None },
///             }
///         }
///     }
/// }
/// ```
pub trait Sender {
    /// Sends `body` to the collector's place for `signal`. It may read the body again from its start
    /// ([`Body::rewind`]).
    #[expect(
        async_fn_in_trait,
        reason = "no caller needs the future to be Send: one thread or task drives it"
    )]
    async fn send(&mut self, signal: Signal, body: &mut dyn Body) -> Outcome;
}
