//! What a word may be: the rules, each with its sentence.
//!
//! A word is a member of a [`Label`](crate::Label): `list_contacts`, `GET /contacts`, `OMNI-1001`. A name is
//! the name of an event or of a field: `automagik.feature.used`, `feature_name`. Both are constants of the
//! program, and both are checked here in const evaluation, so that a bad one is a compile error.
//!
//! | rule | limit |
//! |---|---|
//! | length of a word | 1 to [`WORD_LEN_MAX`] bytes |
//! | length of a name | 1 to [`NAME_LEN_MAX`] bytes |
//! | a word's characters | ASCII letters and digits, space inside, and `_-./:{}<>[]()*+#,` |
//! | a name's characters | lower-case ASCII parts joined by dots, OpenTelemetry's naming rules |
//! | personal shapes | an `@`, a phone number, an IP or MAC address, a home folder, a key or token |

#![expect(clippy::arithmetic_side_effects, reason = "counts of characters, at most 64")]

use crate::message::Message;

/// Longest word, in bytes. The longest route template of a usual API is about 60.
pub const WORD_LEN_MAX: usize = 64;

/// Longest event or field name, in bytes. OpenTelemetry allows 256 for an event's name; shorter names keep
/// a record's largest piece small.
pub const NAME_LEN_MAX: usize = 64;

/// Digits in a row that make a phone number, a card number or an account.
const DIGITS_MAX: usize = 6;

/// Digits that make a phone number when single spaces, dashes, dots or brackets stand between them. A date
/// (`2025-10-21`) has eight.
const SPACED_DIGITS_MAX: usize = 8;

/// Hexadecimal digits in a row, one of them a decimal digit, that make a hash, an id or a token.
const HEX_RUN_MAX: usize = 15;

/// A rule that a word or a name breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// It has no characters.
    Empty,
    /// It is longer than [`WORD_LEN_MAX`] or [`NAME_LEN_MAX`] bytes.
    TooLong,
    /// It holds a character that is not allowed.
    Character,
    /// It starts or ends with a space.
    OuterSpace,
    /// It holds an `@`.
    Email,
    /// It holds as many digits as a phone number.
    PhoneNumber,
    /// It looks like an IPv4, IPv6 or MAC address.
    NetworkAddress,
    /// It holds somebody's home folder or a drive.
    HomePath,
    /// It looks like a key, a token, a hash or a UUID.
    Key,
    /// It is not a name by OpenTelemetry's rules.
    Name,
    /// It is in a namespace that OpenTelemetry reserves.
    ReservedName,
}

impl Rule {
    /// What is wrong and what to do, to be read behind "the word `...` ".
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Empty => "is empty: write what it stands for, such as \"list_contacts\"",
            Self::TooLong => "is longer than 64 bytes: shorten it, a word is a name and not a text",
            Self::Character => {
                "holds a character that no word may have: use ASCII letters, digits, spaces and _-./:{}<>[]()*+#,"
            }
            Self::OuterSpace => "starts or ends with a space: remove it",
            Self::Email => {
                "holds an `@` and may be somebody's address: name the kind of thing, not the person"
            }
            Self::PhoneNumber => {
                "holds as many digits as a phone number: name the kind of thing, such as \"/phone/{number}\""
            }
            Self::NetworkAddress => {
                "looks like a network address: name the role of the machine, such as \"primary\""
            }
            Self::HomePath => {
                "holds somebody's home folder or a drive: name the kind of file, such as \"config\""
            }
            Self::Key => {
                "looks like a key, a token or an id: name the kind of credential, such as \"api_key\""
            }
            Self::Name => {
                "is not a name: use lower-case letters, digits and _ in parts joined by dots, each starting with a letter"
            }
            Self::ReservedName => {
                "is in a namespace that OpenTelemetry keeps for itself: choose one of your own, such as your project's"
            }
        }
    }
}

