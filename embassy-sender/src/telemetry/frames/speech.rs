//! How a device speaks: over which link, sealed with which key, how often.

use crate::link::Link;
use automagik_telemetry_core::frames::{Boot, Key};
use embassy_time::Duration;

/// How a device speaks to its gateway.
///
/// ```
/// use automagik_telemetry_core::frames::{Boot, Key};
/// use automagik_telemetry_embassy::{Frames, Link};
/// use embassy_time::Duration;
///
/// fn frames<L: Link>(link: L, key: [u8; 16], mut random: impl FnMut(&mut [u8])) -> Frames<L, impl FnMut() -> Boot> {
///     let boots = move || {
///         let mut bytes = [0; 8];
///         random(&mut bytes);
///         Boot::random(bytes)
///     };
///     // A radio that may send one frame in six seconds.
///     Frames::new(link, Key::new(key), boots).pause(Duration::from_secs(6))
/// }
/// ```
pub struct Frames<L, B> {
    pub(super) link: L,
    pub(super) key: Key,
    pub(super) boots: B,
    pub(super) hello_every: Option<u32>,
    pub(super) pause: Duration,
    pub(super) patience: Duration,
    pub(super) has_own_key: bool,
}

impl<L: Link, B: FnMut() -> Boot> Frames<L, B> {
    /// Over `link`, sealed with `key`. `boots` gives a number that no session had before, at the start and each day: see [`Boot`].
    ///
    /// A frame is sent until it is acknowledged, and its records are kept until then.
    pub const fn new(link: L, key: Key, boots: B) -> Self {
        let (pause, patience) = (Duration::from_ticks(0), Duration::from_secs(5));
        Self { link, key, boots, hello_every: None, pause, patience, has_own_key: false }
    }

    /// Over a link without answers: each frame is sent once, and who speaks is said again every `hello_every` frames. What is lost the gateway counts and
    /// tells.
    #[must_use]
    pub const fn one_way(mut self, hello_every: u32) -> Self {
        self.hello_every = Some(hello_every);
        self
    }

    /// Waits so long between two frames, as a radio's duty cycle asks.
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Waits so long for an acknowledgement before a frame is sent again: five seconds unless you say otherwise.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The key is this device's alone: a hint tells the gateway which it is.
    #[must_use]
    pub const fn own_key(mut self) -> Self {
        self.has_own_key = true;
        self
    }
}

impl<L, B> core::fmt::Debug for Frames<L, B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Frames")
    }
}
