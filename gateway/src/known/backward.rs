//! Protobuf from its end to its start: whatever a length counts has been written by then.

/// Bytes that grow towards their start.
#[derive(Debug)]
pub struct Backward {
    bytes: Vec<u8>,
    at: usize,
}

impl Backward {
    /// Room for `len` bytes; more makes it grow.
    #[must_use]
    pub fn with_room(len: usize) -> Self {
        Self { bytes: vec![0; len], at: len }
    }

    /// How many bytes were written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was written.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// Forgets what was written, and keeps the room.
    pub fn clear(&mut self) {
        self.at = self.bytes.len();
    }

    /// Takes back what was written since `len`.
    pub fn take_back(&mut self, len: usize) {
        self.at = self.bytes.len() - len;
    }

    #[cold]
    fn grow(&mut self, len: usize) {
        let old = std::mem::take(&mut self.bytes);
        let written = &old[self.at..];
        let room = (old.len() * 2).max(written.len() + len + 64);
        self.bytes = vec![0; room];
        let at = room - written.len();
        self.bytes[at..].copy_from_slice(written);
        self.at = at;
    }

    /// Writes `bytes` in front of all.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        if self.at < bytes.len() {
            self.grow(bytes.len());
        }
        let end = self.at;
        self.at -= bytes.len();
        self.bytes[self.at..end].copy_from_slice(bytes);
    }

    /// Writes a number as a varint.
    #[inline]
    pub fn varint(&mut self, mut number: u64) {
        if number < 0x80 {
            return self.put(&[number as u8]);
        }
        let (mut varint, mut len) = ([0; 10], 0);
        while number >= 0x80 {
            varint[len] = number as u8 | 0x80;
            number >>= 7;
            len += 1;
        }
        varint[len] = number as u8;
        self.put(&varint[..=len]);
    }

    /// Writes the field `number` as a varint.
    pub fn number(&mut self, field: u8, number: u64) {
        self.varint(number);
        self.put(&[field << 3]);
    }

    /// Writes the field `number` as eight bytes.
    #[inline]
    pub fn fixed64(&mut self, field: u8, number: u64) {
        let mut bytes = [0; 9];
        bytes[0] = field << 3 | 1;
        bytes[1..].copy_from_slice(&number.to_le_bytes());
        self.put(&bytes);
    }

    /// Writes the start of a message or text of the field `number`: all that was written since `len`.
    #[inline]
    pub fn open(&mut self, field: u8, len: usize) {
        self.varint((self.len() - len) as u64);
        self.put(&[field << 3 | 2]);
    }

    /// Writes the field `number` as a text.
    pub fn text(&mut self, field: u8, text: &str) {
        let len = self.len();
        self.put(text.as_bytes());
        self.open(field, len);
    }

    /// Writes a `KeyValue` of the field `number` whose value is a text.
    pub fn attribute(&mut self, field: u8, key: &str, text: &str) {
        self.attribute_bytes(field, key, text.as_bytes());
    }

    /// The same, of a text in ASCII.
    pub fn attribute_bytes(&mut self, field: u8, key: &str, text: &[u8]) {
        let len = self.len();
        self.put(text);
        self.open(1, len);
        self.open(2, len);
        self.text(1, key);
        self.open(field, len);
    }

    /// Writes a `KeyValue` of the field `number` whose value is a whole number.
    pub fn attribute_number(&mut self, field: u8, key: &[u8], number: u64) {
        let len = self.len();
        self.number(3, number);
        self.open(2, len);
        self.put(key);
        self.open(1, self.len() - key.len());
        self.open(field, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_and_keeps_what_was_written() {
        let mut backward = Backward::with_room(1);
        (0..1_000_u64).rev().for_each(|number| backward.varint(number));
        let mut forward = Vec::new();
        for number in 0..1_000_u64 {
            prost::encoding::encode_varint(number, &mut forward);
        }
        assert_eq!(backward.as_slice(), forward);
    }
}