/// The rule that `word` breaks, or `None` where it may stand in a [`Label`](crate::Label).
///
/// ```
/// use automagik_telemetry_core::word::{check, Rule};
/// assert_eq!(check("GET /contacts/{id}"), None);
/// assert_eq!(check("alice@example.org"), Some(Rule::Email));
/// assert_eq!(check("/traces/phone/5511987654321"), Some(Rule::PhoneNumber));
/// ```
#[must_use]
pub const fn check(word: &str) -> Option<Rule> {
    let bytes = word.as_bytes();
    if bytes.is_empty() {
        return Some(Rule::Empty);
    }
    if bytes.len() > WORD_LEN_MAX {
        return Some(Rule::TooLong);
    }
    if contains(bytes, b"@") {
        return Some(Rule::Email);
    }
    if has_home_path(bytes) {
        return Some(Rule::HomePath);
    }
    if !all_allowed(bytes) {
        return Some(Rule::Character);
    }
    if matches!(bytes, [b' ', ..] | [.., b' ']) {
        return Some(Rule::OuterSpace);
    }
    if has_network_address(bytes) {
        return Some(Rule::NetworkAddress);
    }
    if has_phone_number(bytes) {
        return Some(Rule::PhoneNumber);
    }
    if has_key(bytes) {
        return Some(Rule::Key);
    }
    None
}

/// The rule that `name` breaks, or `None` where it may name an event or a field.
///
/// The rules are OpenTelemetry's for names, and those for words: a name is as public as a word.
///
/// ```
/// use automagik_telemetry_core::word::{check_name, Rule};
/// assert_eq!(check_name("automagik.feature.used"), None);
/// assert_eq!(check_name("FeatureUsed"), Some(Rule::Name));
/// assert_eq!(check_name("otel.scope"), Some(Rule::ReservedName));
/// ```
#[must_use]
pub const fn check_name(name: &str) -> Option<Rule> {
    let bytes = name.as_bytes();
    if bytes.len() > NAME_LEN_MAX {
        return Some(Rule::TooLong);
    }
    if let Some(rule) = check(name) {
        return Some(rule);
    }
    if !is_dotted_name(bytes) {
        return Some(Rule::Name);
    }
    if starts_with(bytes, b"otel.") || starts_with(bytes, b"telemetry.") {
        return Some(Rule::ReservedName);
    }
    None
}

/// What is wrong with `word`, as a whole sentence, or `None`.
#[must_use]
pub const fn fault(word: &str) -> Option<Message> {
    match check(word) {
        Some(rule) => Some(sentence("the word `", word, rule)),
        None => None,
    }
}

/// What is wrong with `name`, as a whole sentence that starts with `what` it names, or `None`.
#[must_use]
pub(crate) const fn name_fault(what: &str, name: &str) -> Option<Message> {
    match check_name(name) {
        Some(rule) => Some(sentence(what, name, rule)),
        None => None,
    }
}

const fn sentence(before: &str, word: &str, rule: Rule) -> Message {
    Message::new().and(before).and(word).and("` ").and(rule.sentence())
}

const fn all_allowed(mut bytes: &[u8]) -> bool {
    while let [first, rest @ ..] = bytes {
        if !matches!(
            first,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'_' | b'-' | b'.' | b'/' | b':'
            | b'{' | b'}' | b'<' | b'>' | b'[' | b']' | b'(' | b')' | b'*' | b'+' | b'#' | b','
        ) {
            return false;
        }
        bytes = rest;
    }
    true
}

const fn is_dotted_name(mut bytes: &[u8]) -> bool {
    let mut part_starts = true;
    while let [first, rest @ ..] = bytes {
        match first {
            b'a'..=b'z' => part_starts = false,
            b'0'..=b'9' | b'_' if !part_starts => {}
            b'.' if !part_starts => part_starts = true,
            _ => return false,
        }
        bytes = rest;
    }
    !part_starts
}

