//! Shapes of personal data in constant text: phone numbers, addresses, home folders, keys; and names that ask
//! for it.

#![expect(clippy::arithmetic_side_effects, reason = "counts of characters, at most 64")]

mod birth;
mod key;
mod name;
mod position;

use crate::words::text::{starts_with, strip};

pub(crate) use birth::date_of_birth;
pub(crate) use key::key;
pub(crate) use name::name;
pub(crate) use position::position;

/// Digits in a row that make a phone number, a card number or an account.
const DIGITS_MAX: usize = 6;

/// Digits that make a phone number when single spaces, dashes, dots or brackets stand between them. A date
/// (`2025-10-21`) has eight.
const SPACED_DIGITS_MAX: usize = 8;

/// Digits behind a `0x` that make an error code and no phone number: 32 bits.
const HEX_CODE_MAX: usize = 8;

/// Whether enough digits stand together for a phone, card or account number. The code `0x80070005` is none, nor is the version
/// `120.0.6099.109`: no number for people has a part that is only `0`.
pub(crate) const fn phone_number(mut bytes: &[u8]) -> bool {
    let mut in_row = 0;
    let mut spaced = 0;
    let mut gap = 0;
    let mut is_version = false;
    let mut before = b' ';
    while let [first, rest @ ..] = bytes {
        let mut next = rest;
        is_version &= first.is_ascii_digit() || *first == b'.';
        match first {
            b'0' if !before.is_ascii_alphanumeric() && hex_code(rest).is_some() => {
                (in_row, spaced, gap) = (0, 0, 0);
                if let Some(behind) = hex_code(rest) {
                    next = behind;
                }
            }
            b'0'..=b'9' => {
                is_version |= *first == b'0' && before == b'.' && matches!(rest, [b'.', ..]);
                in_row += 1;
                spaced = if is_version { 0 } else { spaced + 1 };
                gap = 0;
            }
            b' ' | b'-' | b'.' | b'(' | b')' if gap < 2 => {
                in_row = 0;
                gap += 1;
            }
            _ => (in_row, spaced, gap) = (0, 0, 0),
        }
        if in_row > DIGITS_MAX || spaced > SPACED_DIGITS_MAX {
            return true;
        }
        before = *first;
        bytes = next;
    }
    false
}

/// What follows an `x` and up to eight hexadecimal digits.
const fn hex_code(bytes: &[u8]) -> Option<&[u8]> {
    let [b'x' | b'X', rest @ ..] = bytes else { return None };
    let (mut rest, mut digits) = (rest, 0);
    while let [b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F', behind @ ..] = rest {
        digits += 1;
        rest = behind;
    }
    if digits > 0 && digits <= HEX_CODE_MAX && !matches!(rest, [b'a'..=b'z' | b'A'..=b'Z', ..]) {
        Some(rest)
    } else {
        None
    }
}

/// Colons of a MAC address.
const MAC_COLONS: usize = 5;

/// Whether a dotted quad, or hexadecimal groups with at least two colons, stand in `bytes`.
pub(crate) const fn network_address(mut bytes: &[u8]) -> bool {
    let mut quad_parts = 0;
    let mut digits = 0;
    let mut colons = 0;
    let mut hex_only = true;
    let mut is_number = false;
    loop {
        let (first, rest) = match bytes {
            [first, rest @ ..] => (*first, rest),
            [] => (b' ', bytes),
        };
        match first {
            b'0'..=b'9' => digits += 1,
            b'.' if digits > 0 && digits <= 3 => {
                quad_parts += 1;
                digits = 0;
            }
            _ => {
                if quad_parts >= 3 && digits > 0 && digits <= 3 {
                    return true;
                }
                quad_parts = 0;
                digits = 0;
            }
        }
        match first {
            b':' => colons += 1,
            b'0'..=b'9' => is_number = true,
            b'a'..=b'f' | b'A'..=b'F' => {}
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-' => hex_only = false,
            _ => {
                // `db::add` is a path of code; an address of a machine without any digit has more groups.
                if hex_only && (colons >= 2 && is_number || colons >= MAC_COLONS) {
                    return true;
                }
                colons = 0;
                hex_only = true;
                is_number = false;
            }
        }
        if bytes.is_empty() {
            return false;
        }
        bytes = rest;
    }
}

/// Whether somebody's folder stands in `bytes`. `/Users/{id}` and `GET /home/feed` are routes and may stand.
pub(crate) const fn home_path(mut bytes: &[u8]) -> bool {
    if starts_with(bytes, b"~") {
        return true;
    }
    let mut before = b' ';
    let is_route = is_route(bytes);
    while let [first, rest @ ..] = bytes {
        if *first == b'\\' || starts_with(bytes, b"~/") || starts_with(bytes, b"file:") {
            return true;
        }
        if !is_route && (is_home(strip(bytes, b"/home/")) || is_home(strip(bytes, b"/Users/"))) {
            return true;
        }
        if !is_route && matches!(strip(bytes, b"/root"), Some([] | [b'/', ..])) {
            return true;
        }
        let drive = first.is_ascii_alphabetic() && !before.is_ascii_alphanumeric();
        if drive && matches!(rest, [b':', b'/' | b'\\', ..]) {
            return true;
        }
        before = *first;
        bytes = rest;
    }
    false
}

/// Whether a name follows, and not a placeholder.
const fn is_home(behind: Option<&[u8]>) -> bool {
    matches!(behind, Some(behind) if !matches!(behind, [b'{' | b'<' | b'[' | b':', ..]))
}

/// Whether a method of HTTP and a path stand first.
const fn is_route(bytes: &[u8]) -> bool {
    const METHODS: &[&[u8]] =
        &[b"GET /", b"PUT /", b"POST /", b"HEAD /", b"PATCH /", b"DELETE /", b"OPTIONS /"];
    let mut methods = METHODS;
    while let [method, rest @ ..] = methods {
        if starts_with(bytes, method) {
            return true;
        }
        methods = rest;
    }
    false
}
