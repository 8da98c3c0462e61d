//! `KeyValue`: an attribute of a record or of the resource.
//!
//! `KeyValue { 1 key: string, 2 value: AnyValue { 1 string_value | 2 bool_value | 3 int_value } }`

use super::protobuf::{Piece, field_len, uint_len};
use crate::field::Value;

mod field_of {
    pub(super) const KEY: u8 = 1;
    pub(super) const VALUE: u8 = 2;
    pub(super) const STRING: u8 = 1;
    pub(super) const BOOL: u8 = 2;
    pub(super) const INT: u8 = 3;
}

/// Length of `AnyValue`; 0 for an absent one.
const fn value_len(value: Value) -> usize {
    match value {
        Value::Absent => 0,
        Value::Word(word) => field_len(word.len()),
        Value::Bool(flag) => uint_len(flag as u32),
        Value::Int(number) => uint_len(number),
    }
}

const fn key_value_len(key: &str, value_len: usize) -> usize {
    field_len(key.len()).wrapping_add(field_len(value_len))
}

/// Length of [`write`]: 0 for an absent value, which is no attribute.
#[cfg_attr(target_os = "none", inline(never))]
pub(super) const fn len(key: &str, value: Value) -> usize {
    match value {
        Value::Absent => 0,
        _ => field_len(key_value_len(key, value_len(value))),
    }
}

/// Writes an attribute as `field` of the message around it.
#[cfg_attr(target_os = "none", inline(never))]
pub(super) fn write(piece: &mut Piece<'_>, field: u8, key: &str, value: Value) {
    if matches!(value, Value::Absent) {
        return;
    }
    let value_len = value_len(value);
    piece.open(field, key_value_len(key, value_len));
    piece.text(field_of::KEY, key.as_bytes());
    piece.open(field_of::VALUE, value_len);
    match value {
        Value::Absent => {}
        Value::Word(word) => piece.text(field_of::STRING, word.as_bytes()),
        Value::Bool(flag) => piece.uint(field_of::BOOL, u32::from(flag)),
        Value::Int(number) => piece.uint(field_of::INT, number),
    }
}

/// Length of [`write_text`].
#[cfg_attr(target_os = "none", inline(never))]
pub(super) const fn text_len(key: &str, text: &[u8]) -> usize {
    field_len(key_value_len(key, field_len(text.len())))
}

/// Writes an attribute of text as `field` of the message around it.
#[cfg_attr(target_os = "none", inline(never))]
pub(super) fn write_text(piece: &mut Piece<'_>, field: u8, key: &str, text: &[u8]) {
    let value_len = field_len(text.len());
    piece.open(field, key_value_len(key, value_len));
    piece.text(field_of::KEY, key.as_bytes());
    piece.open(field_of::VALUE, value_len);
    piece.text(field_of::STRING, text);
}
