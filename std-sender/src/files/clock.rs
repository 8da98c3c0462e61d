//! The time of day. A schema's times are no finer than a second, so the coarse clock will do: 3 ns instead of 25.

/// Seconds since 1970; 0 where the clock stands before it.
#[cfg(target_os = "linux")]
pub(crate) fn unix_seconds() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    u64::try_from(now.tv_sec).unwrap_or(0)
}

/// Seconds since 1970; 0 where the clock stands before it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unix_seconds() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}
