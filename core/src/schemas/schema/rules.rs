//! What a schema may say: the rules, each with its sentence.

use crate::events::event::EventDescriptor;
use crate::events::loss::EVENT_DROPPED;
use crate::events::metric::{METRICS_MAX, MetricDescriptor};
use crate::words::message::Message;
use crate::words::text;
use crate::words::word;

/// Most events of one schema.
pub const EVENTS_MAX: usize = 256;

/// Longest version, in bytes.
pub const VERSION_LEN_MAX: usize = 32;

/// Longest endpoint, in bytes.
pub const ENDPOINT_LEN_MAX: usize = 128;

/// The organization whose privacy policy this library came with. It alone has a server of its own unless a schema names one.
pub const POLICY_ORGANIZATION: &str = "automagik";

/// What a schema says beside its events and metrics.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// [`Schema::ORGANIZATION`](super::Schema::ORGANIZATION).
    pub organization: &'a str,
    /// [`Schema::PROJECT`](super::Schema::PROJECT).
    pub project: &'a str,
    /// [`Schema::VERSION`](super::Schema::VERSION).
    pub version: &'a str,
    /// [`Schema::ENDPOINT`](super::Schema::ENDPOINT).
    pub endpoint: Option<&'a str>,
    /// [`Schema::PRIVACY_POLICY`](super::Schema::PRIVACY_POLICY).
    pub privacy_policy: Option<&'a str>,
}

/// What is wrong with a schema, its events' own faults included, or `None`.
pub(super) const fn fault(
    frame: &Frame<'_>,
    events: &[EventDescriptor],
    own: usize,
    metrics: &[MetricDescriptor],
) -> Option<Message> {
    let mut rest = events;
    while let [event, others @ ..] = rest {
        if let Some(message) = event.fault() {
            return Some(message);
        }
        rest = others;
    }
    if let Some(message) = metrics_fault(metrics) {
        return Some(message);
    }
    frame_fault(frame, events, own)
}

/// What is wrong with the metrics of one schema, or `None`.
const fn metrics_fault(metrics: &[MetricDescriptor]) -> Option<Message> {
    if metrics.len() > METRICS_MAX {
        return Some(Message::new().and("a schema has more than 64 metrics: split the program's telemetry"));
    }
    let mut rest = metrics;
    while let [metric, others @ ..] = rest {
        if let Some(message) = metric.fault() {
            return Some(message);
        }
        let mut twins = others;
        while let [twin, tail @ ..] = twins {
            if text::same(metric.name, twin.name) {
                let start = Message::new().and("two metrics of one schema are named `");
                return Some(start.and(metric.name).and("`: rename one"));
            }
            twins = tail;
        }
        rest = others;
    }
    None
}

/// Returns what is wrong with a schema beside its events' own faults, or `None`. For the derive.
#[must_use]
pub const fn frame_fault(frame: &Frame<'_>, events: &[EventDescriptor], own: usize) -> Option<Message> {
    let Frame { organization, project, version, endpoint, privacy_policy } = *frame;
    if let Some(message) = word::organization_fault(organization) {
        return Some(message);
    }
    if let Some(message) = word::project_fault(project) {
        return Some(message);
    }
    if endpoint.is_none() && !text::same(organization, POLICY_ORGANIZATION) {
        return Some(
            Message::new()
                .and("the schema names no endpoint, and only programs of `automagik` have a server of their own: say where the data of `")
                .and(organization)
                .and("` go, as in `endpoint = \"https://telemetry.example.org\"`"),
        );
    }
    match privacy_policy {
        Some(address) if !is_address(address) => return Some(
            Message::new()
                .and("the privacy policy `")
                .and(address)
                .and("` is no web address: write it as in `https://example.org/privacy`, without user, password or query"),
        ),
        _ => {}
    }
    if !is_version(version) {
        return Some(
            Message::new()
                .and("the version `")
                .and(version)
                .and("` is not letters, digits, `.` and `-` (32 at most): build metadata may hold a name"),
        );
    }
    match endpoint {
        Some(address) if !is_address(address) => return Some(
            Message::new()
                .and("the endpoint `")
                .and(address)
                .and("` is not the base of a collector: write it as in `https://telemetry.example.org`, without user, password or query"),
        ),
        _ => {}
    }
    if events.len() >= EVENTS_MAX {
        return Some(Message::new().and("a schema has more than 255 events: split the program's telemetry"));
    }
    let mut rest = events;
    while let [event, others @ ..] = rest {
        if text::same(event.name, EVENT_DROPPED.name) {
            return Some(
                Message::new().and("every schema has `automagik.telemetry.dropped` already: rename yours"),
            );
        }
        let mut twins = others;
        while let [twin, tail @ ..] = twins {
            if text::same(event.name, twin.name) {
                // Behind the program's own stand those of libraries.
                let is_own = events.len().saturating_sub(tail.len()) <= own;
                if is_own {
                    return Some(
                        Message::new()
                            .and("two events of one schema are named `")
                            .and(event.name)
                            .and("`: rename one"),
                    );
                }
                if !event.is_shaped_like(twin) {
                    return Some(
                        Message::new()
                            .and("a library's event is named `")
                            .and(event.name)
                            .and("` like another one, and has other fields: rename one"),
                    );
                }
            }
            twins = tail;
        }
        rest = others;
    }
    None
}

