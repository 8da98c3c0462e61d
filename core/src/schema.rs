//! Schemas: all that one program can say, as one constant.

use crate::cell::Cell;
use crate::event::{EventDescriptor, Ordinals};
use crate::fingerprint::fingerprint;
use crate::loss::{DROPPED_INDEX, EVENT_DROPPED};
use crate::message::Message;
use crate::metric::{METRICS_MAX, MetricDescriptor};
use crate::text;
use crate::time::Resolution;
use crate::word;
use core::marker::PhantomData;

/// Most events of one schema.
pub const EVENTS_MAX: usize = 256;

/// Longest version, in bytes.
pub const VERSION_LEN_MAX: usize = 32;

/// Longest endpoint, in bytes.
pub const ENDPOINT_LEN_MAX: usize = 128;

/// All the events that one program can record. Derive it on an enum with one event a variant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a schema",
    label = "this needs an enum with one event a variant and `#[derive(Schema)]`"
)]
pub trait Schema: Sized + 'static {
    /// The project's name: OTLP's `service.name`.
    const PROJECT: &'static str;

    /// The program's version: OTLP's `service.version`. The derive takes it from the package.
    const VERSION: &'static str;

    /// How coarse times are.
    const RESOLUTION: Resolution = Resolution::Minute;

    /// Where the program's data go unless the person says otherwise, as the base of a collector; `None` for the policy's
    /// server. A constant, since an address made while the program runs could hold anything.
    const ENDPOINT: Option<&'static str> = None;

    /// The events, in the order of their positions.
    const EVENTS: &'static [EventDescriptor];

    /// The counters and histograms, in the order of their positions.
    const METRICS: &'static [MetricDescriptor] = &[];

    /// This event's position in [`EVENTS`](Schema::EVENTS), and its fields' ordinals.
    fn position(&self) -> (u16, Ordinals);

    /// The cell at `index` of the metric at `position` of [`METRICS`](Schema::METRICS), as
    /// [`Metric::cell`](crate::aggregate::Metric::cell) counts them.
    #[must_use]
    fn cell(position: usize, index: usize) -> Option<&'static Cell> {
        let _ = (position, index);
        None
    }
}

/// A schema that has a variant for the event `E`. The derive implements it.
#[diagnostic::on_unimplemented(
    message = "the schema `{Self}` has no event `{E}`, so it can't be recorded",
    label = "not an event of `{Self}`",
    note = "add a variant to `{Self}` that holds this event: all that a program can send is listed in its schema"
)]
pub trait Includes<E>: Schema {
    /// `event` as a value of this schema.
    fn include(event: E) -> Self;
}

/// A schema whose every name, word and field keeps the rules: what encoders and readers work with.
///
/// There is no way to make one but [`Checked::DESCRIPTOR`], a constant. So every string in it was fixed when the
/// program was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaDescriptor {
    project: &'static str,
    version: &'static str,
    resolution: Resolution,
    events: &'static [EventDescriptor],
    metrics: &'static [MetricDescriptor],
    fingerprint: u64,
    endpoint: Option<&'static str>,
}

/// The only door to a schema's descriptor: an inherent constant, which no implementation can override.
#[derive(Debug)]
pub struct Checked<S>(PhantomData<S>);

impl<S: Schema> Checked<S> {
    /// The descriptor of `S`, within all the rules. One outside them is a compile error that says which.
    pub const DESCRIPTOR: &'static SchemaDescriptor =
        &match fault(S::PROJECT, S::VERSION, S::ENDPOINT, S::EVENTS, S::METRICS) {
            None => SchemaDescriptor {
                project: S::PROJECT,
                version: S::VERSION,
                resolution: S::RESOLUTION,
                events: S::EVENTS,
                metrics: S::METRICS,
                fingerprint: fingerprint(S::PROJECT, S::RESOLUTION, S::EVENTS, S::METRICS),
                endpoint: S::ENDPOINT,
            },
            // Const evaluation: this is the compile error.
            Some(message) => panic!("{}", message.as_str()),
        };
}

