//! Protobuf's wire format, as far as OTLP needs it.
//!
//! A tag is a varint of `field << 3 | wire type`; all of ours are below 16, so a tag is one byte.
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

/// Wire types.
pub(super) const VARINT: u8 = 0;
pub(super) const I64: u8 = 1;
pub(super) const LEN: u8 = 2;

// Lengths are added without a check: a request is at most 64 MiB, and what would not fit is found by `Piece::fits`.

/// Writes to the start of a slice. It goes on counting behind the slice's end, and writes nothing there.
pub(super) struct Piece<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl<'a> Piece<'a> {
    pub(super) const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, len: 0 }
    }

    /// Whether all that was written found room.
    pub(super) const fn fits(&self) -> bool {
        self.len <= self.bytes.len()
    }

    /// How many bytes were written, or are wanted where they did not find room.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Leaves room for the start of a field whose length is not known yet, short as most are.
    pub(super) const fn begin(&mut self) -> usize {
        let start = self.len;
        self.len = start.wrapping_add(2);
        start
    }

    /// Takes back all that was written since [`begin`](Piece::begin) gave `start`.
    pub(super) const fn cancel(&mut self, start: usize) {
        self.len = start;
    }

    /// The field that began at `start` ends here, at most 16,383 bytes long: writes its tag and its length in front of it.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline)]
    pub(super) fn end(&mut self, start: usize, field: u8) {
        let content = start.wrapping_add(2);
        let len = self.len.wrapping_sub(content);
        let mut end = self.len;
        if len >= 0x80 {
            // Rare: a length of two bytes, for which what follows moves on.
            move_on(self.bytes, content, end);
            end = end.wrapping_add(1);
        }
        self.len = start;
        self.open(field, len);
        self.len = end;
    }

    /// Bytes as they are.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = self.len.wrapping_add(bytes.len());
        if let Some(free) = self.bytes.get_mut(self.len..end) {
            copy(free, bytes);
        }
        self.len = end;
    }

    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn byte(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.len) {
            *free = byte;
        }
        self.len = self.len.wrapping_add(1);
    }

    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.byte(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.byte(value.to_le_bytes()[0]);
    }

    /// A field of a small unsigned number, a bool or an enum.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn uint(&mut self, field: u8, value: u32) {
        self.byte(tag(field, VARINT));
        self.varint(value);
    }

    /// A field of eight bytes, little-endian.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn fixed64(&mut self, field: u8, value: u64) {
        self.byte(tag(field, I64));
        self.put(&value.to_le_bytes());
    }

    /// Eight bytes of a packed field, little-endian.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn packed64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    /// The start of a field of `len` bytes: a message whose fields follow, or text.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn open(&mut self, field: u8, len: usize) {
        #[cfg(not(target_os = "none"))]
        if let (0..0x80, Ok(short)) = (len, u8::try_from(len)) {
            return self.put(&[tag(field, LEN), short]);
        }
        self.byte(tag(field, LEN));
        // A body is at most 64 MiB.
        self.varint(u32::try_from(len).unwrap_or(u32::MAX));
    }

    /// A field of text.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn text(&mut self, field: u8, text: &[u8]) {
        self.open(field, text.len());
        self.put(text);
    }
}

/// Copies `from` to a slice of the same length. Names and words are short: two overlapping moves do what a call to `memcpy`
/// takes longer for.
#[cfg(not(target_os = "none"))]
#[inline(always)]
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    macro_rules! halves {
        ($len:literal) => {
            if let (Some(first), Some(last)) = (from.first_chunk::<$len>(), from.last_chunk::<$len>())
                && from.len() <= 2 * $len
            {
                if let Some(slot) = to.first_chunk_mut() {
                    *slot = *first;
                }
                if let Some(slot) = to.last_chunk_mut() {
                    *slot = *last;
                }
                return;
            }
        };
    }
    halves!(8);
    halves!(16);
    halves!(4);
    halves!(2);
    to.iter_mut().zip(from).for_each(|(slot, byte)| *slot = *byte);
}

/// Copies `from` to a slice of the same length. A loop is the smallest.
#[cfg(target_os = "none")]
#[inline(always)]
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(slot, byte)| *slot = *byte);
}

/// Moves the bytes from `start` to `end` one further, those that are there.
#[cfg(not(target_os = "none"))]
fn move_on(bytes: &mut [u8], start: usize, end: usize) {
    if let Some(bytes) = bytes.get_mut(start..=end) {
        bytes.copy_within(..bytes.len().saturating_sub(1), 1);
    }
}

/// Moves the bytes from `start` to `end` one further, those that are there. A loop is the smallest.
#[cfg(target_os = "none")]
#[inline(always)]
fn move_on(bytes: &mut [u8], start: usize, end: usize) {
    let (mut at, mut moved) = (start, 0);
    while at <= end {
        if let Some(slot) = bytes.get_mut(at) {
            moved = core::mem::replace(slot, moved);
        }
        at = at.wrapping_add(1);
    }
}

/// What a field of this number and wire type starts with.
pub(super) const fn tag(field: u8, wire_type: u8) -> u8 {
    (field << 3) | wire_type
}

/// Length of [`Piece::uint`].
pub(super) const fn uint_len(value: u32) -> usize {
    varint_len(value).wrapping_add(1)
}

/// Length of [`Piece::fixed64`].
pub(super) const FIXED64_LEN: usize = 9;

/// Length of a field of `len` bytes, its start included.
#[cfg_attr(target_os = "none", inline(never))]
pub(super) const fn field_len(len: usize) -> usize {
    if len < 0x80 {
        return len.wrapping_add(2);
    }
    let varint = varint_len(if len > u32::MAX as usize { u32::MAX } else { len as u32 });
    len.wrapping_add(varint).wrapping_add(1)
}

/// Length of a varint.
pub(super) const fn varint_len(value: u32) -> usize {
    // Seven bits a byte: 9/64 is a little more than 1/7, and right for all numbers of 1 to 32 bits.
    let bits = u32::BITS.wrapping_sub((value | 1).leading_zeros());
    (bits.wrapping_mul(9).wrapping_add(64) >> 6) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_as_long_as_measured() {
        for shift in 0..32 {
            for value in [(1_u32 << shift).wrapping_sub(1), 1 << shift, u32::MAX] {
                let mut buffer = [0; 8];
                let mut piece = Piece::new(&mut buffer);
                piece.varint(value);
                assert_eq!((piece.fits(), piece.len()), (true, varint_len(value)), "{value}");
            }
        }
    }

    #[test]
    fn nothing_is_written_behind_the_end() {
        let mut buffer = [0xEE; 4];
        let mut piece = Piece::new(&mut buffer[..3]);
        piece.text(1, b"ab");
        assert_eq!((piece.fits(), piece.len()), (false, 4));
        assert_eq!(buffer[3], 0xEE);
    }
}
