//! When: no finer than the schema allows.

/// How coarse a schema's times are. A coarser one says less about a person's habits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Resolution {
    /// One second.
    Second,
    /// One minute; what a schema has unless it says otherwise.
    #[default]
    Minute,
    /// One hour.
    Hour,
    /// One day.
    Day,
}

impl Resolution {
    /// The resolution whose step is of `seconds`, or `None`.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Option<Self> {
        match seconds {
            1 => Some(Self::Second),
            60 => Some(Self::Minute),
            3_600 => Some(Self::Hour),
            86_400 => Some(Self::Day),
            _ => None,
        }
    }

    /// Returns the length of one step, in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

/// A coarse time: whole steps of a [`Resolution`] since 1970-01-01T00:00:00Z. 4 bytes.
///
/// ```
/// use automagik_telemetry_core::time::{Coarse, Resolution};
/// let noon = Coarse::from_unix_seconds(1_761_048_042, Resolution::Minute); // 2025-10-21T12:00:42Z
/// assert_eq!(noon.unix_nanos(Resolution::Minute), 1_761_048_000_000_000_000); // 12:00:00
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coarse(u32);

impl Coarse {
    /// The step that `seconds` since 1970 fall into; the last step where they lie beyond it (year 2106 for
    /// seconds).
    #[must_use]
    #[inline]
    pub const fn from_unix_seconds(seconds: u64, resolution: Resolution) -> Self {
        // One division by a constant each, so that a small target needs no division routine.
        let steps = match resolution {
            Resolution::Second => seconds,
            Resolution::Minute => seconds / 60,
            Resolution::Hour => seconds / 3_600,
            Resolution::Day => seconds / 86_400,
        };
        Self(if steps > u32::MAX as u64 { u32::MAX } else { steps as u32 })
    }

    /// The time of `steps` whole steps since 1970.
    #[must_use]
    pub const fn from_steps(steps: u32) -> Self {
        Self(steps)
    }

    /// Whole steps since 1970.
    #[must_use]
    pub const fn steps(self) -> u32 {
        self.0
    }

    /// Returns the start of this step in nanoseconds since 1970, as OTLP's `time_unix_nano` wants it. The last second that it can
    /// say, in the year 2554, where it lies beyond.
    #[must_use]
    pub const fn unix_nanos(self, resolution: Resolution) -> u64 {
        const LAST_SECOND: u64 = u64::MAX / 1_000_000_000;
        let seconds = (self.0 as u64).wrapping_mul(resolution.seconds() as u64);
        (if seconds < LAST_SECOND { seconds } else { LAST_SECOND }).wrapping_mul(1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_one_step_are_one_time() {
        let minute = |seconds| Coarse::from_unix_seconds(seconds, Resolution::Minute);
        assert_eq!(minute(60), minute(119));
        assert_ne!(minute(119), minute(120));
    }

    #[test]
    fn far_times_saturate() {
        for resolution in [Resolution::Second, Resolution::Minute, Resolution::Hour, Resolution::Day] {
            assert_eq!(Coarse::from_unix_seconds(u64::MAX, resolution).steps(), u32::MAX);
        }
        let last = Coarse::from_steps(u32::MAX).unix_nanos(Resolution::Day);
        assert_eq!(u64::MAX - last, u64::MAX % 1_000_000_000);
    }
}
