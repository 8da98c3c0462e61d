//! Positions: two numbers of degrees side by side.

#![expect(clippy::arithmetic_side_effects, reason = "counts of characters, at most 64")]

/// Whether two numbers of degrees stand side by side: at least two digits behind the points where a comma is between them, at
/// least three where it is something else.
pub(crate) const fn position(mut bytes: &[u8]) -> bool {
    let mut before = b' ';
    while let [first, rest @ ..] = bytes {
        let is_start = !before.is_ascii_alphanumeric() && before != b'.';
        if let (true, Some((places, behind))) = (is_start, degrees(bytes)) {
            let (comma, behind) = between(behind);
            if let Some((others, _)) = degrees(behind) {
                let least = if comma { 2 } else { 3 };
                if places >= least && others >= least {
                    return true;
                }
            }
        }
        before = *first;
        bytes = rest;
    }
    false
}

/// A number of up to three digits and a fraction: how many digits the fraction has, and what follows.
const fn degrees(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (whole, rest) = digits(bytes);
    let [b'.', rest @ ..] = rest else { return None };
    let (places, rest) = digits(rest);
    if whole == 0 || whole > 3 || places == 0 || matches!(rest, [b'.', ..]) {
        return None;
    }
    Some((places, rest))
}

/// How many digits stand first, and what follows.
const fn digits(mut bytes: &[u8]) -> (usize, &[u8]) {
    let mut count = 0;
    while let [b'0'..=b'9', rest @ ..] = bytes {
        count += 1;
        bytes = rest;
    }
    (count, bytes)
}

/// What may stand between two numbers of degrees: the quarter of the sky, a separator, a sign. Whether a comma is among it, and what
/// follows.
const fn between(mut bytes: &[u8]) -> (bool, &[u8]) {
    let mut comma = false;
    while let [first @ (b'N' | b'S' | b'E' | b'W' | b' ' | b',' | b'/' | b':' | b'+' | b'-'), rest @ ..] =
        bytes
    {
        comma |= *first == b',';
        bytes = rest;
    }
    (comma, bytes)
}
