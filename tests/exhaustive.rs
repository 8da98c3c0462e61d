//! Every value of every field of the shipped events goes through the encoder once, and what is seen is the vocabulary:
//! all of it, and nothing else.

#![expect(dead_code, reason = "the vocabularies are looked at, not spoken")]

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::event::{EventDescriptor, Ordinals};
use automagik_telemetry::loss::Reason;
use automagik_telemetry::otlp::{Body, Logs, to_slice};
use automagik_telemetry::resource::{INSTALLATION_ID, Resource};
use automagik_telemetry::schema::{Checked, Schema};
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{
    ApiRequest, CommandExecuted, ErrorOccurred, FeatureUsed, Label, OperationLatency, Pseudonym, Record,
    Secret, ServiceHealth, vocabulary,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use std::collections::BTreeSet;

#[derive(Label)]
enum Word {
    One,
    #[label("GET /two/{id}")]
    Two,
    #[label("OMNI-3")]
    Three,
}

#[derive(automagik_telemetry::Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Policy {
    Feature(FeatureUsed<Word>),
    Api(ApiRequest<Word>),
    Command(CommandExecuted<Word>),
    Latency(OperationLatency<Word>),
    Error(ErrorOccurred<Word>),
    Health(ServiceHealth<Word>),
}

/// The same schema, with the ordinals chosen by the test: what a derived event never lets anybody do.
struct Chosen {
    position: u16,
    ordinals: Ordinals,
}

impl Schema for Chosen {
    const ORGANIZATION: &'static str = Policy::ORGANIZATION;
    const PROJECT: &'static str = Policy::PROJECT;
    const VERSION: &'static str = Policy::VERSION;
    const EVENTS: &'static [EventDescriptor] = Policy::EVENTS;

    fn position(&self) -> (u16, Ordinals) {
        (self.position, self.ordinals)
    }
}

/// A record with `ordinal` in the field at `at` and 0 in the others.
fn record(
    position: usize,
    event: &EventDescriptor,
    at: usize,
    ordinal: u32,
) -> Result<Record, impl std::error::Error> {
    let of = |field: usize| if field == at { ordinal } else { 0 };
    let ordinals = match event.fields.len() {
        1 => Ordinals::new([of(0)]),
        2 => Ordinals::new([of(0), of(1)]),
        3 => Ordinals::new([of(0), of(1), of(2)]),
        other => panic!("an event of {other} fields: add it here"),
    };
    let position = u16::try_from(position).unwrap();
    Record::new(&Chosen { position, ordinals }, Coarse::from_steps(29_350_800))
}

fn every_record() -> Vec<Record> {
    let mut records = Vec::new();
    for (position, event) in Policy::EVENTS.iter().enumerate() {
        for (at, field) in event.fields.iter().enumerate() {
            let cardinality = field.domain.cardinality();
            records.extend((0..cardinality).map(|ordinal| record(position, event, at, ordinal).unwrap()));
            assert!(record(position, event, at, cardinality).is_err(), "one behind the last");
            assert!(record(position, event, at, u32::MAX).is_err());
        }
    }
    for reason in Reason::ALL {
        records.push(Record::dropped(reason, 1, Coarse::from_steps(29_350_800)));
    }
    records
}

fn strings_of(request: ExportLogsServiceRequest) -> BTreeSet<String> {
    let mut strings = BTreeSet::new();
    for resource_logs in request.resource_logs {
        strings.insert(resource_logs.schema_url);
        let mut attributes = resource_logs.resource.unwrap().attributes;
        for scope_logs in resource_logs.scope_logs {
            let scope = scope_logs.scope.unwrap();
            strings.extend([scope.name, scope.version]);
            for record in scope_logs.log_records {
                strings.insert(record.event_name);
                attributes.extend(record.attributes);
            }
        }
        for attribute in attributes {
            match attribute.value.unwrap().value.unwrap() {
                Value::StringValue(_) if attribute.key == INSTALLATION_ID => {}
                Value::StringValue(text) => {
                    strings.insert(text);
                }
                Value::BoolValue(_) | Value::IntValue(_) => {}
                other => panic!("{other:?}"),
            }
            strings.insert(attribute.key);
        }
    }
    strings
}

#[test]
fn the_strings_seen_are_the_vocabulary_exactly() {
    let schema = Checked::<Policy>::DESCRIPTOR;
    let records = every_record();
    assert!(records.len() > 900, "{}", records.len());
    let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    let resource = Resource::new(schema, Pseudonym::new(&Secret::new([7; 32], consent), "omni", 0));
    let slice = records.as_slice();
    let mut body = Logs::new(&resource, &slice);
    assert_eq!((body.count() as usize, body.left_out()), (records.len(), 0));
    let mut bytes = vec![0; body.len()];
    to_slice(&mut body, &mut bytes).unwrap();
    let seen = strings_of(ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap());
    let vocabulary: BTreeSet<String> = vocabulary::strings(schema).map(str::to_owned).collect();
    assert_eq!(seen, vocabulary);
}

#[test]
fn every_record_reads_back_from_postcard() {
    let schema = Checked::<Policy>::DESCRIPTOR;
    for record in every_record() {
        let encoded = record.encode();
        assert_eq!(Record::decode(schema, encoded.as_slice()), Ok((record, [].as_slice())));
    }
}
