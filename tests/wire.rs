//! What leaves, decoded field by field with the official messages.

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::otlp::{self, Body, Error, Logs};
use automagik_telemetry::resource::Resource;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::{Coarse, Resolution};
use automagik_telemetry::{
    ApiRequest, Bytes, CommandExecuted, Count, ErrorCategory, ErrorOccurred, Event, FeatureUsed,
    HealthStatus, HttpStatus, Label, Milliseconds, Pseudonym, Queue, Record, Schema, Secret, ServiceHealth,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use proptest::prelude::*;
use prost::Message;

#[derive(Label, Clone, Copy, Debug)]
enum Word {
    ListContacts,
    #[label("GET /contacts/{id}")]
    GetContact,
    #[label("OMNI-1001")]
    Omni1001,
}

const WORDS: [(Word, &str); 3] = [
    (Word::ListContacts, "list_contacts"),
    (Word::GetContact, "GET /contacts/{id}"),
    (Word::Omni1001, "OMNI-1001"),
];

#[derive(Event, Clone, Copy, Debug)]
#[event(name = "omni.everything", severity = "warn")]
struct Everything {
    word: Word,
    flag: Option<bool>,
    count: Count<100_000>,
    #[event(name = "size_by")]
    size: Option<Bytes>,
}

#[derive(Schema, Clone, Copy, Debug)]
#[schema(organization = "automagik", project = "omni", version = "1.2.3", resolution = "second")]
enum Omni {
    Feature(FeatureUsed<Word>),
    Api(ApiRequest<Word>),
    Command(CommandExecuted<Word>),
    Error(ErrorOccurred<Word>),
    Health(ServiceHealth<Word>),
    Everything(Everything),
}

const NOON: u64 = 1_761_048_000; // 2025-10-21T12:00:00Z

fn resource() -> Resource {
    let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    Resource::new(Checked::<Omni>::DESCRIPTOR, Pseudonym::new(&Secret::new([7; 32], consent), "omni", 0))
}

fn record(event: &Omni, unix_seconds: u64) -> Record {
    Record::new(event, Coarse::from_unix_seconds(unix_seconds, Resolution::Second)).unwrap()
}

fn encoded(body: &mut dyn Body) -> Vec<u8> {
    let mut bytes = vec![0; body.len()];
    let len = otlp::to_slice(body, &mut bytes).unwrap();
    assert_eq!(len, bytes.len(), "the measured length is the written length");
    bytes
}

/// The records of a request that has one resource and one scope.
fn decoded(bytes: &[u8]) -> Vec<LogRecord> {
    let mut request = ExportLogsServiceRequest::decode(bytes).unwrap();
    assert_eq!(request.resource_logs.len(), 1);
    assert_eq!(request.resource_logs[0].scope_logs.len(), 1);
    request.resource_logs.remove(0).scope_logs.remove(0).log_records
}

fn pairs(attributes: &[KeyValue]) -> Vec<(&str, Value)> {
    let value = |attribute: &KeyValue| attribute.value.clone().unwrap().value.unwrap();
    attributes.iter().map(|attribute| (attribute.key.as_str(), value(attribute))).collect()
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

#[test]
fn the_policys_example_is_told_field_by_field() {
    let records = [record(&Omni::Feature(FeatureUsed { feature: Word::ListContacts }), NOON)];
    let bytes = encoded(&mut Logs::new(&resource(), &records.as_slice()));
    let request = ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap();

    let [resource_logs] = request.resource_logs.as_slice() else { panic!("one resource") };
    assert_eq!(resource_logs.schema_url, "https://opentelemetry.io/schemas/1.44.0");
    let attributes = pairs(&resource_logs.resource.as_ref().unwrap().attributes);
    let keys: Vec<&str> = attributes.iter().map(|(key, _)| *key).collect();
    assert_eq!(
        keys,
        [
            "service.name",
            "service.version",
            "telemetry.sdk.name",
            "telemetry.sdk.language",
            "telemetry.sdk.version",
            "os.type",
            "host.arch",
            "app.installation.id",
        ],
        "and nothing that points at a person"
    );
    assert_eq!(attributes[0].1, text("omni"));
    assert_eq!(attributes[1].1, text("1.2.3"));
    assert_eq!(attributes[2].1, text("automagik-telemetry"));
    assert_eq!(attributes[3].1, text("rust"));
    let Value::StringValue(id) = &attributes[7].1 else { panic!("an id is text") };
    assert!(id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{id}");

    let [scope_logs] = resource_logs.scope_logs.as_slice() else { panic!("one scope") };
    let scope = InstrumentationScope {
        name: "automagik-telemetry".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    assert_eq!(scope_logs.scope, Some(scope));
    let [log] = scope_logs.log_records.as_slice() else { panic!("one record") };
    let expected = LogRecord {
        time_unix_nano: NOON * 1_000_000_000,
        observed_time_unix_nano: NOON * 1_000_000_000,
        severity_number: 9,
        event_name: "automagik.feature.used".to_owned(),
        attributes: log.attributes.clone(),
        ..LogRecord::default()
    };
    assert_eq!(*log, expected, "and no other field is set");
    assert_eq!(pairs(&log.attributes), [("feature_name", text("list_contacts"))]);
}

#[test]
fn each_of_the_policys_events_has_the_names_of_the_other_sdks() {
    let duration = Milliseconds::new(137);
    let events = [
        Omni::Api(ApiRequest { route: Word::GetContact, status: HttpStatus::new(404), duration }),
        Omni::Command(CommandExecuted { command: Word::ListContacts, success: false, duration }),
        Omni::Error(ErrorOccurred { code: Word::Omni1001, category: ErrorCategory::Database }),
        Omni::Health(ServiceHealth { service: Word::ListContacts, status: HealthStatus::Degraded }),
    ];
    let records: Vec<Record> = events.iter().map(|event| record(event, NOON)).collect();
    let logs = decoded(&encoded(&mut Logs::new(&resource(), &records.as_slice())));
    let told: Vec<_> = logs
        .iter()
        .map(|log| (log.event_name.as_str(), log.severity_number, pairs(&log.attributes)))
        .collect();
    let expected = [
        (
            "automagik.api.request",
            9,
            vec![
                ("endpoint", text("GET /contacts/{id}")),
                ("status", Value::IntValue(404)),
                ("duration_ms", Value::IntValue(128)),
            ],
        ),
        (
            "automagik.cli.command",
            9,
            vec![
                ("command", text("list_contacts")),
                ("success", Value::BoolValue(false)),
                ("duration_ms", Value::IntValue(128)),
            ],
        ),
        (
            "automagik.error",
            17,
            vec![("error_code", text("OMNI-1001")), ("error_category", text("database"))],
        ),
        ("automagik.health", 9, vec![("service", text("list_contacts")), ("status", text("degraded"))]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_record_of_another_schema_is_left_out_and_counted() {
    #[derive(Schema)]
    #[schema(organization = "automagik", project = "other", resolution = "second")]
    enum Other {
        Everything(Everything),
    }
    let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    let pseudonym = Pseudonym::new(&Secret::new([7; 32], consent), "other", 0);
    let narrow = Resource::new(Checked::<Other>::DESCRIPTOR, pseudonym);
    // Index 6 does not exist there; index 1 does, with fields that hold other values.
    let event = Everything { word: Word::Omni1001, flag: None, count: Count::new(7), size: None };
    let records = [record(&Omni::Everything(event), NOON)];
    let slice = records.as_slice();
    let mut logs = Logs::new(&narrow, &slice);
    assert_eq!((logs.count(), logs.left_out()), (0, 1));
    let whole = encoded(&mut logs);
    assert_eq!(decoded(&whole), []);
    assert_eq!(Logs::encode(&narrow, &records, &mut [0; 1_024]), Ok(whole.as_slice()));
}

/// An event, and what a reader should find: its name and its attributes.
fn event() -> impl Strategy<Value = (Omni, &'static str, Vec<(&'static str, Value)>)> {
    let word = || prop::sample::select(WORDS.to_vec());
    let int = |value: u32| Value::IntValue(i64::from(value));
    prop_oneof![
        word().prop_map(|(feature, told)| {
            let event = Omni::Feature(FeatureUsed { feature });
            (event, "automagik.feature.used", vec![("feature_name", text(told))])
        }),
        (word(), any::<bool>(), any::<u32>()).prop_map(move |((command, told), success, milliseconds)| {
            let duration = Milliseconds::new(milliseconds);
            let attributes = vec![
                ("command", text(told)),
                ("success", Value::BoolValue(success)),
                ("duration_ms", int(duration.lower_bound())),
            ];
            (
                Omni::Command(CommandExecuted { command, success, duration }),
                "automagik.cli.command",
                attributes,
            )
        }),
        (word(), any::<Option<bool>>(), any::<u32>(), any::<Option<u64>>()).prop_map(
            move |((word, told), flag, count, size)| {
                let (count, size) = (Count::new(count), size.map(Bytes::new));
                let mut attributes = vec![("word", text(told))];
                attributes.extend(flag.map(|flag| ("flag", Value::BoolValue(flag))));
                attributes.push(("count", int(count.get())));
                attributes.extend(size.map(|size| ("size_by", int(size.lower_bound()))));
                (Omni::Everything(Everything { word, flag, count, size }), "omni.everything", attributes)
            }
        ),
    ]
}

proptest! {
    #[test]
    fn any_events_decode_to_what_was_recorded(
        events in prop::collection::vec((event(), 0_u64..4_000_000_000), 0..120),
    ) {
        let records: Vec<Record> = events.iter().map(|((event, ..), time)| record(event, *time)).collect();
        let logs = decoded(&encoded(&mut Logs::new(&resource(), &records.as_slice())));
        prop_assert_eq!(logs.len(), events.len());
        for (log, ((_, name, attributes), time)) in logs.iter().zip(&events) {
            prop_assert_eq!(&log.event_name, name);
            prop_assert_eq!(log.time_unix_nano, time * 1_000_000_000);
            prop_assert_eq!(&pairs(&log.attributes), attributes);
        }
    }

    #[test]
    fn pieces_of_any_size_make_the_same_body_and_one_byte_too_few_is_an_error(
        events in prop::collection::vec(event(), 1..20),
    ) {
        let resource = resource();
        let records: Vec<Record> = events.iter().map(|(event, ..)| record(event, NOON)).collect();
        let slice = records.as_slice();
        let whole = encoded(&mut Logs::new(&resource, &slice));
        let mut body = Logs::new(&resource, &slice);
        let mut pulled = Vec::new();
        loop {
            // How long the next piece is, found by asking with no room at all.
            let needed = match body.read(&mut []) {
                Err(Error::BufferTooSmall(needed)) => needed,
                other => { prop_assert_eq!(other, Ok(0)); break }
            };
            prop_assert!(needed <= Logs::piece_len_max(Checked::<Omni>::DESCRIPTOR));
            let mut guarded = vec![0xEE; needed];
            prop_assert_eq!(body.read(&mut guarded[..needed - 1]), Err(Error::BufferTooSmall(needed)));
            prop_assert_eq!(guarded[needed - 1], 0xEE);
            prop_assert_eq!(body.read(&mut guarded), Ok(needed));
            pulled.extend_from_slice(&guarded);
        }
        prop_assert_eq!(pulled, whole);
    }

    #[test]
    fn a_record_that_arrives_in_flight_never_changes_the_body(
        before in prop::collection::vec(event(), 1..30),
        during in prop::collection::vec(event(), 0..60),
    ) {
        let resource = resource();
        let queue = Queue::<512>::new();
        for (event, ..) in &before {
            let _ = queue.push(&record(event, NOON));
        }
        let batch = queue.batch(100).unwrap();
        let whole = encoded(&mut Logs::new(&resource, &batch));
        let mut body = Logs::new(&resource, &batch);
        let mut piece = vec![0; Logs::piece_len_max(Checked::<Omni>::DESCRIPTOR)];
        let mut pulled = Vec::new();
        let mut during = during.iter();
        loop {
            if let Some((event, ..)) = during.next() {
                let _ = queue.push(&record(event, NOON + 60));
            }
            match body.read(&mut piece).unwrap() {
                0 => break,
                len => pulled.extend_from_slice(&piece[..len]),
            }
        }
        prop_assert_eq!(pulled, whole);
    }
}

#[test]
fn a_batch_that_was_committed_while_it_was_sent_is_an_error() {
    let resource = resource();
    let queue = Queue::<512>::new();
    let _ = queue.push(&record(&Omni::Feature(FeatureUsed { feature: Word::ListContacts }), NOON));
    let batch = queue.batch(100).unwrap();
    let mut body = Logs::new(&resource, &batch);
    batch.commit();
    let mut bytes = vec![0; body.len()];
    assert_eq!(otlp::to_slice(&mut body, &mut bytes), Err(Error::Changed));
}

#[test]
fn a_writer_gets_the_same_bytes_through_a_small_buffer() {
    let resource = resource();
    let records = [record(&Omni::Feature(FeatureUsed { feature: Word::GetContact }), NOON); 100];
    let slice = records.as_slice();
    let mut body = Logs::new(&resource, &slice);
    let whole = encoded(&mut body);
    let mut piece = vec![0; Logs::piece_len_max(Checked::<Omni>::DESCRIPTOR)];
    assert!(piece.len() <= 256, "{} bytes", piece.len());
    let mut written = vec![0; whole.len()];
    let mut free = written.as_mut_slice();
    otlp::to_writer(&mut body, &mut free, &mut piece).unwrap();
    assert!(free.is_empty());
    assert_eq!(written, whole);
}
