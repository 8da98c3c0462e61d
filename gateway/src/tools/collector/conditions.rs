//! Conditions about one record, in the Collector's language.

use crate::intake::programs::crash::{CRASH, key};
use crate::known::system::{ARCHITECTURES, HOST_ARCH, OS_TYPE, OS_TYPES};
use crate::known::vocabulary::{RECORD_UID, Value};
use automagik_telemetry_core::Label;
use automagik_telemetry_core::crashes::Exception;
use automagik_telemetry_core::crashes::build::BUILD_LEN_MAX;
use automagik_telemetry_core::crashes::stack::STACK_MAX;
use automagik_telemetry_core::field::CODE_LOCATIONS;
use automagik_telemetry_core::manifest::{ManifestEvent, ManifestField, ManifestMetric, ManifestValues};
use automagik_telemetry_core::metric::Kind;
use automagik_telemetry_core::resource::{INSTALLATION_ID, SCHEMA_URL, SDK_NAME};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// All keys that a log record of the event `name`, whose fields have these names, can have.
pub(super) fn keys<'a>(name: &str, fields: BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    if name == CRASH {
        let crash = [key::FINGERPRINT, key::PLACE, key::STACK, key::TYPE, key::VERSION];
        return crash.into_iter().chain(key::BUILDS).collect();
    }
    fields.into_iter().chain([RECORD_UID]).collect()
}

/// `text` as a string of the language: JSON's escapes are among its own.
pub(super) fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// That one of `conditions` holds.
pub(super) fn any(conditions: impl IntoIterator<Item = String>) -> String {
    joined(conditions, " or ", "false")
}

/// That all of them hold.
pub(super) fn all(conditions: impl IntoIterator<Item = String>) -> String {
    joined(conditions, " and ", "true")
}

fn joined(conditions: impl IntoIterator<Item = String>, between: &str, none: &str) -> String {
    let conditions: Vec<String> = conditions.into_iter().collect();
    if conditions.is_empty() { none.to_owned() } else { format!("({})", conditions.join(between)) }
}

/// Something that a record says.
pub(super) struct Path(Cow<'static, str>);

impl Path {
    /// An event's name.
    pub(super) const EVENT: Self = Self(Cow::Borrowed("log.event_name"));

    /// A metric's name.
    pub(super) const METRIC: Self = Self(Cow::Borrowed("metric.name"));

    const fn at(path: &'static str) -> Self {
        Self(Cow::Borrowed(path))
    }

    /// The attribute `key` of `context`.
    pub(super) fn of(context: &str, key: &str) -> Self {
        Self(format!("{context}.attributes[{}]", text(key)).into())
    }

    pub(super) fn is(&self, word: &str) -> String {
        format!("{} == {}", self.0, text(word))
    }

    pub(super) fn is_absent(&self) -> String {
        format!("{} == nil", self.0)
    }

    fn is_number(&self, number: u64) -> String {
        format!("{} == {number}", self.0)
    }

    /// It has to be a whole number: one with a fraction could carry more.
    fn is_between(&self, first: u32, last: u32) -> String {
        format!("(IsInt({0}) and {0} >= {first} and {0} <= {last})", self.0)
    }

    fn matches(&self, expression: &str) -> String {
        format!("IsMatch({}, {})", self.0, text(expression))
    }
}

/// What is wrong with a resource or a scope.
pub(super) fn origin() -> Vec<String> {
    let of = |key: &str| Path::of("resource", key);
    let not = |condition: String| format!("not {condition}");
    let word = |key: &str, words: &[&str]| {
        let known = words.iter().filter(|word| !word.is_empty()).map(|word| of(key).is(word));
        not(any(known.chain([of(key).is_absent()])))
    };
    let is_url = |path| any(["", SCHEMA_URL].map(|url| Path::at(path).is(url)));
    vec![
        not(of(INSTALLATION_ID).matches("^[0-9a-f]{32}\\z")),
        word(OS_TYPE, &OS_TYPES),
        word(HOST_ARCH, &ARCHITECTURES),
        word("telemetry.sdk.name", &[SDK_NAME]),
        word("telemetry.sdk.language", &["rust"]),
        not(of("telemetry.sdk.version").matches(VERSION)),
        not(Path::at("scope.name").is(SDK_NAME)),
        not(Path::at("scope.version").matches(VERSION)),
        not(is_url("resource.schema_url")),
        not(is_url("scope.schema_url")),
    ]
}

/// A version of this library. Expressions end with `\z`: the Collector reads a dollar in a file as its own.
const VERSION: &str = "^[0-9]{1,4}[.][0-9]{1,4}[.][0-9]{1,4}(-(alpha|beta|rc)([.][0-9]{1,4})?)?\\z";

/// What no event of this library says, beside its attributes.
pub(super) fn more_than_an_event() -> [String; 6] {
    [
        "log.body != nil".to_owned(),
        "log.severity_text != \"\"".to_owned(),
        "log.flags != 0".to_owned(),
        "log.dropped_attributes_count != 0".to_owned(),
        format!("log.trace_id != TraceID(0x{})", "0".repeat(32)),
        format!("log.span_id != SpanID(0x{})", "0".repeat(16)),
    ]
}

/// That a log record says what `event` can say, and nothing else of `keys`.
pub(super) fn event(event: &ManifestEvent<'_>, versions: &[&str], keys: &BTreeSet<&str>) -> Vec<String> {
    let severity = Path::at("log.severity_number").is_number(event.severity as u64);
    if event.name == CRASH {
        return crash(severity, versions);
    }
    let uid = Path::of("log", RECORD_UID);
    let uid = any([uid.is_absent(), uid.matches("^[0-9a-f]{32}\\z")]);
    [severity, uid].into_iter().chain(fields("log", event.fields(), keys)).collect()
}

/// That a metric is of the form of `metric`.
pub(super) fn metric(metric: &ManifestMetric<'_>) -> Vec<String> {
    let is = |path, word: &str| Path::at(path).is(word);
    let mut form = vec![is("metric.name", metric.name), is("metric.unit", metric.unit)];
    form.push("metric.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA".to_owned());
    form.extend(match metric.kind {
        Kind::Counter => {
            vec!["metric.type == METRIC_DATA_TYPE_SUM".to_owned(), "metric.is_monotonic == true".to_owned()]
        }
        Kind::Histogram => vec!["metric.type == METRIC_DATA_TYPE_HISTOGRAM".to_owned()],
    });
    form
}

/// That a point has the labels of `metric`, and no other of `keys`.
pub(super) fn labels(metric: &ManifestMetric<'_>, keys: &BTreeSet<&str>) -> Vec<String> {
    fields("datapoint", metric.labels(), keys).collect()
}

/// That attributes are values of `fields`, and that there is no other of `keys`.
fn fields<'a>(
    context: &'static str,
    fields: impl Iterator<Item = ManifestField<'a>>,
    keys: &BTreeSet<&str>,
) -> impl Iterator<Item = String> {
    let fields: Vec<_> = fields.collect();
    let others = keys.iter().filter(|key| fields.iter().all(|field| field.name != **key));
    let others: Vec<String> = others.map(|key| Path::of(context, key).is_absent()).collect();
    fields.into_iter().map(move |of| field(context, &of)).chain(others)
}

