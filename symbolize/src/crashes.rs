//! Crashes as they were sent: found in a request, in OTLP's JSON, and in rows of a database.
//!
//! | form | from |
//! |---|---|
//! | `ExportLogsServiceRequest` in protobuf, also with gzip | a request as it arrived |
//! | the same in JSON, one or several behind each other | `telemetry export`, a collector's file exporter |
//! | any JSON objects, one or several, in which one has the key `exception.stacktrace` | rows of a database: `LogAttributes` of ClickHouse |

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;
use serde_json::{Map, Value};
use std::io::Read;

/// A crash, as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crash {
    /// `exception.type`.
    pub exception: String,
    /// `error_place`; 0 where there is none.
    pub place: u32,
    /// `service.version` of the program that crashed.
    pub version: String,
    /// The build's id in hexadecimal digits.
    pub build: String,
    /// The return addresses, nearest first, and how often each.
    pub addresses: Vec<(u32, u32)>,
    /// What the stack says behind them: how many more, how many in other files.
    pub rest: Vec<String>,
}

/// The attribute that makes an object one of a crash.
const STACK: &str = "exception.stacktrace";

/// Most bytes of a body that is compressed.
const UNPACKED_MAX: u64 = 1 << 30;

/// All crashes in `bytes`.
///
/// # Errors
///
/// Where they are in none of the forms; says which they might be.
pub fn read(bytes: &[u8]) -> Result<Vec<Crash>, String> {
    let mut unpacked = Vec::new();
    let bytes = if bytes.starts_with(&[0x1F, 0x8B]) {
        let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(UNPACKED_MAX);
        reader.read_to_end(&mut unpacked).map_err(|error| format!("is damaged gzip ({error})"))?;
        &unpacked
    } else {
        bytes
    };
    let is_json = bytes
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_none_or(|first| matches!(first, b'{' | b'['));
    let mut crashes = Vec::new();
    if is_json {
        for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
            let value = value.map_err(|error| format!("is no JSON ({error})"))?;
            collect(&value, &mut crashes)?;
        }
    } else {
        let request = ExportLogsServiceRequest::decode(bytes)
            .map_err(|error| format!("is neither JSON nor an ExportLogsServiceRequest ({error})"))?;
        let value = serde_json::to_value(&request).map_err(|error| error.to_string())?;
        collect(&value, &mut crashes)?;
    }
    Ok(crashes)
}

/// Looks for crashes in `value` and all that is in it.
fn collect(value: &Value, crashes: &mut Vec<Crash>) -> Result<(), String> {
    match value {
        Value::Array(values) => {
            let attributes = attributes(values);
            if attributes.contains_key(STACK) {
                crashes.push(crash(&attributes)?);
                return Ok(());
            }
            values.iter().try_for_each(|value| collect(value, crashes))
        }
        Value::Object(object) if object.contains_key(STACK) => {
            crashes.push(crash(object)?);
            Ok(())
        }
        Value::Object(object) => object.values().try_for_each(|value| collect(value, crashes)),
        _ => Ok(()),
    }
}

/// `KeyValue`s of OTLP as an object.
fn attributes(values: &[Value]) -> Map<String, Value> {
    let pair = |value: &Value| {
        let scalar = value.get("value")?.as_object()?.values().next()?.clone();
        Some((value.get("key")?.as_str()?.to_owned(), scalar))
    };
    values.iter().filter_map(pair).collect()
}

fn crash(attributes: &Map<String, Value>) -> Result<Crash, String> {
    let text = |key: &str| attributes.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let place = attributes.get("error_place");
    let place = place.and_then(|place| place.as_u64().or_else(|| place.as_str()?.parse().ok()));
    let mut crash = Crash {
        exception: text("exception.type"),
        version: text("service.version"),
        place: place.and_then(|place| u32::try_from(place).ok()).unwrap_or(0),
        ..Crash::default()
    };
    for line in text(STACK).lines() {
        if let Some(build) = line.strip_prefix("build ") {
            build.clone_into(&mut crash.build);
        } else if let Some(address) = line.strip_prefix("0x") {
            let (address, times) = address.split_once(' ').unwrap_or((address, "1 times"));
            let times = times.strip_suffix(" times").and_then(|times| times.parse().ok());
            let address = u32::from_str_radix(address, 16).ok();
            let both =
                address.zip(times).ok_or_else(|| format!("has a stack whose line `{line}` is no address"))?;
            crash.addresses.push(both);
        } else {
            crash.rest.push(line.to_owned());
        }
    }
    Ok(crash)
}
