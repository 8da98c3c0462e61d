//! Schemas: all that one program can say, as one constant.

mod rules;

use crate::events::cell::Cell;
use crate::events::event::{EventDescriptor, Ordinals};
use crate::events::loss::{DROPPED_INDEX, EVENT_DROPPED};
use crate::events::metric::MetricDescriptor;
use crate::events::time::Resolution;
use crate::schemas::fingerprint::{fingerprint, version_mark};
use core::marker::PhantomData;
use rules::fault;

pub(crate) use rules::is_version;
pub use rules::{ENDPOINT_LEN_MAX, EVENTS_MAX, Frame, POLICY_ORGANIZATION, VERSION_LEN_MAX, frame_fault};

/// All the events that one program can record. Derive it on an enum with one event a variant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a schema",
    label = "this needs an enum with one event a variant and `#[derive(Schema)]`",
    note = "a library's schema (`#[derive(Library)]`) has no organization and no consent of its own: the program's schema includes it"
)]
pub trait Schema: Sized + 'static {
    /// Who publishes the program. A person's yes is for the programs of one organization; its name is the prefix of their variables
    /// and the name of their folders (`ACME_TELEMETRY_ENABLED`, `~/.acme-no-telemetry`). It does not leave the machine.
    const ORGANIZATION: &'static str;

    /// The project's name: OTLP's `service.name`.
    const PROJECT: &'static str;

    /// The program's version: OTLP's `service.version`. The derive takes it from the package.
    const VERSION: &'static str;

    /// How coarse times are.
    const RESOLUTION: Resolution = Resolution::Minute;

    /// Where the program's data go unless the person says otherwise, as the base of a collector. `None` is the policy's
    /// server, which only programs of [`POLICY_ORGANIZATION`] may use: for others it does not compile. A constant, since an
    /// address made while the program runs could hold anything.
    const ENDPOINT: Option<&'static str> = None;

    /// Where a person reads the organization's privacy policy: the question names it.
    const PRIVACY_POLICY: Option<&'static str> = None;

    /// The events, in the order of their positions: the program's own, and behind them those of the libraries that it includes.
    const EVENTS: &'static [EventDescriptor];

    /// How many of [`EVENTS`](Schema::EVENTS) are the program's own.
    const OWN_EVENTS: usize = Self::EVENTS.len();

    /// The counters and histograms, in the order of their positions.
    const METRICS: &'static [MetricDescriptor] = &[];

    /// This event's position in [`EVENTS`](Schema::EVENTS), and its fields' ordinals.
    fn position(&self) -> (u16, Ordinals);

    /// The cell at `index` of the metric at `position` of [`METRICS`](Schema::METRICS), as
    /// [`Metric::cell`](crate::counts::aggregate::Metric::cell) counts them.
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
pub trait Includes<E>: Sized {
    /// `event` as a value of this schema.
    fn include(event: E) -> Self;
}

/// All the events that a library can record, and its metrics. Derive it on an enum with one event a variant. It has no organization, no
/// endpoint and no consent of its own: a program's schema includes it (`include = ...`), and then its events stand in that
/// program's inventory, under that person's answer, in the same requests.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a library's schema",
    label = "this needs an enum with one event a variant and `#[derive(Library)]`"
)]
pub trait Library: Sized + 'static {
    /// The events, in the order of their positions.
    const EVENTS: &'static [EventDescriptor];

    /// The counters and histograms, in the order of their positions.
    const METRICS: &'static [MetricDescriptor] = &[];

    /// This event's position in [`EVENTS`](Library::EVENTS), and its fields' ordinals.
    fn position(&self) -> (u16, Ordinals);

    /// The cell at `index` of the metric at `position` of [`METRICS`](Library::METRICS).
    #[must_use]
    fn cell(position: usize, index: usize) -> Option<&'static Cell> {
        let _ = (position, index);
        None
    }
}

/// A schema that includes the library `L`. The derive implements it.
#[diagnostic::on_unimplemented(
    message = "the schema `{Self}` does not include the library `{L}`",
    label = "not included",
    note = "write `#[schema(include = {L})]` above `{Self}`: all that a program can send is listed in its schema"
)]
pub trait IncludesLibrary<L: Library>: Schema {
    /// The position in [`Schema::EVENTS`] of the library's first event.
    const FIRST: u16;
}

/// A schema whose every name, word and field keeps the rules: what encoders and readers work with.
///
/// There is no way to make one but [`Checked::DESCRIPTOR`], a constant. So every string in it was fixed when the
/// program was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaDescriptor {
    organization: &'static str,
    project: &'static str,
    version: &'static str,
    resolution: Resolution,
    events: &'static [EventDescriptor],
    metrics: &'static [MetricDescriptor],
    fingerprint: u64,
    version_mark: [u8; 3],
    endpoint: Option<&'static str>,
    privacy_policy: Option<&'static str>,
}

