//! Protobuf from its end to its start, for who has a request's records and room for all of it.
//!
//! A field's length stands in front of it. Written backwards, it is known by the time it is written, so nothing is measured, and
//! nothing is left open and filled in later.

use super::attribute::{any_value, key_value};
use super::protobuf::{I64, LEN, VARINT, copy, tag, varint_len};
use crate::field::Value;

/// Why nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is no room for it.
    Full,
    /// The record is not one of the schema.
    NotOfSchema,
}

/// The free part of a slice, behind which everything is written.
pub(super) struct Room<'a>(&'a mut [u8]);

impl<'a> Room<'a> {
    pub(super) const fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are free.
    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The first `len` bytes of it, for something that may be written over.
    #[inline(always)]
    pub(super) fn first(&mut self, len: usize) -> Room<'_> {
        Room(self.0.get_mut(..len).unwrap_or(&mut []))
    }

    /// The first `len` bytes of it, behind which something was written.
    #[inline(always)]
    pub(super) fn into_first(self, len: usize) -> Self {
        Self(self.0.get_mut(..len).unwrap_or(&mut []))
    }

    /// So many bytes as they are.
    #[inline(always)]
    pub(super) fn array<const N: usize>(self, bytes: [u8; N]) -> Result<Self, Stop> {
        let (free, slot) = self.0.split_last_chunk_mut().ok_or(Stop::Full)?;
        *slot = bytes;
        Ok(Self(free))
    }

    /// Bytes as they are.
    #[inline(always)]
    pub(super) fn put(self, bytes: &[u8]) -> Result<Self, Stop> {
        let start = self.0.len().checked_sub(bytes.len()).ok_or(Stop::Full)?;
        let (free, slot) = self.0.split_at_mut_checked(start).ok_or(Stop::Full)?;
        copy(slot, bytes);
        Ok(Self(free))
    }

    /// A number, seven bits a byte.
    #[inline(always)]
    pub(super) fn varint(self, value: u32) -> Result<Self, Stop> {
        if value < 0x80 {
            return self.array([value as u8]);
        }
        let start = self.0.len().checked_sub(varint_len(value)).ok_or(Stop::Full)?;
        let (free, slot) = self.0.split_at_mut_checked(start).ok_or(Stop::Full)?;
        let mut rest = value;
        for byte in slot {
            let more = if rest >= 0x80 { 0x80 } else { 0 };
            *byte = rest.to_le_bytes()[0] & 0x7F | more;
            rest >>= 7;
        }
        Ok(Self(free))
    }

    /// A field of a small unsigned number, a bool or an enum.
    #[inline(always)]
    pub(super) fn uint(self, field: u8, value: u32) -> Result<Self, Stop> {
        self.varint(value)?.array([tag(field, VARINT)])
    }

    /// A field of eight bytes, little-endian.
    #[inline(always)]
    pub(super) fn number(self, field: u8, value: u64) -> Result<Self, Stop> {
        self.array(value.to_le_bytes())?.array([tag(field, I64)])
    }

    /// A field of eight bytes, little-endian, and two bytes behind it as they are.
    #[inline(always)]
    pub(super) fn fixed64(self, field: u8, value: u64, behind: [u8; 2]) -> Result<Self, Stop> {
        let (free, slot) = self.0.split_last_chunk_mut::<11>().ok_or(Stop::Full)?;
        let [tag_slot, value_slot @ .., first, second] = slot;
        *tag_slot = tag(field, I64);
        *value_slot = value.to_le_bytes();
        [*first, *second] = behind;
        Ok(Self(free))
    }

    /// The start of the field whose content is all that was written since `end` bytes were free.
    #[inline(always)]
    pub(super) fn open(self, field: u8, end: usize) -> Result<Self, Stop> {
        let len = end.wrapping_sub(self.len());
        if len < 0x80 {
            return self.array([tag(field, LEN), len as u8]);
        }
        self.varint(u32::try_from(len).map_err(|_| Stop::Full)?)?.array([tag(field, LEN)])
    }

    /// A field of text.
    #[inline(always)]
    pub(super) fn text(self, field: u8, text: &[u8]) -> Result<Self, Stop> {
        let end = self.len();
        self.put(text)?.open(field, end)
    }

    /// An attribute as `field` of the message around it; none where the value is absent.
    #[inline(always)]
    pub(super) fn attribute(self, field: u8, key: &str, value: Value) -> Result<Self, Stop> {
        let end = self.len();
        let room = match value {
            Value::Absent => return Ok(self),
            Value::Word(word) => self.text(any_value::STRING, word.as_bytes()),
            Value::Bool(flag) => self.array([tag(any_value::BOOL, VARINT), u8::from(flag)]),
            Value::Int(number) => self.uint(any_value::INT, number),
        }?;
        let room = room.open(key_value::VALUE, end)?.put(key.as_bytes())?;
        // A key is 64 bytes at most, so its start is two.
        let len = end.wrapping_sub(room.len()).wrapping_add(2);
        if len < 0x80 {
            return room.array([tag(field, LEN), len as u8, tag(key_value::KEY, LEN), key.len() as u8]);
        }
        room.array([tag(key_value::KEY, LEN), key.len() as u8])?.open(field, end)
    }
}
