//! Protobuf from its end to its start.
//!
//! A field's length stands in front of its content. Written backwards, it is known by the time it is written: nothing is measured first
//! and nothing is filled in later. What does not fit is counted on and written nowhere, so a [`Room`] of no bytes measures, by the same
//! code that writes.
//!
//! A tag is a varint of `field << 3 | wire type`; all of ours are below 16, so a tag is one byte.
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

#[cfg(not(target_os = "none"))]
mod slice;
#[cfg(target_os = "none")]
#[path = "room/place.rs"]
mod slice;

use crate::events::field::Value;
pub(super) use slice::Room;

/// Wire types.
pub(super) const VARINT: u8 = 0;
const I64: u8 = 1;
pub(super) const LEN: u8 = 2;

/// `KeyValue { 1 key: string, 2 value: AnyValue }`: an attribute of a record or of the resource.
pub(super) mod key_value {
    pub(in crate::wire::otlp) const KEY: u8 = 1;
    pub(in crate::wire::otlp) const VALUE: u8 = 2;
}
/// `AnyValue { 1 string_value | 2 bool_value | 3 int_value }`.
pub(super) mod any_value {
    pub(in crate::wire::otlp) const STRING: u8 = 1;
    pub(super) const BOOL: u8 = 2;
    pub(super) const INT: u8 = 3;
}

/// Why writing stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is no room.
    #[cfg_attr(target_os = "none", expect(dead_code, reason = "a device has no room that stops"))]
    Full,
    /// The record is not one of the schema.
    NotOfSchema,
}

/// One that goes on where nothing fits.
pub(super) type Counting<'a> = Room<'a, true>;

impl Counting<'_> {
    /// One of no bytes: for measuring.
    pub(super) const fn nowhere() -> Self {
        Self::new(&mut [])
    }

    /// How many bytes would have been written, of a room of none.
    pub(super) const fn measured(&self) -> usize {
        0_usize.wrapping_sub(self.at())
    }
}

impl<const COUNTING: bool> Room<'_, COUNTING> {
    /// Bytes as they are.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        copy(self.slot(bytes.len())?, bytes);
        Ok(())
    }

    /// A number, seven bits a byte.
    #[cfg(not(target_os = "none"))]
    #[inline(always)]
    pub(super) fn varint(&mut self, value: u32) -> Result<(), Stop> {
        if value < 0x80 {
            return self.array([value as u8]);
        }
        let mut rest = value;
        for byte in self.slot(varint_len(value))? {
            let more = if rest >= 0x80 { 0x80 } else { 0 };
            *byte = rest.to_le_bytes()[0] & 0x7F | more;
            rest >>= 7;
        }
        Ok(())
    }

    /// A number, seven bits a byte: the highest that are not 0 first.
    #[cfg(target_os = "none")]
    #[inline(never)]
    pub(super) fn varint(&mut self, value: u32) -> Result<(), Stop> {
        let (mut shift, mut more) = (28_u32, 0);
        loop {
            let rest = value >> (shift & 31);
            if rest != 0 || shift == 0 {
                self.put(&[rest.to_le_bytes()[0] & 0x7F | more])?;
                more = 0x80;
            }
            if shift == 0 {
                return Ok(());
            }
            shift = shift.wrapping_sub(7);
        }
    }

    /// A field of a small unsigned number, a bool or an enum.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn uint(&mut self, field: u8, value: u32) -> Result<(), Stop> {
        self.varint(value)?;
        self.array([tag(field, VARINT)])
    }

    /// A field of eight bytes, little-endian.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn fixed64(&mut self, field: u8, value: u64) -> Result<(), Stop> {
        self.array(value.to_le_bytes())?;
        self.array([tag(field, I64)])
    }

    /// A field of eight bytes, and behind it one of a text shorter than 128 bytes.
    #[inline(always)]
    pub(super) fn fixed64_text(
        &mut self,
        field: u8,
        value: u64,
        behind: u8,
        text: &[u8],
    ) -> Result<(), Stop> {
        if cfg!(target_os = "none") {
            self.text(behind, text)?;
            return self.fixed64(field, value);
        }
        self.put(text)?;
        self.array(fixed64_before(field, value, [tag(behind, LEN), text.len() as u8]))
    }

    /// A field of eight bytes, and behind it one of a number below 128.
    #[inline(always)]
    pub(super) fn fixed64_uint(&mut self, field: u8, value: u64, behind: u8, number: u8) -> Result<(), Stop> {
        if cfg!(target_os = "none") {
            self.uint(behind, u32::from(number))?;
            return self.fixed64(field, value);
        }
        self.array(fixed64_before(field, value, [tag(behind, VARINT), number]))
    }

    /// The start of the field whose content is all that was written since what was written started at `end`.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn open(&mut self, field: u8, end: usize) -> Result<(), Stop> {
        let len = end.wrapping_sub(self.at());
        if cfg!(not(target_os = "none")) && len < 0x80 {
            return self.array([tag(field, LEN), len as u8]);
        }
        // A body is at most 64 MiB.
        self.varint(len as u32)?;
        self.array([tag(field, LEN)])
    }

    /// A field of text.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn text(&mut self, field: u8, text: &[u8]) -> Result<(), Stop> {
        let end = self.at();
        self.put(text)?;
        self.open(field, end)
    }

    /// An attribute as `field` of the message around it; none where the value is absent.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn attribute(&mut self, field: u8, key: &str, value: Value) -> Result<(), Stop> {
        let end = self.at();
        match value {
            Value::Absent => return Ok(()),
            Value::Word(word) => self.text(any_value::STRING, word.as_bytes()),
            Value::Bool(flag) => self.uint(any_value::BOOL, u32::from(flag)),
            Value::Int(number) => self.uint(any_value::INT, number),
        }?;
        self.open(key_value::VALUE, end)?;
        if cfg!(target_os = "none") {
            self.text(key_value::KEY, key.as_bytes())?;
            return self.open(field, end);
        }
        self.put(key.as_bytes())?;
        // A key is 64 bytes at most, so its start is two.
        let len = end.wrapping_sub(self.at()).wrapping_add(2);
        if len < 0x80 {
            return self.array([tag(field, LEN), len as u8, tag(key_value::KEY, LEN), key.len() as u8]);
        }
        self.array([tag(key_value::KEY, LEN), key.len() as u8])?;
        self.open(field, end)
    }
}

