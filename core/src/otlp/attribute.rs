//! `KeyValue`: an attribute of a record or of the resource.
//!
//! `KeyValue { 1 key: string, 2 value: AnyValue { 1 string_value | 2 bool_value | 3 int_value } }`
//!
//! Names and words are 64 bytes at most, so every length inside is one byte; only that of the whole may take two.

use super::protobuf::{LEN, Piece, VARINT, field_len, tag, varint_len};
use crate::field::Value;
use crate::word::{NAME_LEN_MAX, WORD_LEN_MAX};

mod key_value {
    pub(super) const KEY: u8 = 1;
    pub(super) const VALUE: u8 = 2;
}
mod any_value {
    pub(super) const STRING: u8 = 1;
    pub(super) const BOOL: u8 = 2;
    pub(super) const INT: u8 = 3;
}

const _: () = assert!(NAME_LEN_MAX < 0x80 && WORD_LEN_MAX + 2 < 0x80);

/// Length of `AnyValue`; 0 for an absent one.
#[inline]
const fn value_len(value: Value) -> usize {
    match value {
        Value::Absent => 0,
        Value::Word(word) => word.len().wrapping_add(2),
        Value::Bool(_) => 2,
        Value::Int(number) => varint_len(number).wrapping_add(1),
    }
}

/// Length of `KeyValue` around a value of `value_len` bytes.
#[inline]
const fn key_value_len(key: &str, value_len: usize) -> usize {
    key.len().wrapping_add(value_len).wrapping_add(4)
}

/// Length of [`write`]: 0 for an absent value, which is no attribute.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline)]
pub(super) const fn len(key: &str, value: Value) -> usize {
    match value {
        Value::Absent => 0,
        _ => field_len(key_value_len(key, value_len(value))),
    }
}

/// Writes an attribute as `field` of the message around it.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline)]
pub(super) fn write(piece: &mut Piece<'_>, field: u8, key: &str, value: Value) {
    let (kind, number) = match value {
        Value::Absent => return,
        Value::Word(word) => return write_text(piece, field, key, word.as_bytes()),
        Value::Bool(flag) => (any_value::BOOL, u32::from(flag)),
        Value::Int(number) => (any_value::INT, number),
    };
    let value_len = value_len(value);
    open(piece, field, key, value_len);
    piece.put(&[tag(key_value::VALUE, LEN), byte(value_len), tag(kind, VARINT)]);
    piece.varint(number);
}

/// The start of a `KeyValue` and its key.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn open(piece: &mut Piece<'_>, field: u8, key: &str, value_len: usize) {
    let len = key_value_len(key, value_len);
    let (field, key_tag, key_len) = (tag(field, LEN), tag(key_value::KEY, LEN), byte(key.len()));
    if len < 0x80 {
        piece.put(&[field, byte(len), key_tag, key_len]);
    } else {
        piece.put(&[field, byte(len) | 0x80, byte(len >> 7), key_tag, key_len]);
    }
    piece.put(key.as_bytes());
}

/// The lowest eight bits.
#[inline]
const fn byte(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

/// Length of [`write_text`].
#[cfg_attr(target_os = "none", inline(never))]
pub(super) const fn text_len(key: &str, text: &[u8]) -> usize {
    field_len(key_value_len(key, text.len().wrapping_add(2)))
}

/// Writes an attribute of text as `field` of the message around it.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline)]
pub(super) fn write_text(piece: &mut Piece<'_>, field: u8, key: &str, text: &[u8]) {
    let value_len = text.len().wrapping_add(2);
    open(piece, field, key, value_len);
    piece.put(&[tag(key_value::VALUE, LEN), byte(value_len), tag(any_value::STRING, LEN), byte(text.len())]);
    piece.put(text);
}
