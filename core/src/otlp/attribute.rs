//! `KeyValue`: an attribute of a record or of the resource.
//!
//! `KeyValue { 1 key: string, 2 value: AnyValue { 1 string_value | 2 bool_value | 3 int_value } }`

use super::protobuf::{Piece, field_len, uint_len};
use crate::field::{Domain, Value};
use crate::word::{NAME_LEN_MAX, WORD_LEN_MAX};

pub(super) mod key_value {
    pub(in crate::otlp) const KEY: u8 = 1;
    pub(in crate::otlp) const VALUE: u8 = 2;
}
pub(super) mod any_value {
    pub(in crate::otlp) const STRING: u8 = 1;
    pub(in crate::otlp) const BOOL: u8 = 2;
    pub(in crate::otlp) const INT: u8 = 3;
}

/// Length of [`write`]: 0 for an absent value, which is no attribute.
pub(super) const fn len(key: &str, value: Value) -> usize {
    match value {
        Value::Absent => 0,
        Value::Word(word) => text_len(key.len(), word.len()),
        Value::Bool(_) => len_around(key.len(), 2),
        Value::Int(number) => len_around(key.len(), uint_len(number)),
    }
}

/// Length of [`write`] for a key and a word of so many bytes.
pub(super) const fn text_len(key_len: usize, word_len: usize) -> usize {
    len_around(key_len, word_len.wrapping_add(2))
}

/// Length of an attribute around an `AnyValue` of `value_len` bytes.
const fn len_around(key_len: usize, value_len: usize) -> usize {
    // Names and words are 64 bytes at most, so the lengths inside are one byte; only that of the whole may take two.
    const { assert!(NAME_LEN_MAX < 0x80 && WORD_LEN_MAX + 2 < 0x80) }
    field_len(key_len.wrapping_add(value_len).wrapping_add(4))
}

/// Writes the attribute `key` of the value of `ordinal` as `field` of the message around it, an absent one not at all; says
/// whether there is such a value.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline)]
pub(super) fn write(piece: &mut Piece<'_>, field: u8, key: &str, domain: &Domain, ordinal: u32) -> bool {
    let Some(value) = domain.value(ordinal) else { return false };
    if matches!(value, Value::Absent) {
        return true;
    }
    let started = start(piece, key);
    match value {
        Value::Absent => {}
        Value::Word(word) => piece.text(any_value::STRING, word.as_bytes()),
        Value::Bool(flag) => piece.uint(any_value::BOOL, u32::from(flag)),
        Value::Int(number) => piece.uint(any_value::INT, number),
    }
    end(piece, started, field);
    true
}

/// Writes an attribute of text as `field` of the message around it.
#[cfg_attr(target_os = "none", inline(never))]
pub(super) fn write_text(piece: &mut Piece<'_>, field: u8, key: &str, text: &str) {
    let started = start(piece, key);
    piece.text(any_value::STRING, text.as_bytes());
    end(piece, started, field);
}

/// Where an attribute and its value start.
type Started = (usize, usize);

#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn start(piece: &mut Piece<'_>, key: &str) -> Started {
    let attribute = piece.begin();
    piece.text(key_value::KEY, key.as_bytes());
    (attribute, piece.begin())
}

#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn end(piece: &mut Piece<'_>, (attribute, value): Started, field: u8) {
    piece.end(value, key_value::VALUE);
    piece.end(attribute, field);
}
