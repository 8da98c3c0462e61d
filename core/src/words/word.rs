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
//! | personal shapes | an `@`, a phone number, an IP or MAC address, a home folder, a key or token, a position, a date of birth |

use crate::words::message::Message;
use crate::words::personal;
use crate::words::text::{contains, starts_with};

/// Longest word, in bytes. The longest route template of a usual API is about 60.
pub const WORD_LEN_MAX: usize = 64;

/// Longest event or field name, in bytes. OpenTelemetry allows 256 for an event's name; shorter names keep
/// a record's largest piece small.
pub const NAME_LEN_MAX: usize = 64;

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
    /// It looks like a key, a token (its head is enough), a hash or a UUID.
    Key,
    /// It holds two numbers of degrees.
    Position,
    /// It holds a day of a year from 1900 to 2005.
    DateOfBirth,
    /// It is not a name by OpenTelemetry's rules.
    Name,
    /// It is in a namespace that OpenTelemetry reserves.
    ReservedName,
    /// It is not a project's name.
    Project,
    /// It is not an organization's name.
    Organization,
    /// It asks for personal data, as `email` does.
    PersonalName,
}

impl Rule {
    /// Returns what is wrong and what to do, to be read behind "the word `...` ".
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
            Self::Position => "looks like somebody's position: name the kind of place, such as \"office\"",
            Self::DateOfBirth => {
                "looks like a date of birth: name what happened then, or write a later date of a version"
            }
            Self::Name => {
                "is not a name: use lower-case letters, digits and _ in parts joined by dots, each starting with a letter"
            }
            Self::ReservedName => {
                "is in a namespace that OpenTelemetry keeps for itself: choose one of your own, such as your project's"
            }
            Self::Project => {
                "is not a project's name: use lower-case letters, digits, `-`, `_` and `.`, a letter first"
            }
            Self::Organization => {
                "is not an organization's name: use lower-case letters, digits and `-`, a letter first, as in \"acme\""
            }
            Self::PersonalName => {
                "asks for personal data: name what it ranges over, such as `email_kind`, or, if its values can't point at a person, say why with `harmless`"
            }
        }
    }
}

/// Returns the rule that `word` breaks, or `None` if it may stand in a [`Label`](crate::Label).
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
    if personal::home_path(bytes) {
        return Some(Rule::HomePath);
    }
    if !all_allowed(bytes) {
        return Some(Rule::Character);
    }
    if matches!(bytes, [b' ', ..] | [.., b' ']) {
        return Some(Rule::OuterSpace);
    }
    if personal::network_address(bytes) {
        return Some(Rule::NetworkAddress);
    }
    if personal::key(bytes) {
        return Some(Rule::Key);
    }
    if personal::position(bytes) {
        return Some(Rule::Position);
    }
    if personal::date_of_birth(bytes) {
        return Some(Rule::DateOfBirth);
    }
    if personal::phone_number(bytes) {
        return Some(Rule::PhoneNumber);
    }
    None
}

/// Returns the rule that `name` breaks, or `None` if it may name an event or a field.
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

/// The rule that the name of a field breaks, or `None`: those of names, and that it does not ask for personal data,
/// unless the field is a `bool` or a reason says why it is `harmless`.
#[must_use]
pub(crate) const fn check_field_name(name: &str, harmless: Option<&str>, is_bool: bool) -> Option<Rule> {
    if let Some(rule) = check_name(name) {
        return Some(rule);
    }
    match harmless {
        Some(reason) => check(reason),
        None if !is_bool && personal::name(name) => Some(Rule::PersonalName),
        None => None,
    }
}

