//! Keys and tokens, and their heads.

#![expect(clippy::arithmetic_side_effects, reason = "counts of characters, at most 64")]

use crate::words::text::strip;

/// Hexadecimal digits in a row, one of them a decimal digit, that make a hash, an id or a token.
const HEX_RUN_MAX: usize = 15;

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

/// What must follow a prefix of a key.
enum Tail {
    /// So many letters and digits at least.
    Long(usize),
    /// The same, and a digit or a capital behind the first of them: `Basic authentication` is no key.
    Mixed(usize),
}

/// Prefixes by which the large services mark their keys, and what follows them at least.
const fn starts_with_key(bytes: &[u8]) -> bool {
    const PREFIXES: &[(&[u8], Tail)] = &[
        (b"Bearer ", Tail::Mixed(2)),
        (b"bearer ", Tail::Mixed(2)),
        (b"Basic ", Tail::Mixed(4)),
        (b"sk_live_", Tail::Long(1)),
        (b"sk_test_", Tail::Long(1)),
        (b"pk_live_", Tail::Long(1)),
        (b"pk_test_", Tail::Long(1)),
        (b"rk_live_", Tail::Long(1)),
        (b"rk_test_", Tail::Long(1)),
        (b"sk_", Tail::Mixed(4)),
        (b"sk-proj-", Tail::Long(1)),
        (b"sk-ant-", Tail::Long(1)),
        (b"sk-svcacct-", Tail::Long(1)),
        (b"sk-", Tail::Mixed(4)),
        (b"ghp_", Tail::Long(1)),
        (b"gho_", Tail::Long(1)),
        (b"ghs_", Tail::Long(1)),
        (b"ghu_", Tail::Long(1)),
        (b"ghr_", Tail::Long(1)),
        (b"github_pat_", Tail::Long(1)),
        (b"glpat-", Tail::Long(1)),
        (b"xoxb-", Tail::Long(1)),
        (b"xoxp-", Tail::Long(1)),
        (b"xapp-", Tail::Mixed(1)),
        (b"AKIA", Tail::Long(4)),
        (b"ASIA", Tail::Mixed(12)),
        (b"AIza", Tail::Long(2)),
        (b"ya29.", Tail::Long(1)),
        (b"hf_", Tail::Mixed(4)),
        (b"npm_", Tail::Mixed(4)),
        (b"pypi-AgE", Tail::Long(0)),
        (b"dop_v1_", Tail::Long(1)),
        // The start of a JSON object in base64, of an SSH key, of a key file.
        (b"eyJ", Tail::Long(1)),
        (b"AAAAB3Nza", Tail::Long(0)),
        (b"AAAAC3Nza", Tail::Long(0)),
        (b"-----BEGIN", Tail::Long(0)),
    ];
    let mut prefixes = PREFIXES;
    while let [(prefix, tail), rest @ ..] = prefixes {
        if let Some(behind) = strip(bytes, prefix) {
            let (len, is_mixed) = run(behind);
            let is_key = match tail {
                Tail::Long(least) => len >= *least,
                Tail::Mixed(least) => len >= *least && is_mixed,
            };
            if is_key {
                return true;
            }
        }
        prefixes = rest;
    }
    false
}

/// How many letters and digits stand first, and whether a digit or, behind the first, a capital is among them.
const fn run(mut bytes: &[u8]) -> (usize, bool) {
    let (mut len, mut is_mixed) = (0, false);
    while let [first @ (b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z'), rest @ ..] = bytes {
        is_mixed |= first.is_ascii_digit() || len > 0 && first.is_ascii_uppercase();
        len += 1;
        bytes = rest;
    }
    (len, is_mixed)
}
