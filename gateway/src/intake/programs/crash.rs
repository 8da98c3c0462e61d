//! Log records that are crashes: of all that a program says, what is in no record, since its stack takes more than 64 bits. Nothing in it is a text: closed lists,
//! numbers, and digits that are the same for all who run the program.

use super::logs::has_more;
use super::origin::Origin;
use crate::known::manifests::Manifests;
use automagik_telemetry_core::Label;
use automagik_telemetry_core::crashes::build::BUILD_LEN_MAX;
use automagik_telemetry_core::crashes::stack::STACK_MAX;
use automagik_telemetry_core::crashes::{Crash, Exception};
use automagik_telemetry_core::event::{Event, Severity};
use automagik_telemetry_core::field::CODE_LOCATIONS;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};

/// The event of a crash.
pub const CRASH: &str = Crash::DESCRIPTOR.name;

/// Attributes of a crash, as core writes them.
pub(crate) mod key {
    pub(crate) use automagik_telemetry_core::otlp::FINGERPRINT;
    pub(crate) const PLACE: &str = "error_place";
    pub(crate) const STACK: &str = "exception.stacktrace";
    pub(crate) const TYPE: &str = "exception.type";
    pub(crate) const VERSION: &str = "service.version";
    /// One of these, or none: by whom the build's id was made.
    pub(crate) const BUILDS: [&str; 2] =
        ["process.executable.build_id.gnu", "process.executable.build_id.htlhash"];
}

/// Takes the crashes out of `request` that are of a program in `manifests` that can tell them. Others stay, to be refused like all that no manifest has.
#[must_use]
pub fn take_out(request: &mut ExportLogsServiceRequest, manifests: &Manifests) -> ExportLogsServiceRequest {
    let mut crashes = ExportLogsServiceRequest::default();
    for of_resource in &mut request.resource_logs {
        for of_scope in &mut of_resource.scope_logs {
            if of_scope.log_records.iter().all(|log| log.event_name != CRASH) {
                continue;
            }
            let origin = Origin::of(of_resource.resource.as_ref(), of_scope.scope.as_ref(), manifests);
            let Ok(origin) = origin else { continue };
            if origin.vocabulary.event_named(CRASH).is_none() {
                continue;
            }
            let project = &origin.vocabulary.project;
            // Of any version that is known: it is the next run that tells, perhaps of a newer one.
            let is_version = |version: &str| {
                manifests.all().any(|known| known.project == *project && known.version == version)
            };
            let is_crash = |log: &LogRecord| log.event_name == CRASH && is_crash(log, is_version);
            let log_records: Vec<LogRecord> =
                of_scope.log_records.extract_if(.., |log| is_crash(log)).collect();
            crashes.resource_logs.push(ResourceLogs {
                resource: of_resource.resource.clone(),
                scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
                ..ResourceLogs::default()
            });
        }
    }
    crashes
}

/// Whether `log` says what a crash can say, and nothing else.
fn is_crash(log: &LogRecord, is_version: impl Fn(&str) -> bool) -> bool {
    if has_more(log) || log.severity_number != Severity::Fatal as i32 {
        return false;
    }
    let mut keys: Vec<&str> = log.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    keys.sort_unstable();
    keys.retain(|key| !key::BUILDS.contains(key));
    keys == [key::FINGERPRINT, key::PLACE, key::STACK, key::TYPE, key::VERSION]
        && log.attributes.len() <= keys.len() + 1
        && log.attributes.iter().all(|attribute| is_of_a_crash(attribute, &is_version))
}

fn is_of_a_crash(KeyValue { key, value, .. }: &KeyValue, is_version: &impl Fn(&str) -> bool) -> bool {
    let text = match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(place)) => {
            return key == key::PLACE && (0..i64::from(CODE_LOCATIONS)).contains(place);
        }
        _ => return false,
    };
    match key.as_str() {
        key::FINGERPRINT => text.len() == 16 && is_digits(text),
        key::STACK => is_stack(text),
        key::TYPE => Exception::WORDS.contains(&text.as_str()),
        key::VERSION => is_version(text),
        key if key::BUILDS.contains(&key) => is_build(text),
        _ => false,
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Ids of linkers have 8 bytes at least: nobody's name is one.
fn is_build(text: &str) -> bool {
    text.len() >= 16 && text.len() <= 2 * BUILD_LEN_MAX && is_digits(text)
}

/// Whether `text` is a stack as core writes it: a build, addresses, and how many more there were.
fn is_stack(text: &str) -> bool {
    let mut lines = text.split('\n').peekable();
    let build = lines.next().and_then(|line| line.strip_prefix("build "));
    if !build.is_some_and(|build| build == "unknown" || is_build(build)) {
        return false;
    }
    let mut addresses = 0;
    while lines.next_if(|line| is_address(line)).is_some() {
        addresses += 1;
    }
    for behind in [" more", " in other files"] {
        lines.next_if(|line| {
            line.strip_prefix("and ").and_then(|rest| rest.strip_suffix(behind)).is_some_and(is_number)
        });
    }
    addresses <= STACK_MAX && lines.next().is_none()
}

/// `0x1b000`, or `0x1b000 48 times`.
fn is_address(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("0x") else { return false };
    let (offset, times) = rest.split_once(' ').map_or((rest, None), |(offset, times)| (offset, Some(times)));
    let is_times = |times: &str| times.strip_suffix(" times").is_some_and(is_number);
    u32::from_str_radix(offset, 16).is_ok_and(|number| format!("{number:x}") == offset)
        && times.is_none_or(is_times)
}

/// As core writes one: no sign, no zeros in front.
fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|number| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_what_core_writes_and_nothing_else() {
        for stack in [
            "build unknown",
            "build 0c9b0c9b0c9b0c9b",
            "build 0c9b0c9b0c9b0c9b\n0x1a2b4\n0x1b000 48 times\nand 12 more\nand 7 in other files",
            "build 0c9b0c9b0c9b0c9b\nand 7 in other files",
        ] {
            assert!(is_stack(stack), "{stack}");
        }
        let many = format!("build 0c9b0c9b0c9b0c9b{}", "\n0x1".repeat(STACK_MAX + 1));
        let long = format!("build {}", "0".repeat(2 * BUILD_LEN_MAX + 1));
        for text in [
            "",
            "build ",
            "build ada",
            "build 0C9B0C9B0C9B0C9B",
            "build 0c9b0c9b0c9b0c9b\n",
            "build 0c9b0c9b0c9b0c9b\n0xada ada times",
            "build 0c9b0c9b0c9b0c9b\n0x001",
            "build 0c9b0c9b0c9b0c9b\n0x123456789",
            "build 0c9b0c9b0c9b0c9b\nada",
            "build 0c9b0c9b0c9b0c9b\nand ada more",
            "build 0c9b0c9b0c9b0c9b\nand +1 more",
            "build 0c9b0c9b0c9b0c9b\nand 7 in other files\nand 7 more",
            "build 0c9b0c9b0c9b0c9b\nand 7 more\nand 7 more",
            &many,
            &long,
        ] {
            assert!(!is_stack(text), "{text}");
        }
    }
}
