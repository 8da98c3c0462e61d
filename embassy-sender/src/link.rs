//! The way to a gateway: whatever carries a frame of some 50 bytes, and perhaps an answer.
//!
//! ```text
//!  Telemetry::run_frames ──► Link ──► Stream (COBS over a UART, TCP, ...) ──► gateway
//!                             ├─────► Datagrams (UDP of embassy-net)
//!                             └─────► yours: two methods, for a radio
//! ```

#[cfg(feature = "udp")]
mod datagrams;
mod stream;

#[cfg(feature = "udp")]
pub use datagrams::Datagrams;
pub use stream::Stream;

/// A link did not do it: the frame is sent again later, or another one is listened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl core::fmt::Display for Broken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the link did not take or give a frame")
    }
}

impl core::error::Error for Broken {}

/// Carries frames. It may lose, repeat and reorder them.
///
/// ```
/// use automagik_telemetry_embassy::{Broken, Link};
/// # struct Radio;
/// # impl Radio {
/// #     async fn transmit(&mut self, _: &[u8]) -> Result<(), ()> { Ok(()) }
/// #     async fn listen(&mut self, _: &mut [u8]) -> Result<usize, ()> { Err(()) }
/// # }
///
/// struct LoRa(Radio);
///
/// impl Link for LoRa {
///     async fn send(&mut self, frame: &[u8]) -> Result<(), Broken> {
///         self.0.transmit(frame).await.map_err(|()| Broken)
///     }
///
///     async fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
///         self.0.listen(buffer).await.map_err(|()| Broken)
///     }
/// }
/// ```
#[expect(async_fn_in_trait, reason = "one task drives it: no caller needs the future to be Send")]
pub trait Link {
    /// Sends `frame`.
    ///
    /// # Errors
    ///
    /// [`Broken`] where it certainly did not leave.
    async fn send(&mut self, frame: &[u8]) -> Result<(), Broken>;

    /// Waits for a frame, puts it at the start of `buffer` and says how long it is. What is longer than `buffer` is no answer, and is
    /// skipped or cut. The future may be dropped while it waits; a frame that has not come by then may be lost. A link that hears nothing waits for ever.
    ///
    /// # Errors
    ///
    /// [`Broken`] where the link must be left alone for a moment.
    async fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Broken>;
}

impl<L: Link> Link for &mut L {
    async fn send(&mut self, frame: &[u8]) -> Result<(), Broken> {
        L::send(self, frame).await
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        L::receive(self, buffer).await
    }
}
