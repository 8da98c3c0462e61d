//! Sentences composed during const evaluation.
//!
//! A const panic prints one `&str` and nothing else. So that an error can name the word, the field
//! and the rule, the sentence is put together here, in a fixed array, at compile time.

/// Longest sentence, in bytes; what does not fit is cut.
const LEN_MAX: usize = 384;

/// What is wrong with a vocabulary, as a sentence for the developer who wrote it.
///
/// ```
/// use automagik_telemetry_core::word;
/// let fault = word::fault("alice@example.org").unwrap();
/// assert!(fault.as_str().starts_with("the word `alice@example.org`"));
/// ```
#[derive(Clone, Copy)]
pub struct Message {
    bytes: [u8; LEN_MAX],
    len: usize,
}

impl Message {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; LEN_MAX], len: 0 }
    }

    /// The sentence so far, and `text` behind it.
    #[must_use]
    pub(crate) const fn and(mut self, text: &str) -> Self {
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            let Some((_, free)) = self.bytes.split_at_mut_checked(self.len) else { break };
            let [slot, ..] = free else { break };
            *slot = *first;
            self.len = self.len.saturating_add(1);
            rest = tail;
        }
        self
    }

    /// The sentence so far, and `number` in decimal behind it.
    #[must_use]
    pub(crate) const fn and_number(self, number: u64) -> Self {
        let before = if number >= 10 { self.and_number(number / 10) } else { self };
        match core::str::from_utf8(&[b'0'.saturating_add((number % 10) as u8)]) {
            Ok(text) => before.and(text),
            Err(_) => before,
        }
    }

    /// Returns the sentence.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match self.bytes.split_at_checked(self.len) {
            Some((text, _)) => match core::str::from_utf8(text) {
                Ok(text) => text,
                Err(_) => "a sentence cut inside a character",
            },
            None => "",
        }
    }
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
