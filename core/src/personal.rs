//! Shapes of personal data in constant text: phone numbers, addresses, home folders, keys; and names that ask
//! for it.

#![expect(clippy::arithmetic_side_effects, reason = "counts of characters, at most 64")]

use crate::text::{ends_with, starts_with, strip};

/// Digits in a row that make a phone number, a card number or an account.
const DIGITS_MAX: usize = 6;

/// Digits that make a phone number when single spaces, dashes, dots or brackets stand between them. A date
/// (`2025-10-21`) has eight.
const SPACED_DIGITS_MAX: usize = 8;

/// Hexadecimal digits in a row, one of them a decimal digit, that make a hash, an id or a token.
const HEX_RUN_MAX: usize = 15;

/// Whether enough digits stand together for a phone, card or account number.
pub(crate) const fn phone_number(mut bytes: &[u8]) -> bool {
    let mut in_row = 0;
    let mut spaced = 0;
    let mut gap = 0;
    while let [first, rest @ ..] = bytes {
        match first {
            b'0'..=b'9' => {
                in_row += 1;
                spaced += 1;
                gap = 0;
            }
            b' ' | b'-' | b'.' | b'(' | b')' if gap < 2 => {
                in_row = 0;
                gap += 1;
            }
            _ => {
                in_row = 0;
                spaced = 0;
                gap = 0;
            }
        }
        if in_row > DIGITS_MAX || spaced > SPACED_DIGITS_MAX {
            return true;
        }
        bytes = rest;
    }
    false
}

/// Whether a dotted quad, or hexadecimal groups with at least two colons, stand in `bytes`.
pub(crate) const fn network_address(mut bytes: &[u8]) -> bool {
    let mut quad_parts = 0;
    let mut digits = 0;
    let mut colons = 0;
    let mut hex_only = true;
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
            b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' => {}
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-' => hex_only = false,
            _ => {
                if colons >= 2 && hex_only {
                    return true;
                }
                colons = 0;
                hex_only = true;
            }
        }
        if bytes.is_empty() {
            return false;
        }
        bytes = rest;
    }
}

/// Whether somebody's folder stands in `bytes`. `/Users/{id}` is a route template and may stand.
pub(crate) const fn home_path(mut bytes: &[u8]) -> bool {
    if starts_with(bytes, b"~") {
        return true;
    }
    let mut before = b' ';
    while let [first, rest @ ..] = bytes {
        if *first == b'\\' || starts_with(bytes, b"~/") || starts_with(bytes, b"file:") {
            return true;
        }
        if let Some(behind) = strip(bytes, b"/home/")
            && !matches!(behind, [b'{' | b'<' | b'[' | b':', ..])
        {
            return true;
        }
        if let Some(behind) = strip(bytes, b"/Users/")
            && !matches!(behind, [b'{' | b'<' | b'[' | b':', ..])
        {
            return true;
        }
        if let Some(behind) = strip(bytes, b"/root")
            && matches!(behind, [] | [b'/', ..])
        {
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

/// Whether a well-known key prefix, a UUID or a long run of hexadecimal digits stands in `bytes`.
pub(crate) const fn key(mut bytes: &[u8]) -> bool {
    let mut hex_run = 0;
    let mut hex_digits = 0;
    let mut before = b' ';
    while let [first, rest @ ..] = bytes {
        if !before.is_ascii_alphanumeric() && starts_with_key(bytes) {
            return true;
        }
        match first {
            b'0'..=b'9' => {
                hex_run += 1;
                hex_digits += 1;
            }
            b'a'..=b'f' | b'A'..=b'F' => hex_run += 1,
            // A UUID is one run of 32 with four dashes in it.
            b'-' if hex_run >= 8 => {}
            _ => {
                hex_run = 0;
                hex_digits = 0;
            }
        }
        if hex_run > HEX_RUN_MAX && hex_digits > 0 {
            return true;
        }
        before = *first;
        bytes = rest;
    }
    false
}

/// Prefixes by which the large services mark their keys, and the least that follows them.
const fn starts_with_key(bytes: &[u8]) -> bool {
    const PREFIXES: &[(&[u8], usize)] = &[
        (b"Bearer ", 1),
        (b"bearer ", 1),
        (b"Basic ", 8),
        (b"sk_", 4),
        (b"sk-", 4),
        (b"pk_", 4),
        (b"rk_", 4),
        (b"ghp_", 1),
        (b"gho_", 1),
        (b"ghs_", 1),
        (b"github_pat_", 1),
        (b"glpat-", 1),
        (b"xoxb-", 1),
        (b"xoxp-", 1),
        (b"AKIA", 8),
        (b"ASIA", 12),
        (b"AIza", 8),
        (b"eyJ", 8),
        (b"npm_", 12),
        (b"pypi-", 12),
        (b"-----BEGIN", 0),
    ];
    let mut prefixes = PREFIXES;
    while let [(prefix, least), rest @ ..] = prefixes {
        if let Some(behind) = strip(bytes, prefix)
            && behind.len() >= *least
        {
            return true;
        }
        prefixes = rest;
    }
    false
}

/// Whether a field of this name asks for personal data: it is one of these names, or ends with one of them
/// behind a `_` or `.`, as in `user_email`.
pub(crate) const fn name(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "account",
        "address",
        "age",
        "api_key",
        "birthday",
        "body",
        "card",
        "cert",
        "city",
        "comment",
        "contact",
        "content",
        "cookie",
        "coordinates",
        "credential",
        "credentials",
        "cwd",
        "cvv",
        "date_of_birth",
        "dir",
        "directory",
        "dob",
        "domain",
        "email",
        "e_mail",
        "file",
        "file_name",
        "filename",
        "first_name",
        "folder",
        "full_name",
        "gender",
        "home",
        "host",
        "host_name",
        "hostname",
        "iban",
        "imei",
        "imsi",
        "ip",
        "ip_addr",
        "ipv4",
        "ipv6",
        "last_name",
        "latitude",
        "location",
        "login",
        "longitude",
        "mac",
        "machine_id",
        "mail",
        "message",
        "mobile",
        "msisdn",
        "nickname",
        "passport",
        "passwd",
        "password",
        "path",
        "person",
        "phone",
        "phone_number",
        "postcode",
        "query",
        "recipient",
        "salary",
        "secret",
        "sender",
        "serial",
        "serial_number",
        "session_id",
        "ssn",
        "stack_trace",
        "stacktrace",
        "subject",
        "surname",
        "telephone",
        "text",
        "token",
        "uid",
        "url",
        "uri",
        "user",
        "user_id",
        "user_name",
        "username",
        "uuid",
        "zip",
    ];
    let mut names = NAMES;
    while let [suspicious, rest @ ..] = names {
        if let Some(before) = ends_with(name.as_bytes(), suspicious.as_bytes())
            && matches!(before, [] | [.., b'_' | b'.'])
        {
            return true;
        }
        names = rest;
    }
    false
}
