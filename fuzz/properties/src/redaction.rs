//! Whatever a program is given, nothing of it leaves but a choice among constants.

use crate::speech::{Omni, noon, records, resource};
use automagik_telemetry::otlp::{Body, Logs, to_slice};
use automagik_telemetry::resource::INSTALLATION_ID;
use automagik_telemetry::schema::{Checked, Schema};
use automagik_telemetry::vocabulary;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint};
use std::collections::BTreeSet;

/// Bytes in a row of the input that must not come out. Looked for in what is left of the output when it is taken
/// apart: a search in the whole finds tags and lengths that the fuzzer has learned to write into its input.
const WINDOW: usize = 8;

/// Bytes choose events, and these go through every encoder. Every string that comes out is in the vocabulary. What is left
/// beside the vocabulary and the wire format's own tags and lengths are numbers too short for eight bytes in a row of
/// the input, on the wire and in a record.
///
/// # Panics
///
/// Where something else leaves.
pub fn redaction(input: &[u8]) {
    let records = records(input);
    let resource = resource();
    let slice = records.as_slice();
    let mut body = Logs::new(&resource, &slice);
    let mut request = vec![0; body.len()];
    to_slice(&mut body, &mut request).expect("a body of the measured length");

    let vocabulary: BTreeSet<&str> = vocabulary::strings(Checked::<Omni>::DESCRIPTOR).collect();
    for text in strings(&request) {
        assert!(vocabulary.contains(text.as_str()), "`{text}` left and is not in the vocabulary");
    }
    let pseudonym = resource.attributes().last().map(|(_, text)| text).expect("the pseudonym is the last");
    let words = vocabulary.iter().map(|text| text.as_bytes()).chain([pseudonym.as_bytes()]).collect();
    for number in numbers(&request, &words) {
        assert!(number.len() < WINDOW, "a number of {} bytes", number.len());
    }
    for record in &records {
        assert_eq!(record.time(), noon());
        let event = record.check(Checked::<Omni>::DESCRIPTOR).expect("a record of the schema");
        assert!(event.bits() < 8 * WINDOW as u32);
    }
}

/// Every string of a request, but for the pseudonym, which is 32 hexadecimal digits.
fn strings(request: &[u8]) -> Vec<String> {
    let request = ExportLogsServiceRequest::decode(request).expect("an ExportLogsServiceRequest");
    let mut strings = Vec::new();
    for resource_logs in request.resource_logs {
        strings.push(resource_logs.schema_url);
        let mut attributes = resource_logs.resource.unwrap_or_default().attributes;
        for scope_logs in resource_logs.scope_logs {
            let scope = scope_logs.scope.unwrap_or_default();
            strings.extend([scope.name, scope.version]);
            for record in scope_logs.log_records {
                assert_eq!((record.body, record.severity_text.as_str()), (None, ""));
                strings.push(record.event_name);
                attributes.extend(record.attributes);
            }
        }
        for attribute in attributes {
            match attribute.value.and_then(|value| value.value) {
                Some(Value::StringValue(digits)) if attribute.key == INSTALLATION_ID => {
                    assert!(
                        digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
                        "{digits}"
                    );
                }
                Some(Value::StringValue(text)) => strings.push(text),
                Some(Value::BoolValue(_) | Value::IntValue(_)) => {}
                other => panic!("{other:?} is no value of ours"),
            }
            strings.push(attribute.key);
        }
    }
    strings
}

/// The numbers of a request as they stand on the wire: all that is left of a message beside its frame (tags and
/// lengths), `words`, and the time that no input chooses. Reads the wire format itself, so whatever our encoder might add
/// is seen.
fn numbers<'a>(mut message: &'a [u8], words: &BTreeSet<&[u8]>) -> Vec<&'a [u8]> {
    let mut numbers = Vec::new();
    while !message.is_empty() {
        let (_, wire_type) = decode_key(&mut message).expect("a field");
        let before = message;
        match wire_type {
            WireType::Varint => {
                decode_varint(&mut message).expect("a varint");
                numbers.push(&before[..before.len() - message.len()]);
            }
            WireType::SixtyFourBit => {
                let (time, rest) = message.split_at(8);
                assert_eq!(time, noon().unix_nanos(Omni::RESOLUTION).to_le_bytes(), "a time of its own");
                message = rest;
            }
            WireType::LengthDelimited => {
                let len = decode_varint(&mut message).expect("a length");
                let (content, rest) = message.split_at(usize::try_from(len).expect("a length in memory"));
                if !words.contains(content) {
                    numbers.extend(self::numbers(content, words));
                }
                message = rest;
            }
            other => panic!("{other:?} is no wire type of ours"),
        }
    }
    numbers
}
