//! The six events of the privacy policy, ready to use, generic over the application's labels.
//!
//! | event | name | fields |
//! |---|---|---|
//! | [`FeatureUsed`] | `automagik.feature.used` | `feature_name` |
//! | [`ApiRequest`] | `automagik.api.request` | `endpoint`, `status`, `duration_ms` |
//! | [`CommandExecuted`] | `automagik.cli.command` | `command`, `success`, `duration_ms` |
//! | [`OperationLatency`] | `automagik.performance.latency` | `operation_type`, `duration_ms` |
//! | [`ErrorOccurred`] | `automagik.error` | `error_code`, `error_category` |
//! | [`ErrorAt`] | the same | and `error_place` |
//! | [`ServiceHealth`] | `automagik.health` | `service`, `status` |
//!
//! If you don't need each event, count them instead: [`CommandDuration`] and the like, with the names given there.
//!
//! The names are those that the policy's other SDKs send, so that one collector serves them all.
//! Policy: "What We Collect".

use crate::counts::aggregate::{Counted, Counter, Histogram};
use crate::events::cell::Cells;
use crate::events::code_location::CodeLocation;
use crate::events::event::{Event, EventDescriptor, Ordinals, Severity, field};
use crate::events::field::{Field, HttpStatus, Milliseconds};
use crate::words::label::Label;

/// How long commands take: `automagik.cli.command.duration`, by `command`. Policy: "Performance Metrics".
///
/// ```
/// use automagik_telemetry_core::{Milliseconds, policy::CommandDuration};
/// static STARTUP: CommandDuration<()> = CommandDuration::new();
/// STARTUP.record((), Milliseconds::new(12));
/// ```
pub type CommandDuration<C> = Histogram<C, Milliseconds>;

/// How long requests take: `automagik.api.request.duration`, by `endpoint`. Policy: "Performance Metrics".
pub type ApiLatency<R> = Histogram<R, Milliseconds>;

/// How many errors of each code: `automagik.error.count`, by `error_code`. Policy: "Error Reports".
pub type ErrorCount<C> = Counter<C>;

/// How often each feature is used: `automagik.feature.count`, by `feature_name`. Policy: "Feature Usage".
pub type FeatureCount<F> = Counter<F>;

/// A feature was used. Policy: "Which features you enable".
///
/// ```
/// use automagik_telemetry_core::{Event, FeatureUsed, Label};
/// # #[derive(Clone, Copy)] enum Feature { ListContacts }
/// # impl Label for Feature {
/// #     const WORDS: &'static [&'static str] = &["list_contacts"];
/// #     fn ordinal(&self) -> u32 { 0 }
/// # }
/// let event = FeatureUsed { feature: Feature::ListContacts };
/// assert_eq!(event.ordinals().as_slice(), [0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureUsed<F> {
    /// The feature.
    pub feature: F,
}

impl<F: Label> Event for FeatureUsed<F> {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "automagik.feature.used",
        severity: Severity::Info,
        fields: &[field::<F>("feature_name")],
    };

    #[inline]
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([Field::ordinal(&self.feature)])
    }
}

/// A request to an API was served. Policy: "Which API endpoints you use", "API response latency".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiRequest<R> {
    /// The route's template, such as `GET /contacts/{id}`; never a path.
    pub route: R,
    /// The answer's status.
    pub status: HttpStatus,
    /// Time to the answer.
    pub duration: Milliseconds,
}

impl<R: Label> Event for ApiRequest<R> {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "automagik.api.request",
        severity: Severity::Info,
        fields: &[
            field::<R>("endpoint"),
            field::<HttpStatus>("status"),
            field::<Milliseconds>("duration_ms"),
        ],
    };

    #[inline]
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([Field::ordinal(&self.route), self.status.ordinal(), self.duration.ordinal()])
    }
}

/// A command ran. Policy: "Which commands you run", "Command execution time".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandExecuted<C> {
    /// The command, without its arguments.
    pub command: C,
    /// Whether it succeeded.
    pub success: bool,
    /// How long it ran.
    pub duration: Milliseconds,
}

impl<C: Label> Event for CommandExecuted<C> {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "automagik.cli.command",
        severity: Severity::Info,
        fields: &[field::<C>("command"), field::<bool>("success"), field::<Milliseconds>("duration_ms")],
    };

    #[inline]
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([Field::ordinal(&self.command), self.success.ordinal(), self.duration.ordinal()])
    }
}

/// An operation finished. Policy: "Performance Metrics".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationLatency<O> {
    /// The kind of operation.
    pub operation: O,
    /// How long it took.
    pub duration: Milliseconds,
}

