//! Reads a collector's answer, on hosts and devices alike. The bytes may be anything.
//!
//! ```text
//! ExportLogsServiceResponse, ExportMetricsServiceResponse { 1 partial_success { 1 rejected: int64, 2 error_message } }
//! ```

use crate::wire::outcome::Outcome;

/// What the body of an answer with status 2xx says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// All records were accepted, or it does not say otherwise.
    All,
    /// All but this many were accepted. A number beyond 32 bits is [`u32::MAX`].
    But(u32),
    /// A page of HTML or XML. It comes from a captive portal, as in a hotel's network, so the collector did not get the request.
    Page,
}

impl Success {
    /// Reads `body`, or the start of it.
    ///
    /// ```
    /// use automagik_telemetry_core::answer::Success;
    /// assert_eq!(Success::read(b""), Success::All);
    /// assert_eq!(Success::read(&[0x0A, 2, 0x08, 7]), Success::But(7));
    /// assert_eq!(Success::read(b"<!doctype html>"), Success::Page);
    /// ```
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        if is_page(body) {
            return Self::Page;
        }
        let rejected = field_1(body, LEN).and_then(|(len, rest)| {
            let partial = rest.get(..usize::try_from(len).ok()?)?;
            Some(field_1(partial, VARINT)?.0)
        });
        match rejected {
            // A number below 0 is none.
            Some(count @ 1..) if i64::try_from(count).is_ok() => {
                Self::But(u32::try_from(count).unwrap_or(u32::MAX))
            }
            _ => Self::All,
        }
    }

    /// Returns what becomes of the records.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::All => Outcome::Accepted,
            Self::But(count) => Outcome::PartlyRefused(count),
            Self::Page => Outcome::Retry { after_seconds: None },
        }
    }
}

/// Returns whether `bytes` begin a page of HTML or XML: with `<` and a letter, `!` or `?`. JSON does not begin so, and neither does protobuf:
/// a `partial_success` of 60 bytes begins with a line feed and `<`, but a field's key follows.
#[must_use]
pub fn is_page(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    matches!(text, [b'<', b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z', ..])
}

/// Returns the seconds that `Retry-After` asks for, if it is a number (RFC 9110, section 10.2.3). More than 32 bits are [`u32::MAX`].
///
/// ```
/// use automagik_telemetry_core::answer::seconds;
/// assert_eq!(seconds(" 120 "), Some(120));
/// assert_eq!(seconds("99999999999999999999999999"), Some(u32::MAX));
/// assert_eq!(seconds("Wed, 21 Oct 2026 07:28:00 GMT"), None);
/// ```
#[must_use]
pub fn seconds(value: &str) -> Option<u32> {
    let value = value.trim();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| value.parse().unwrap_or(u32::MAX))
}

const VARINT: u64 = 0;
const I64: u64 = 1;
const LEN: u64 = 2;
const I32: u64 = 5;

/// The number of the last field 1 of wire type `kind` in a message, and what follows it; `None` if there is none, or the bytes are no
/// message.
fn field_1(message: &[u8], kind: u64) -> Option<(u64, &[u8])> {
    let (mut rest, mut found) = (message, None);
    while !rest.is_empty() {
        let (key, behind) = varint(rest)?;
        let (number, behind) = match key & 7 {
            VARINT | LEN => varint(behind)?,
            I64 => (8, behind),
            I32 => (4, behind),
            _ => return None,
        };
        if key == 1 << 3 | kind {
            found = Some((number, behind));
        }
        // What is no number stands behind its length.
        rest = if key & 7 == VARINT { behind } else { behind.get(usize::try_from(number).ok()?..)? };
    }
    found
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value: u64 = 0;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        let shift = u32::try_from(at).ok()?.checked_mul(7)?;
        value |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at.checked_add(1)?..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_stand_in_any_order_and_others_are_passed_over() {
        let message = [0x0A, 9, 0x12, 2, b'n', b'o', 0x08, 0x80, 0x01, 0x18, 0x05];
        assert_eq!(Success::read(&message), Success::But(128));
        let after_others = [&[0x15, 1, 2, 3, 4, 0x19, 1, 2, 3, 4, 5, 6, 7, 8][..], &message[..]].concat();
        assert_eq!(Success::read(&after_others), Success::But(128));
    }

    #[test]
    fn more_than_there_could_be_is_all_and_less_than_none_is_none() {
        let of = |count: i64| {
            let (mut body, mut count) = (vec![], count as u64);
            while count >= 0x80 {
                body.push(count as u8 | 0x80);
                count >>= 7;
            }
            body.push(count as u8);
            let message = [&[0x0A, body.len() as u8 + 1, 0x08][..], &body].concat();
            Success::read(&message)
        };
        assert_eq!(of(i64::MAX), Success::But(u32::MAX));
        assert_eq!(of(4_294_967_296), Success::But(u32::MAX));
        assert_eq!((of(-1), of(0)), (Success::All, Success::All));
    }

    #[test]
    fn a_message_of_sixty_bytes_is_no_page() {
        let text = [b'n'; 56];
        let body = [&[0x0A, 60, 0x08, 7, 0x12, 56][..], &text].concat();
        assert_eq!(Success::read(&body), Success::But(7));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer(body: Vec<u8>) {
            let _ = Success::read(&body).outcome();
        }
    }
}