impl SchemaDescriptor {
    /// The project's name.
    #[must_use]
    pub const fn project(&self) -> &'static str {
        self.project
    }

    /// The program's version.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        self.version
    }

    /// How coarse times are.
    #[must_use]
    pub const fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// 64 bits over all that a reader of records must know: names, words, domains, and their order. See
    /// [`manifest`](crate::manifest) for what changes it.
    #[must_use]
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Where the program's data go unless the person says otherwise.
    #[must_use]
    pub const fn endpoint(&self) -> Option<&'static str> {
        self.endpoint
    }

    /// Number of events, [`EVENT_DROPPED`] included.
    #[must_use]
    pub const fn event_count(&self) -> usize {
        self.events.len().saturating_add(1)
    }

    /// The event at `index` of a record: [`EVENT_DROPPED`] at 0, then the application's.
    #[must_use]
    #[inline]
    pub fn event(&self, index: u16) -> Option<&'static EventDescriptor> {
        match index.checked_sub(1) {
            None => Some(&EVENT_DROPPED),
            Some(position) => self.events.get(usize::from(position)),
        }
    }

    /// The counters and histograms, in the order of their positions.
    #[must_use]
    pub const fn metrics(&self) -> &'static [MetricDescriptor] {
        self.metrics
    }

    /// Every event, [`EVENT_DROPPED`] first.
    pub fn events(&self) -> impl Iterator<Item = &'static EventDescriptor> + use<> {
        core::iter::once(&EVENT_DROPPED).chain(self.events)
    }
}

/// The index in a record of the event at `position` of [`Schema::EVENTS`].
#[inline]
pub(crate) const fn index(position: u16) -> u16 {
    position.saturating_add(DROPPED_INDEX + 1)
}

/// What is wrong with a schema, its events' own faults included, or `None`.
const fn fault(
    project: &str,
    version: &str,
    endpoint: Option<&str>,
    events: &[EventDescriptor],
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
    frame_fault(project, version, endpoint, events)
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

/// What is wrong with a schema beside its events' own faults, or `None`. For the derive.
#[must_use]
pub const fn frame_fault(
    project: &str,
    version: &str,
    endpoint: Option<&str>,
    events: &[EventDescriptor],
) -> Option<Message> {
    if let Some(message) = word::project_fault(project) {
        return Some(message);
    }
    if !is_version(version) {
        return Some(
            Message::new()
                .and("the version `")
                .and(version)
                .and("` is not letters, digits, `.` and `-` (32 at most): build metadata may hold a name"),
        );
    }
    if let Some(address) = endpoint
        && !is_endpoint(address)
    {
        return Some(
            Message::new()
                .and("the endpoint `")
                .and(address)
                .and("` is not the base of a collector: write it as in `https://telemetry.example.org`, without user, password or query"),
        );
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
                return Some(
                    Message::new()
                        .and("two events of one schema are named `")
                        .and(event.name)
                        .and("`: rename one"),
                );
            }
            twins = tail;
        }
        rest = others;
    }
    None
}

const fn is_endpoint(address: &str) -> bool {
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
    use crate::event::Severity;

    const STARTED: EventDescriptor =
        EventDescriptor { name: "app.started", severity: Severity::Info, fields: &[] };

    fn sentence(project: &str, version: &str, events: &[EventDescriptor]) -> Option<String> {
        fault(project, version, None, events, &[]).map(|message| message.as_str().to_owned())
    }

    #[test]
    fn a_schema_within_the_rules_has_no_fault() {
        assert_eq!(sentence("omni", "1.2.3-rc.1", &[STARTED]), None);
    }

    #[test]
    fn an_endpoint_is_the_base_of_a_collector() {
        for address in
            ["https://telemetry.example.org", "http://localhost:4318", "https://c/otlp/", "http://[::1]:4318"]
        {
            assert!(frame_fault("omni", "1.0.0", Some(address), &[]).is_none(), "{address}");
        }
        for address in
            ["", "localhost:4318", "https://", "ftp://c", "https://u:p@c", "https://c/?k=1", "https://c/ x"]
        {
            assert!(frame_fault("omni", "1.0.0", Some(address), &[]).is_some(), "{address}");
        }
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