/// Copies `from` to a slice of the same length. Names and words are short: two overlapping moves do what a call to `memcpy`
/// takes longer for.
#[cfg(not(target_os = "none"))]
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    macro_rules! halves {
        ($len:literal) => {
            let is_covered = from.len() <= 2 * $len;
            let ends = (from.first_chunk::<$len>(), from.last_chunk::<$len>());
            if let (true, (Some(first), Some(last))) = (is_covered, ends) {
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
fn copy(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(slot, byte)| *slot = *byte);
}

/// A field of eight bytes, and two bytes behind it.
#[inline(always)]
fn fixed64_before(field: u8, value: u64, behind: [u8; 2]) -> [u8; 11] {
    let mut bytes = [tag(field, I64), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let [_, number @ .., first, second] = &mut bytes;
    *number = value.to_le_bytes();
    [*first, *second] = behind;
    bytes
}

/// What a field of this number and wire type starts with.
pub(super) const fn tag(field: u8, wire_type: u8) -> u8 {
    (field << 3) | wire_type
}

/// Length of a field of `len` bytes, its start included.
pub(super) const fn field_len(len: usize) -> usize {
    if len < 0x80 {
        return len.wrapping_add(2);
    }
    len.wrapping_add(varint_len(len as u32)).wrapping_add(1)
}

/// Length of a varint.
const fn varint_len(value: u32) -> usize {
    // Seven bits a byte: 9/64 is a little more than 1/7, and right for all numbers of 1 to 32 bits.
    let bits = u32::BITS.wrapping_sub((value | 1).leading_zeros());
    (bits.wrapping_mul(9).wrapping_add(64) >> 6) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long what was written is, in a slice of `bytes`.
    fn written(room: &Counting<'_>, bytes: usize) -> usize {
        bytes.wrapping_sub(room.at())
    }

    #[test]
    fn varints_are_as_long_as_measured() {
        for shift in 0..32 {
            for value in [(1_u32 << shift).wrapping_sub(1), 1 << shift, u32::MAX] {
                let (mut buffer, mut nowhere) = ([0; 8], Counting::nowhere());
                let mut room = Counting::new(&mut buffer);
                room.varint(value).unwrap();
                nowhere.varint(value).unwrap();
                let lens = (written(&room, 8), written(&nowhere, 0));
                assert_eq!(lens, (varint_len(value), varint_len(value)), "{value}");
            }
        }
    }

    #[test]
    fn nothing_is_written_in_front_of_the_start() {
        let mut buffer = [0xEE; 5];
        let (_, behind) = buffer.split_at_mut(1);
        let mut room = Counting::new(&mut behind[..3]);
        room.text(1, b"ab").unwrap();
        assert_eq!(written(&room, 3), 4);
        room.text(1, b"cd").unwrap();
        assert_eq!(written(&room, 3), 8);
        assert_eq!((buffer[0], buffer[4]), (0xEE, 0xEE));
    }

    #[test]
    fn an_attempt_that_fails_needs_no_room() {
        let mut buffer = [0; 4];
        let mut room = Counting::new(&mut buffer);
        room.text(1, b"ab").unwrap();
        let stopped = room.attempt(|room| {
            room.text(2, b"much longer")?;
            Err(Stop::NotOfSchema)
        });
        assert_eq!(stopped, Err(Stop::NotOfSchema));
        assert_eq!(written(&room, 4), 4);
        assert_eq!(buffer, *b"\x0A\x02ab");
    }

    #[test]
    fn one_that_does_not_count_stops_where_nothing_fits() {
        let mut bytes = [0; 3];
        let mut room = Room::<'_, false>::new(&mut bytes);
        assert_eq!(room.text(1, b"ab"), Err(Stop::Full));
    }
}
