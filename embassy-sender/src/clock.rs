//! What time it is: seconds since 1970 where somebody said so, else since the start. A device has one clock.

use core::sync::atomic::Ordering;
use embassy_time::Instant;
use portable_atomic::AtomicU32;

/// When the device started, in seconds since 1970; 0 where nobody said what time it is.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// It is `seconds` since 1970 now.
pub(crate) fn set(seconds: u32) {
    let uptime = u32::try_from(Instant::now().as_secs()).unwrap_or(u32::MAX);
    STARTED.store(seconds.saturating_sub(uptime), Ordering::Relaxed);
}

/// Seconds since 1970, or since the start where nobody said what time it is.
pub(crate) fn seconds() -> u64 {
    u64::from(STARTED.load(Ordering::Relaxed)).saturating_add(Instant::now().as_secs())
}

/// Seconds since 1970, where somebody said so.
#[cfg(feature = "tls")]
pub(crate) fn unix_seconds() -> Option<u64> {
    started().map(|_| seconds())
}

/// When the device started, in seconds since 1970, where somebody said what time it is.
#[cfg(any(feature = "frames", feature = "tls"))]
pub(crate) fn started() -> Option<u64> {
    let seconds = STARTED.load(Ordering::Relaxed);
    (seconds > 0).then_some(u64::from(seconds))
}
