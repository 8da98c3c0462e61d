//! What became of a request, and what follows from it.

/// What a collector answered, or that it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was accepted.
    Accepted,
    /// It was accepted, but for so many records, which the collector will never take: count them as dropped.
    PartlyRefused(u32),
    /// Send it again, after so many seconds where the collector named them (`Retry-After`).
    Retry {
        /// Seconds to wait at least.
        after_seconds: Option<u32>,
    },
    /// It will never be taken: count it as dropped.
    Refused,
}

impl Outcome {
    /// What an HTTP status means to an exporter
    /// ([OTLP 1.x, "OTLP/HTTP response"](https://opentelemetry.io/docs/specs/otlp/#otlphttp-response)).
    ///
    /// ```
    /// use automagik_telemetry_core::Outcome;
    /// assert_eq!(Outcome::from_status(200, None), Outcome::Accepted);
    /// assert_eq!(Outcome::from_status(503, Some(7)), Outcome::Retry { after_seconds: Some(7) });
    /// assert_eq!(Outcome::from_status(400, None), Outcome::Refused);
    /// ```
    #[must_use]
    pub const fn from_status(status: u16, after_seconds: Option<u32>) -> Self {
        match status {
            200..=299 => Self::Accepted,
            429 | 502 | 503 | 504 => Self::Retry { after_seconds },
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_429_502_503_and_504_are_tried_again() {
        for status in 0..=999 {
            let expected = match status {
                200..=299 => Outcome::Accepted,
                429 | 502 | 503 | 504 => Outcome::Retry { after_seconds: None },
                _ => Outcome::Refused,
            };
            assert_eq!(Outcome::from_status(status, None), expected, "{status}");
        }
    }
}
