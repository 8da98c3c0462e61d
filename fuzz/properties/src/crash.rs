//! Crashes: from a panic whose message is anything, and from files that anybody wrote.

use crate::speech::resource;
use automagik_telemetry::crashes::report::REPORT_LEN_MAX;
use automagik_telemetry::crashes::{Build, CrashReport, Exception, Stack};
use automagik_telemetry::otlp::{Error, encode_crash};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use std::panic::Location;

/// Bytes are a kept report, or the message, the return addresses and the build of a panic. What leaves is what the official messages hold, and all its text is a word
/// of a closed list, digits, or a version within the rules.
///
/// # Panics
///
/// Where that does not hold.
pub fn crash(input: &[u8]) {
    if let Some(report) = CrashReport::decode(input) {
        leaves(&report);
    }
    let mut stack = Stack::new();
    for address in input.chunks(2) {
        match address {
            [0, _] => stack.push_elsewhere(),
            [1, _] => stack.push_more(),
            // A few addresses, so that there is recursion.
            [_, low] => stack.push(u32::from(*low) % 7 + 0x1000),
            _ => {}
        }
    }
    let build = input.get(..20).and_then(Build::gnu).unwrap_or(Build::UNKNOWN);
    let exception = Exception::of_message(&String::from_utf8_lossy(input));
    let schema = resource().schema();
    let report = CrashReport::new(schema, exception, Some(Location::caller()), stack, build, 1_761_048_042);
    let mut kept = [0; REPORT_LEN_MAX];
    let len = report.encode(&mut kept);
    assert_eq!(CrashReport::decode(&kept[..len]), Some(report));
    leaves(&report);
}

fn leaves(report: &CrashReport) {
    let resource = resource();
    let mut buffer = [0; 4_096];
    let request = encode_crash(&resource, report, &mut buffer).expect("the longest fits");
    let decoded = ExportLogsServiceRequest::decode(request).expect("an ExportLogsServiceRequest");
    assert!(decoded.encode_to_vec() == request, "prost writes other bytes for the same request");
    let len = request.len();
    let short = encode_crash(&resource, report, &mut [0; 4_096][..len - 1]).err();
    assert_eq!(short, Some(Error::BufferTooSmall(len)));
    let record = &decoded.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!((record.event_name.as_str(), record.severity_number), ("app.crash", 21));
    for attribute in &record.attributes {
        let text = match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(text)) => text,
            Some(Value::IntValue(0..=0xFFF_FFFF)) if attribute.key == "error_place" => continue,
            other => panic!("{} is {other:?}", attribute.key),
        };
        let is_sound = match attribute.key.as_str() {
            "exception.type" => text == report.exception().word(),
            "service.version" => is_version(text),
            "process.executable.build_id.gnu" | "process.executable.build_id.htlhash" => is_hexadecimal(text),
            "app.crash.fingerprint" => text.len() == 16 && is_hexadecimal(text),
            "exception.stacktrace" => text.lines().all(is_line),
            _ => false,
        };
        assert!(is_sound, "{}: {text}", attribute.key);
    }
}

fn is_version(text: &str) -> bool {
    text.len() <= 32 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
}

fn is_hexadecimal(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok()
}

fn is_line(line: &str) -> bool {
    if let Some(build) = line.strip_prefix("build ") {
        return build == "unknown" || is_hexadecimal(build);
    }
    if let Some(count) = line.strip_prefix("and ") {
        let count = count.strip_suffix(" more").or_else(|| count.strip_suffix(" in other files"));
        return count.is_some_and(is_number);
    }
    let Some(address) = line.strip_prefix("0x") else { return false };
    let (address, times) = address.split_once(' ').unwrap_or((address, "1 times"));
    is_hexadecimal(address) && times.strip_suffix(" times").is_some_and(is_number)
}
