//! Comparing constant text: what `str` offers and const evaluation does not yet.

/// Whether `a` and `b` are the same text.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && starts_with(a.as_bytes(), b.as_bytes())
}

/// Whether `bytes` start with `prefix`.
pub(crate) const fn starts_with(bytes: &[u8], prefix: &[u8]) -> bool {
    strip(bytes, prefix).is_some()
}

/// What follows `prefix` in `bytes`, or `None` if `bytes` does not start with it.
pub(crate) const fn strip<'a>(mut bytes: &'a [u8], mut prefix: &[u8]) -> Option<&'a [u8]> {
    while let [wanted, prefix_rest @ ..] = prefix {
        match bytes {
            [first, rest @ ..] if *first == *wanted => bytes = rest,
            _ => return None,
        }
        prefix = prefix_rest;
    }
    Some(bytes)
}

/// What stands before `suffix` in `bytes`, or `None` if `bytes` does not end with it.
pub(crate) const fn ends_with<'a>(bytes: &'a [u8], suffix: &[u8]) -> Option<&'a [u8]> {
    let Some(at) = bytes.len().checked_sub(suffix.len()) else { return None };
    match bytes.split_at_checked(at) {
        Some((before, end)) if starts_with(end, suffix) => Some(before),
        _ => None,
    }
}

/// Whether `needle` stands in `bytes`.
pub(crate) const fn contains(mut bytes: &[u8], needle: &[u8]) -> bool {
    loop {
        if starts_with(bytes, needle) {
            return true;
        }
        match bytes {
            [_, rest @ ..] => bytes = rest,
            [] => return false,
        }
    }
}