/// Returns the rule that `name` breaks, or `None` if it may name a project.
///
/// ```
/// use automagik_telemetry_core::word::{check_project, Rule};
/// assert_eq!(check_project("automagik-omni"), None);
/// assert_eq!(check_project("../etc"), Some(Rule::Project));
/// ```
#[must_use]
pub const fn check_project(name: &str) -> Option<Rule> {
    if let Some(rule) = check(name) {
        return Some(rule);
    }
    let mut bytes = name.as_bytes();
    if !matches!(bytes, [b'a'..=b'z', ..]) {
        return Some(Rule::Project);
    }
    while let [first, rest @ ..] = bytes {
        if !matches!(first, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.') {
            return Some(Rule::Project);
        }
        bytes = rest;
    }
    None
}

/// Returns the rule that `name` breaks, or `None` if it may name an organization. Variables are named by it, so it has neither
/// `_` nor `.`: no two organizations have the same variables.
///
/// ```
/// use automagik_telemetry_core::word::{check_organization, Rule};
/// assert_eq!(check_organization("home-assistant"), None);
/// assert_eq!(check_organization("Acme Inc."), Some(Rule::Organization));
/// ```
#[must_use]
pub const fn check_organization(name: &str) -> Option<Rule> {
    match check_project(name) {
        Some(Rule::Project) => Some(Rule::Organization),
        None if contains(name.as_bytes(), b"_") || contains(name.as_bytes(), b".") => {
            Some(Rule::Organization)
        }
        other => other,
    }
}

/// Returns what is wrong with `word`, as a whole sentence, or `None`.
#[must_use]
pub const fn fault(word: &str) -> Option<Message> {
    match check(word) {
        Some(rule) => Some(sentence("the word `", word, rule)),
        None => None,
    }
}

/// Returns what is wrong with `name`, as a whole sentence that starts with `what` it names, or `None`.
#[must_use]
pub const fn name_fault(what: &str, name: &str) -> Option<Message> {
    match check_name(name) {
        Some(rule) => Some(sentence(what, name, rule)),
        None => None,
    }
}

/// What is wrong with the name of a field, or with the reason why it is harmless, as a whole sentence, or `None`.
#[must_use]
pub(crate) const fn field_name_fault(name: &str, harmless: Option<&str>, is_bool: bool) -> Option<Message> {
    match (check_field_name(name, harmless, is_bool), check_name(name), harmless) {
        (Some(rule), None, Some(reason)) => Some(sentence("the reason for being harmless, `", reason, rule)),
        (Some(rule), _, _) => Some(sentence("the field name `", name, rule)),
        (None, _, _) => None,
    }
}

/// Returns what is wrong with `name` as a project's name, as a whole sentence, or `None`.
#[must_use]
pub const fn project_fault(name: &str) -> Option<Message> {
    match check_project(name) {
        Some(rule) => Some(sentence("the project name `", name, rule)),
        None => None,
    }
}

/// Returns what is wrong with `name` as an organization's name, as a whole sentence, or `None`.
#[must_use]
pub const fn organization_fault(name: &str) -> Option<Message> {
    match check_organization(name) {
        Some(rule) => Some(sentence("the organization name `", name, rule)),
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
            ("Bearer abc123", Key),
            ("Basic YWxhZGRpbjpv", Key),
            ("eyJhbGciOi", Key),
            ("sk-a1b2", Key),
            ("AKIAIOSF", Key),
            ("sk_live_abc", Key),
            ("sk-proj-abc", Key),
            ("ghp_abc", Key),
            ("AKIAIOSFODNN7EXAMPLE", Key),
            ("eyJhbGciOiJIUzI1", Key),
            ("d41d8cd98f00b204e9", Key),
            ("123e4567-e89b-12d3-a456-aabbccddeeff", Key),
            ("52.5200,13.4050", Position),
            ("52.52,13.40", Position),
            ("geo:-33.8688, 151.2093", Position),
            ("52.5200N 13.4050E", Position),
            ("+52.5200+013.4050/", Position),
            ("1990-05-04", DateOfBirth),
            ("born 4.5.1990", DateOfBirth),
            ("05/04/1990", DateOfBirth),
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