/// That an attribute is one of the values of `field`.
fn field(context: &str, field: &ManifestField<'_>) -> String {
    let path = Path::of(context, field.name);
    let is_one = match &field.values {
        ManifestValues::Words(words) => any((*words).map(|word| path.is(word))),
        ManifestValues::Bool => any(["true", "false"].map(|flag| format!("{} == {flag}", path.0))),
        ManifestValues::Range { first, last } => path.is_between(*first, *last),
        ManifestValues::CodeLocation => path.is_between(0, CODE_LOCATIONS - 1),
        ManifestValues::Bucket => any((0..field.cardinality()).filter_map(|ordinal| {
            if let Some(Value::Number(lowest)) = Value::of(field, ordinal) {
                Some(path.is_number(lowest))
            } else {
                None
            }
        })),
        // Only crashes have one.
        ManifestValues::Stack => "false".to_owned(),
    };
    if field.optional { any([path.is_absent(), is_one]) } else { is_one }
}

/// That a log record is a crash of one of these versions: the same as `intake/programs/crash.rs` looks for.
fn crash(severity: String, versions: &[&str]) -> Vec<String> {
    let of = |key| Path::of("log", key);
    let build = format!("[0-9a-f]{{16,{}}}", 2 * BUILD_LEN_MAX);
    let stack = format!(
        "^build (unknown|{build})(\n0x[0-9a-f]{{1,8}}( [0-9]{{1,10}} times)?){{0,{STACK_MAX}}}(\nand [0-9]{{1,10}} more)?(\nand [0-9]{{1,10}} in other files)?\\z"
    );
    let is_build = |key| any([of(key).is_absent(), of(key).matches(&format!("^{build}\\z"))]);
    vec![
        severity,
        of(key::FINGERPRINT).matches("^[0-9a-f]{16}\\z"),
        of(key::PLACE).is_between(0, CODE_LOCATIONS - 1),
        of(key::STACK).matches(&stack),
        any(Exception::WORDS.iter().map(|word| of(key::TYPE).is(word))),
        any(versions.iter().map(|version| of(key::VERSION).is(version))),
        all(key::BUILDS.map(is_build)),
    ]
}
