//! The messages of a logs request for quick-protobuf, as its generator writes them: borrowed text, no recursion beyond what
//! is used.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Theirs;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue as TheirAttribute};
use opentelemetry_proto::tonic::logs::v1::ScopeLogs as TheirScopeLogs;
use quick_protobuf::sizeofs::{sizeof_bool, sizeof_enum, sizeof_int64, sizeof_len};
use quick_protobuf::{MessageWrite, Result, Writer, WriterBackend};
use std::borrow::Cow;

/// `ExportLogsServiceRequest`.
pub struct Request<'a>(Vec<ResourceLogs<'a>>);

struct ResourceLogs<'a> {
    resource: Resource<'a>,
    scope_logs: Vec<ScopeLogs<'a>>,
    schema_url: Cow<'a, str>,
}

struct Resource<'a>(Vec<KeyValue<'a>>);

struct ScopeLogs<'a> {
    scope: Scope<'a>,
    log_records: Vec<LogRecord<'a>>,
}

struct Scope<'a> {
    name: Cow<'a, str>,
    version: Cow<'a, str>,
}

struct LogRecord<'a> {
    time_unix_nano: u64,
    severity_number: i32,
    attributes: Vec<KeyValue<'a>>,
    observed_time_unix_nano: u64,
    event_name: Cow<'a, str>,
}

struct KeyValue<'a> {
    key: Cow<'a, str>,
    value: AnyValue<'a>,
}

enum AnyValue<'a> {
    String(Cow<'a, str>),
    Bool(bool),
    Int(i64),
}

fn text(text: &str) -> usize {
    if text.is_empty() { 0 } else { 1 + sizeof_len(text.len()) }
}

impl MessageWrite for Request<'_> {
    fn get_size(&self) -> usize {
        self.0.iter().map(|logs| 1 + sizeof_len(logs.get_size())).sum()
    }

    fn write_message<W: WriterBackend>(&self, w: &mut Writer<W>) -> Result<()> {
        self.0.iter().try_for_each(|logs| w.write_with_tag(10, |w| w.write_message(logs)))
    }
}

impl MessageWrite for ResourceLogs<'_> {
    fn get_size(&self) -> usize {
        let scopes: usize = self.scope_logs.iter().map(|logs| 1 + sizeof_len(logs.get_size())).sum();
        1 + sizeof_len(self.resource.get_size()) + scopes + text(&self.schema_url)
    }

    fn write_message<W: WriterBackend>(&self, w: &mut Writer<W>) -> Result<()> {
        w.write_with_tag(10, |w| w.write_message(&self.resource))?;
        self.scope_logs.iter().try_for_each(|logs| w.write_with_tag(18, |w| w.write_message(logs)))?;
        w.write_with_tag(26, |w| w.write_string(&self.schema_url))
    }
}

impl MessageWrite for Resource<'_> {
    fn get_size(&self) -> usize {
        self.0.iter().map(|attribute| 1 + sizeof_len(attribute.get_size())).sum()
    }

    fn write_message<W: WriterBackend>(&self, w: &mut Writer<W>) -> Result<()> {
        self.0.iter().try_for_each(|attribute| w.write_with_tag(10, |w| w.write_message(attribute)))
    }
}

impl MessageWrite for ScopeLogs<'_> {
    fn get_size(&self) -> usize {
        let records: usize = self.log_records.iter().map(|record| 1 + sizeof_len(record.get_size())).sum();
        1 + sizeof_len(self.scope.get_size()) + records
    }

    fn write_message<W: WriterBackend>(&self, w: &mut Writer<W>) -> Result<()> {
        w.write_with_tag(10, |w| w.write_message(&self.scope))?;
        self.log_records.iter().try_for_each(|record| w.write_with_tag(18, |w| w.write_message(record)))
    }
}

impl MessageWrite for Scope<'_> {
    fn get_size(&self) -> usize {
        text(&self.name) + text(&self.version)
    }

    fn write_message<W: WriterBackend>(&self, w: &mut Writer<W>) -> Result<()> {
        w.write_with_tag(10, |w| w.write_string(&self.name))?;
        w.write_with_tag(18, |w| w.write_string(&self.version))
    }
}

