//! Dates of birth.

#![expect(clippy::arithmetic_side_effects, reason = "counts of characters, at most 64")]

/// The last year that makes a date one of birth. Later ones are dates of versions too, such as `2006-03-01` of an API: they can't be
/// told apart.
const BIRTH_YEAR_MAX: usize = 2005;

/// Whether a day before [`BIRTH_YEAR_MAX`] is over stands in `bytes`, the year first or last.
pub(crate) const fn date_of_birth(mut bytes: &[u8]) -> bool {
    let mut before = b' ';
    while let [first, rest @ ..] = bytes {
        if !before.is_ascii_digit() && is_date(bytes) {
            return true;
        }
        before = *first;
        bytes = rest;
    }
    false
}

/// Whether three numbers stand first that are a day of a person's birth.
const fn is_date(bytes: &[u8]) -> bool {
    let (a, a_len, rest) = number(bytes);
    let [mark @ (b'-' | b'/' | b'.'), rest @ ..] = rest else { return false };
    let (b, b_len, rest) = number(rest);
    let [again, rest @ ..] = rest else { return false };
    let (c, c_len, rest) = number(rest);
    if *again != *mark || matches!(rest, [b'0'..=b'9', ..]) {
        return false;
    }
    match (a_len, c_len) {
        (4, 1 | 2) => is_birth_year(a) && is_day_or_month(b, b_len) && is_day_or_month(c, c_len),
        (1 | 2, 4) => is_birth_year(c) && is_day_or_month(a, a_len) && is_day_or_month(b, b_len),
        _ => false,
    }
}

const fn is_birth_year(year: usize) -> bool {
    year >= 1900 && year <= BIRTH_YEAR_MAX
}

const fn is_day_or_month(number: usize, len: usize) -> bool {
    number >= 1 && number <= 31 && len <= 2
}

/// The number that stands first, its length, and what follows; up to four digits.
const fn number(mut bytes: &[u8]) -> (usize, usize, &[u8]) {
    let (mut number, mut len) = (0, 0);
    while let ([first @ b'0'..=b'9', rest @ ..], 0..4) = (bytes, len) {
        number = number * 10 + (*first - b'0') as usize;
        len += 1;
        bytes = rest;
    }
    (number, len, bytes)
}