const fn is_address(address: &str) -> bool {
    let bytes = address.as_bytes();
    let mut rest = match (text::strip(bytes, b"https://"), text::strip(bytes, b"http://")) {
        (Some(rest), _) | (None, Some(rest)) => rest,
        (None, None) => return false,
    };
    if rest.is_empty() || bytes.len() > ENDPOINT_LEN_MAX {
        return false;
    }
    while let [first, tail @ ..] = rest {
        if !first.is_ascii_graphic() || matches!(first, b'@' | b'?' | b'#' | b'\\') {
            return false;
        }
        rest = tail;
    }
    true
}

pub(crate) const fn is_version(version: &str) -> bool {
    let mut bytes = version.as_bytes();
    if bytes.is_empty() || bytes.len() > VERSION_LEN_MAX {
        return false;
    }
    while let [first, rest @ ..] = bytes {
        if !matches!(first, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-') {
            return false;
        }
        bytes = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::{FieldDescriptor, Severity};

    const STARTED: EventDescriptor =
        EventDescriptor { name: "app.started", severity: Severity::Info, fields: &[] };

    fn sentence(project: &str, version: &str, events: &[EventDescriptor]) -> Option<String> {
        let frame = Frame { project, version, ..FRAME };
        fault(&frame, events, events.len(), &[]).map(|message| message.as_str().to_owned())
    }

    const FRAME: Frame<'_> = Frame {
        organization: POLICY_ORGANIZATION,
        project: "omni",
        version: "1.0.0",
        endpoint: None,
        privacy_policy: None,
    };

    #[test]
    fn a_schema_within_the_rules_has_no_fault() {
        assert_eq!(sentence("omni", "1.2.3-rc.1", &[STARTED]), None);
    }

    #[test]
    fn an_endpoint_is_the_base_of_a_collector() {
        for address in
            ["https://telemetry.example.org", "http://localhost:4318", "https://c/otlp/", "http://[::1]:4318"]
        {
            let frame = Frame { endpoint: Some(address), privacy_policy: Some(address), ..FRAME };
            assert!(frame_fault(&frame, &[], 0).is_none(), "{address}");
        }
        for address in
            ["", "localhost:4318", "https://", "ftp://c", "https://u:p@c", "https://c/?k=1", "https://c/ x"]
        {
            let frame = Frame { endpoint: Some(address), ..FRAME };
            assert!(frame_fault(&frame, &[], 0).is_some(), "{address}");
            let frame = Frame { privacy_policy: Some(address), ..FRAME };
            assert!(frame_fault(&frame, &[], 0).is_some(), "{address}");
        }
    }

    #[test]
    fn who_has_no_server_must_name_one() {
        let sentence = |frame| frame_fault(&frame, &[], 0).map(|message| message.as_str().to_owned());
        let acme = Frame { organization: "acme", ..FRAME };
        assert!(sentence(acme).unwrap().contains("say where the data of `acme` go"));
        assert_eq!(sentence(Frame { endpoint: Some("https://telemetry.acme.example"), ..acme }), None);
        for name in ["", "Acme", "acme.org", "acme_org", "7acme", "a b", "alice@example.org"] {
            assert!(sentence(Frame { organization: name, ..FRAME }).is_some(), "{name}");
        }
    }

    #[test]
    fn a_librarys_event_may_be_named_like_the_programs_where_it_has_the_same_fields() {
        use crate::events::field::{Domain, Values};
        const fn by(field: &'static str, words: &'static [&'static str]) -> FieldDescriptor {
            FieldDescriptor { name: field, domain: Domain::new(Values::Words(words)), harmless: None }
        }
        const USED: EventDescriptor = EventDescriptor { fields: &[by("feature_name", &["list"])], ..STARTED };
        const SAME: EventDescriptor =
            EventDescriptor { fields: &[by("feature_name", &["parse"])], ..STARTED };
        const OTHER: EventDescriptor = EventDescriptor { fields: &[by("feature", &["parse"])], ..STARTED };
        let sentence = |events: &[EventDescriptor], own| {
            frame_fault(&FRAME, events, own).map(|message| message.as_str().to_owned())
        };
        assert_eq!(sentence(&[USED, SAME], 1), None);
        assert!(sentence(&[USED, SAME], 2).unwrap().contains("two events of one schema"));
        assert!(sentence(&[USED, OTHER], 1).unwrap().contains("has other fields"));
    }

    #[test]
    fn two_events_of_one_name_are_a_fault() {
        assert!(sentence("omni", "1.0.0", &[STARTED, STARTED]).unwrap().contains("`app.started`"));
    }

    #[test]
    fn a_project_or_version_that_could_hold_a_name_is_a_fault() {
        assert!(sentence("alice@example.org", "1.0.0", &[]).is_some());
        assert!(sentence("omni", "1.0.0+alice", &[]).is_some());
        assert!(sentence("omni", "", &[]).is_some());
    }
}