impl MessageWrite for LogRecord<'_> {
    fn get_size(&self) -> usize {
        let attributes: usize =
            self.attributes.iter().map(|attribute| 1 + sizeof_len(attribute.get_size())).sum();
        9 + 1 + sizeof_enum(self.severity_number) + attributes + 9 + text(&self.event_name)
    }

    fn write_message<W: WriterBackend>(&self, w: &mut Writer<W>) -> Result<()> {
        w.write_with_tag(9, |w| w.write_fixed64(self.time_unix_nano))?;
        w.write_with_tag(16, |w| w.write_enum(self.severity_number))?;
        self.attributes
            .iter()
            .try_for_each(|attribute| w.write_with_tag(50, |w| w.write_message(attribute)))?;
        w.write_with_tag(89, |w| w.write_fixed64(self.observed_time_unix_nano))?;
        w.write_with_tag(98, |w| w.write_string(&self.event_name))
    }
}

impl MessageWrite for KeyValue<'_> {
    fn get_size(&self) -> usize {
        text(&self.key) + 1 + sizeof_len(self.value.get_size())
    }

    fn write_message<W: WriterBackend>(&self, w: &mut Writer<W>) -> Result<()> {
        w.write_with_tag(10, |w| w.write_string(&self.key))?;
        w.write_with_tag(18, |w| w.write_message(&self.value))
    }
}

impl MessageWrite for AnyValue<'_> {
    fn get_size(&self) -> usize {
        match self {
            Self::String(text) => 1 + sizeof_len(text.len()),
            Self::Bool(flag) => 1 + sizeof_bool(*flag),
            Self::Int(number) => 1 + sizeof_int64(*number),
        }
    }

    fn write_message<W: WriterBackend>(&self, w: &mut Writer<W>) -> Result<()> {
        match self {
            Self::String(text) => w.write_with_tag(10, |w| w.write_string(text)),
            Self::Bool(flag) => w.write_with_tag(16, |w| w.write_bool(*flag)),
            Self::Int(number) => w.write_with_tag(24, |w| w.write_int64(*number)),
        }
    }
}

/// The same message.
#[must_use]
pub fn request(message: &ExportLogsServiceRequest) -> Request<'_> {
    let resource_logs = message.resource_logs.iter().map(|logs| ResourceLogs {
        resource: Resource(attributes(logs.resource.as_ref().map_or(&[], |resource| &resource.attributes))),
        scope_logs: logs.scope_logs.iter().map(scope_logs).collect(),
        schema_url: logs.schema_url.as_str().into(),
    });
    Request(resource_logs.collect())
}

fn scope_logs(logs: &TheirScopeLogs) -> ScopeLogs<'_> {
    let scope = logs.scope.as_ref();
    ScopeLogs {
        scope: Scope { name: scope.map_or("".into(), name), version: scope.map_or("".into(), version) },
        log_records: logs
            .log_records
            .iter()
            .map(|record| LogRecord {
                time_unix_nano: record.time_unix_nano,
                severity_number: record.severity_number,
                attributes: attributes(&record.attributes),
                observed_time_unix_nano: record.observed_time_unix_nano,
                event_name: record.event_name.as_str().into(),
            })
            .collect(),
    }
}

fn name(scope: &InstrumentationScope) -> Cow<'_, str> {
    scope.name.as_str().into()
}

fn version(scope: &InstrumentationScope) -> Cow<'_, str> {
    scope.version.as_str().into()
}

fn attributes(attributes: &[TheirAttribute]) -> Vec<KeyValue<'_>> {
    attributes
        .iter()
        .filter_map(|attribute| {
            let value = match attribute.value.as_ref()?.value.as_ref()? {
                Theirs::StringValue(text) => AnyValue::String(text.as_str().into()),
                Theirs::BoolValue(flag) => AnyValue::Bool(*flag),
                Theirs::IntValue(number) => AnyValue::Int(*number),
                _ => return None,
            };
            Some(KeyValue { key: attribute.key.as_str().into(), value })
        })
        .collect()
}
