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
    /// It is too large for the collector: send its records in smaller requests. One that can't be made smaller is refused.
    TooLarge,
    /// It will never be taken: count it as dropped.
    Refused,
}

impl Outcome {
    /// What an HTTP status means to an exporter
    /// ([OTLP 1.x, "OTLP/HTTP response"](https://opentelemetry.io/docs/specs/otlp/#otlphttp-response)).
    ///
    /// Beside the four statuses that OTLP has sent again, these are no answer to the request, but to whoever sends it, and
    /// somebody can mend that: a missing or wrong key (401, 407), and a network or a server that sends us elsewhere (3xx, 511).
    /// Too large a request (413) is sent again in parts.
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
            300..=399 | 401 | 407 | 429 | 502..=504 | 511 => Self::Retry { after_seconds },
            413 => Self::TooLarge,
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_what_somebody_can_mend_is_tried_again() {
        for status in 0..=999 {
            let expected = match status {
                200..=299 => Outcome::Accepted,
                429 | 502 | 503 | 504 => Outcome::Retry { after_seconds: None },
                300..=399 | 401 | 407 | 511 => Outcome::Retry { after_seconds: None },
                413 => Outcome::TooLarge,
                _ => Outcome::Refused,
            };
            assert_eq!(Outcome::from_status(status, None), expected, "{status}");
        }
    }
}