/// Whether enough digits stand together for a phone, card or account number.
const fn has_phone_number(mut bytes: &[u8]) -> bool {
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
const fn has_network_address(mut bytes: &[u8]) -> bool {
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
const fn has_home_path(mut bytes: &[u8]) -> bool {
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
const fn has_key(mut bytes: &[u8]) -> bool {
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

/// Whether `a` and `b` are the same text.
#[must_use]
pub(crate) const fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && starts_with(a.as_bytes(), b.as_bytes())
}

const fn starts_with(bytes: &[u8], prefix: &[u8]) -> bool {
    strip(bytes, prefix).is_some()
}

/// What follows `prefix` in `bytes`, or `None` where `bytes` does not start with it.
const fn strip<'a>(mut bytes: &'a [u8], mut prefix: &[u8]) -> Option<&'a [u8]> {
    while let [wanted, prefix_rest @ ..] = prefix {
        match bytes {
            [first, rest @ ..] if *first == *wanted => bytes = rest,
            _ => return None,
        }
        prefix = prefix_rest;
    }
    Some(bytes)
}

const fn contains(mut bytes: &[u8], needle: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_real_programs_pass() {
        for word in [
            "list_contacts",
            "omni instance create",
            "GET /contacts",
            "GET /contacts/{id}",
            "GET /Users/{id}",
            "GET /users/:id/messages",
            "GET /home/{tenant}",
            "POST /v1/logs",
            "OMNI-1001",
            "OMNI-1001-2002",
            "2025-10-21",
            "1.2.3",
            "c++",
            "c#",
            "omni::error::timeout",
            "10 to 100 ms",
            "sk_SK",
            "pk_id",
            "task_created",
            "risk_assessment",
            "Bearer",
            "x86_64-unknown-linux-gnu",
            "deadbeef",
            "/contacts:batchGet",
        ] {
            assert_eq!(check(word), None, "{word}");
        }
    }

    #[test]
    fn personal_shapes_are_refused() {
        use Rule::*;
        for (word, rule) in [
            ("", Empty),
            ("x".repeat(WORD_LEN_MAX + 1).as_str(), TooLong),
            ("caf\u{e9}", Character),
            ("a=b", Character),
            ("line\nbreak", Character),
            (" padded", OuterSpace),
            ("padded ", OuterSpace),
            ("alice@example.org", Email),
            ("5511987654321", PhoneNumber),
            ("call 1234567", PhoneNumber),
            ("+55 (11) 98765-4321", PhoneNumber),
            ("555-123-4567", PhoneNumber),
            ("4111-1111-1111-1111", PhoneNumber),
            ("192.168.1.10", NetworkAddress),
            ("http://10.0.0.1/x", NetworkAddress),
            ("fe80::1", NetworkAddress),
            ("::1", NetworkAddress),
            ("aa:bb:cc:dd:ee:ff", NetworkAddress),
            ("/home/alice", HomePath),
            ("/Users/alice/x", HomePath),
            ("/root", HomePath),
            ("/root/.ssh", HomePath),
            ("C:\\Users\\alice", HomePath),
            ("C:/Users", HomePath),
            ("~/notes", HomePath),
            ("~alice", HomePath),
            ("Bearer abc", Key),
            ("sk_live_abc", Key),
            ("sk-proj-abc", Key),
            ("ghp_abc", Key),
            ("AKIAIOSFODNN7EXAMPLE", Key),
            ("eyJhbGciOiJIUzI1", Key),
            ("d41d8cd98f00b204e9", Key),
            ("123e4567-e89b-12d3-a456-aabbccddeeff", Key),
        ] {
            assert_eq!(check(word), Some(rule), "{word}");
        }
    }

    #[test]
    fn names_follow_opentelemetry() {
        use Rule::*;
        for (name, rule) in [
            ("automagik.feature.used", None),
            ("feature_name", None),
            ("http2", None),
            ("Feature", Some(Name)),
            ("feature name", Some(Name)),
            ("feature-name", Some(Name)),
            (".feature", Some(Name)),
            ("feature.", Some(Name)),
            ("a..b", Some(Name)),
            ("2fast", Some(Name)),
            ("_private", Some(Name)),
            ("otel.library", Some(ReservedName)),
            ("telemetry.sdk.name", Some(ReservedName)),
            ("", Some(Empty)),
        ] {
            assert_eq!(check_name(name), rule, "{name}");
        }
    }

    #[test]
    fn a_fault_names_the_word_and_the_remedy() {
        let fault = fault("alice@example.org").unwrap();
        assert_eq!(
            fault.as_str(),
            "the word `alice@example.org` holds an `@` and may be somebody's address: \
             name the kind of thing, not the person"
        );
    }
}
