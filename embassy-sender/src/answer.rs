//! A collector's answer: its status, how long to wait, how many records it refused. Bounded, whatever comes.

use automagik_telemetry_core::Outcome;
use automagik_telemetry_core::answer::{self, Success};
use embedded_io_async::Read;

/// Most headers that are looked at. Where there are more, what they ask for is not honoured; the status is.
const HEADERS_MAX: usize = 16;

/// What a collector answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    after_seconds: Option<u32>,
    /// Length of the head, where all of it was read.
    len: Option<usize>,
}

/// Reads an answer through `buffer` and says what it means; `None` if it is none.
pub(crate) async fn read<R: Read>(connection: &mut R, buffer: &mut [u8]) -> Option<Outcome> {
    let mut filled: usize = 0;
    let head = loop {
        let free = buffer.get_mut(filled..).filter(|free| !free.is_empty());
        let len = match free {
            Some(free) => connection.read(free).await.ok()?,
            None => 0,
        };
        filled = filled.checked_add(len)?;
        let head = head(buffer.get(..filled)?)?;
        match head {
            Some(head) if head.len.is_some() || len == 0 => break head,
            _ if len == 0 => return None,
            _ => {}
        }
    };
    let outcome = Outcome::from_status(head.status, head.after_seconds);
    let (Outcome::Accepted, Some(start)) = (outcome, head.len) else { return Some(outcome) };
    // What an answer of success says of refused records; it stays a success whatever else it holds.
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match connection.read(free).await {
            Ok(len @ 1..) => filled = filled.saturating_add(len),
            _ => break,
        }
    }
    let body = buffer.get(start..filled).unwrap_or(&[]);
    Some(Success::read(body).outcome())
}

/// What `bytes` hold of an answer's head: `None` if they are none, `Some(None)` where even the status is to come.
fn head(bytes: &[u8]) -> Option<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut headers);
    let len = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => Some(len),
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => None,
        Err(_) => return None,
    };
    let Some(status) = parsed.code else { return Some(None) };
    let after_seconds = len.and_then(|_| {
        let header = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case("retry-after"))?;
        // A date needs a clock that the device may not have: core's own waits are used instead.
        answer::seconds(core::str::from_utf8(header.value).ok()?)
    });
    Some(Some(Head { status, after_seconds, len }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use embassy_futures::block_on;
    use std::vec::Vec;

    const AGAIN: Outcome = Outcome::Retry { after_seconds: None };

    /// Gives its bytes in pieces of so many.
    struct Pieces<'a>(&'a [u8], usize);

    impl embedded_io_async::ErrorType for Pieces<'_> {
        type Error = core::convert::Infallible;
    }

    impl Read for Pieces<'_> {
        async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
            let len = self.0.len().min(buffer.len()).min(self.1);
            let (now, later) = self.0.split_at(len);
            buffer[..len].copy_from_slice(now);
            self.0 = later;
            Ok(len)
        }
    }

    fn outcome(answer: &[u8]) -> Option<Outcome> {
        let whole = block_on(read(&mut Pieces(answer, usize::MAX), &mut [0; 256]));
        for piece in [1, 7] {
            assert_eq!(block_on(read(&mut Pieces(answer, piece), &mut [0; 256])), whole);
        }
        whole
    }

    #[test]
    fn the_status_decides() {
        assert_eq!(outcome(b"HTTP/1.1 200 OK\r\n\r\n"), Some(Outcome::Accepted));
        assert_eq!(outcome(b"HTTP/1.1 503 Busy\r\n\r\n"), Some(AGAIN));
        assert_eq!(outcome(b"HTTP/1.1 400 Bad\r\ncontent-length: 3\r\n\r\nabc"), Some(Outcome::Refused));
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        let asked = Outcome::Retry { after_seconds: Some(7) };
        assert_eq!(outcome(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\n\r\n"), Some(asked));
        let date = b"HTTP/1.1 429 Slow\r\nretry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n";
        assert_eq!(outcome(date), Some(AGAIN));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for bytes in [&b""[..], b"HTTP/1.1", b"SSH-2.0-OpenSSH\r\n", b"\x16\x03\x01\x02\x00"] {
            assert_eq!(outcome(bytes), None, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_head_of_any_length_gives_its_status() {
        let mut long = b"HTTP/1.1 200 OK\r\n".to_vec();
        (0..100).for_each(|_| long.extend(b"X-Filler: 0123456789\r\n"));
        assert_eq!(outcome(&long), Some(Outcome::Accepted));
    }

    #[test]
    fn refused_records_are_counted() {
        let answer = |body: &[u8]| -> Vec<u8> { [&b"HTTP/1.1 200 OK\r\n\r\n"[..], body].concat() };
        assert_eq!(outcome(&answer(&[0x0A, 2, 0x08, 3])), Some(Outcome::PartlyRefused(3)));
        assert_eq!(outcome(&answer(&[0x0A, 3, 0x08, 0xAC, 0x02])), Some(Outcome::PartlyRefused(300)));
        for body in [&b"{}"[..], &[0x0A, 0], &[0x0A, 9, 0x08], &[0x0A, 2, 0x08, 0], &[0xFF; 20]] {
            assert_eq!(outcome(&answer(body)), Some(Outcome::Accepted), "{}", body.escape_ascii());
        }
    }
}