impl<O: Label> Event for OperationLatency<O> {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "automagik.performance.latency",
        severity: Severity::Info,
        fields: &[field::<O>("operation_type"), field::<Milliseconds>("duration_ms")],
    };

    #[inline]
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([Field::ordinal(&self.operation), self.duration.ordinal()])
    }
}

/// An error occurred. Policy: "Error Information"; never its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorOccurred<C> {
    /// The application's code for it, such as `OMNI-1001`.
    pub code: C,
    /// What kind it is.
    pub category: ErrorCategory,
}

impl<C: Label> Event for ErrorOccurred<C> {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "automagik.error",
        severity: Severity::Error,
        fields: &[field::<C>("error_code"), field::<ErrorCategory>("error_category")],
    };

    #[inline]
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([Field::ordinal(&self.code), Field::ordinal(&self.category)])
    }
}

/// An error occurred, and where in the program: [`ErrorOccurred`] with a place. Policy: "Error Information"; never its message.
///
/// ```
/// use automagik_telemetry_core::{ErrorAt, ErrorCategory, Label};
/// # enum Code { Refused }
/// # impl Label for Code { const WORDS: &'static [&'static str] = &["OMNI-1001"]; fn ordinal(&self) -> u32 { 0 } }
/// # fn record(_: ErrorAt<Code>) {}
/// fn connect() -> Result<(), std::io::Error> {
///     let connected: Result<(), std::io::Error> = Err(std::io::ErrorKind::ConnectionRefused.into());
///     // Records the error and passes it on: its message stays here.
///     connected.inspect_err(|_| record(ErrorAt::new(Code::Refused, ErrorCategory::Network)))
/// }
/// # assert!(connect().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorAt<C> {
    /// The application's code for it, such as `OMNI-1001`.
    pub code: C,
    /// What kind it is.
    pub category: ErrorCategory,
    /// Where it was recorded.
    pub place: CodeLocation,
}

impl<C> ErrorAt<C> {
    /// An error at the place that calls this; in a function with `#[track_caller]`, at the place that calls that.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn new(code: C, category: ErrorCategory) -> Self {
        Self { code, category, place: CodeLocation::caller() }
    }
}

impl<C: Label> Event for ErrorAt<C> {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "automagik.error",
        severity: Severity::Error,
        fields: &[
            field::<C>("error_code"),
            field::<ErrorCategory>("error_category"),
            field::<CodeLocation>("error_place"),
        ],
    };

    #[inline]
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([Field::ordinal(&self.code), Field::ordinal(&self.category), self.place.ordinal()])
    }
}

/// The kinds of error that the policy names, and those that most programs meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCategory {
    /// Authentication.
    Authentication,
    /// Authorization.
    Authorization,
    /// Configuration: a wrong or missing setting.
    Configuration,
    /// A database.
    Database,
    /// Files and disks.
    Filesystem,
    /// A fault of the program itself.
    Internal,
    /// Sending and receiving messages.
    Messaging,
    /// Connections and names.
    Network,
    /// A timeout.
    Timeout,
    /// Invalid input.
    Validation,
    /// Any other kind.
    Other,
}

#[diagnostic::do_not_recommend]
impl Counted for ErrorCategory {
    type Of<T: Cells> = [T; <Self as Label>::WORDS.len()];
}

impl Label for ErrorCategory {
    const WORDS: &'static [&'static str] = &[
        "authentication",
        "authorization",
        "configuration",
        "database",
        "filesystem",
        "internal",
        "messaging",
        "network",
        "timeout",
        "validation",
        "other",
    ];

    #[inline]
    fn ordinal(&self) -> u32 {
        *self as u32
    }
}

/// A service reported its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceHealth<S> {
    /// The kind of service; never a host.
    pub service: S,
    /// Its status.
    pub status: HealthStatus,
}

impl<S: Label> Event for ServiceHealth<S> {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "automagik.health",
        severity: Severity::Info,
        fields: &[field::<S>("service"), field::<HealthStatus>("status")],
    };

    #[inline]
    fn ordinals(&self) -> Ordinals {
        Ordinals::new([Field::ordinal(&self.service), Field::ordinal(&self.status)])
    }
}

/// The status of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthStatus {
    /// Everything works.
    Healthy,
    /// Some of it works, or it is slow.
    Degraded,
    /// Nothing works.
    Unhealthy,
}

#[diagnostic::do_not_recommend]
impl Counted for HealthStatus {
    type Of<T: Cells> = [T; <Self as Label>::WORDS.len()];
}

impl Label for HealthStatus {
    const WORDS: &'static [&'static str] = &["healthy", "degraded", "unhealthy"];

    #[inline]
    fn ordinal(&self) -> u32 {
        *self as u32
    }
}