/// The only door to a schema's descriptor: an inherent constant, which no implementation can override.
#[derive(Debug)]
pub struct Checked<S>(PhantomData<S>);

impl<S: Schema> Checked<S> {
    /// The descriptor of `S`, within all the rules. One outside them is a compile error that says which.
    pub const DESCRIPTOR: &'static SchemaDescriptor =
        &match fault(&Frame::of::<S>(), S::EVENTS, S::OWN_EVENTS, S::METRICS) {
            None => SchemaDescriptor {
                organization: S::ORGANIZATION,
                project: S::PROJECT,
                version: S::VERSION,
                resolution: S::RESOLUTION,
                events: S::EVENTS,
                metrics: S::METRICS,
                fingerprint: fingerprint(S::ORGANIZATION, S::PROJECT, S::RESOLUTION, S::EVENTS, S::METRICS),
                version_mark: version_mark(S::VERSION),
                endpoint: S::ENDPOINT,
                privacy_policy: S::PRIVACY_POLICY,
            },
            // Const evaluation: this is the compile error.
            Some(message) => panic!("{}", message.as_str()),
        };
}

impl Frame<'static> {
    /// That of `S`.
    #[must_use]
    pub const fn of<S: Schema>() -> Self {
        Self {
            organization: S::ORGANIZATION,
            project: S::PROJECT,
            version: S::VERSION,
            endpoint: S::ENDPOINT,
            privacy_policy: S::PRIVACY_POLICY,
        }
    }
}

impl SchemaDescriptor {
    /// Returns who publishes the program.
    #[must_use]
    pub const fn organization(&self) -> &'static str {
        self.organization
    }

    /// Returns where a person reads the organization's privacy policy.
    #[must_use]
    pub const fn privacy_policy(&self) -> Option<&'static str> {
        self.privacy_policy
    }

    /// Returns the project's name.
    #[must_use]
    pub const fn project(&self) -> &'static str {
        self.project
    }

    /// Returns the program's version.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        self.version
    }

    /// Returns how coarse times are.
    #[must_use]
    pub const fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// 64 bits over all that a reader of records must know: names, words, domains, and their order. See
    /// [`manifest`](crate::schemas::manifest) for what changes it.
    #[must_use]
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Returns three bytes that stand for the version where there is no room for it: in frames.
    #[must_use]
    pub const fn version_mark(&self) -> [u8; 3] {
        self.version_mark
    }

    /// Returns where the program's data go unless the person says otherwise; `None` for the policy's server, which only programs of
    /// [`POLICY_ORGANIZATION`] have.
    #[must_use]
    pub const fn endpoint(&self) -> Option<&'static str> {
        self.endpoint
    }

    /// Returns the number of events, [`EVENT_DROPPED`] included.
    #[must_use]
    pub const fn event_count(&self) -> usize {
        self.events.len().saturating_add(1)
    }

    /// Returns the event at `index` of a record: [`EVENT_DROPPED`] at 0, then the application's.
    #[must_use]
    #[inline]
    pub fn event(&self, index: u16) -> Option<&'static EventDescriptor> {
        match index.checked_sub(1) {
            None => Some(&EVENT_DROPPED),
            Some(position) => self.events.get(usize::from(position)),
        }
    }

    /// Returns the counters and histograms, in the order of their positions.
    #[must_use]
    pub const fn metrics(&self) -> &'static [MetricDescriptor] {
        self.metrics
    }

    /// Returns every event, [`EVENT_DROPPED`] first.
    pub fn events(&self) -> impl Iterator<Item = &'static EventDescriptor> + use<> {
        core::iter::once(&EVENT_DROPPED).chain(self.events)
    }
}

/// The index in a record of the event at `position` of [`Schema::EVENTS`].
#[inline]
pub(crate) const fn index(position: u16) -> u16 {
    position.saturating_add(DROPPED_INDEX + 1)
}

/// Returns how many items all of `parts` have. For the derive.
#[must_use]
pub const fn count<T>(mut parts: &[&[T]]) -> usize {
    let mut count: usize = 0;
    while let [part, rest @ ..] = parts {
        count = count.saturating_add(part.len());
        parts = rest;
    }
    count
}

/// All of `parts` behind each other; `N` is their [`count`]. For the derive.
#[must_use]
pub const fn join<T: Copy, const N: usize>(mut parts: &[&[T]], filler: T) -> [T; N] {
    let mut joined = [filler; N];
    let mut free: &mut [T] = &mut joined;
    while let [part, rest @ ..] = parts {
        let mut items: &[T] = part;
        while let [item, others @ ..] = items {
            let Some((slot, behind)) = free.split_first_mut() else { return joined };
            *slot = *item;
            free = behind;
            items = others;
        }
        parts = rest;
    }
    joined
}
