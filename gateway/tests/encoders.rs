//! The gateway's writer of OTLP against core's: of the same records they say the same, but for who speaks.

mod programs {
    pub(crate) mod records;
}

use automagik_telemetry_core::frames::{Boot, Clear, Hello, Key, MTU_MAX, Session};
use automagik_telemetry_core::manifest::{encode, len};
use automagik_telemetry_core::otlp::{Logs, Metrics};
use automagik_telemetry_core::record::Cursor;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{ErrorAt, ErrorCategory, Pseudonym, Record};
use automagik_telemetry_derive::Schema;
use automagik_telemetry_gateway::forward::request::Devices;
use automagik_telemetry_gateway::intake::held::{Held, Packing};
use automagik_telemetry_gateway::known::backward::Backward;
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::known::vocabulary::Vocabulary;
use automagik_telemetry_gateway::tools::simulate::{Task, manifest, schema};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use programs::records::{START, in_order, record};
use proptest::prelude::*;
use prost::Message;

/// The stream of a frame that says `records`.
fn stream(records: &[Record]) -> Vec<u8> {
    let (key, boot) = (Key::new([7; 16]), Boot::random([9; 8]));
    let mut session = Session::new(key.clone(), boot, None);
    let hello = Hello::new(schema(), Pseudonym::NOBODY, Some(Coarse::from_steps(START)));
    let mut frame = [0; MTU_MAX];
    let sealed = session.data(&hello, &records, &mut Cursor::default(), &mut frame).unwrap().unwrap();
    assert_eq!(sealed.records as usize, records.len());
    let clear = Clear::parse(&frame[..sealed.len]).unwrap();
    key.open(&clear, boot, 0, &mut [0; MTU_MAX]).unwrap().to_vec()
}

fn without_build(resource: Option<OtlpResource>) -> Vec<(String, String)> {
    let attributes = resource.unwrap().attributes.into_iter();
    let mut attributes: Vec<(String, String)> =
        attributes.map(|attribute| (attribute.key, format!("{:?}", attribute.value))).collect();
    // Of the machine that encodes: a gateway does not know what a device is.
    attributes.retain(|(key, _)| key != "os.type" && key != "host.arch");
    attributes.sort();
    attributes
}

proptest! {
    #[test]
    fn a_gateway_says_of_records_what_core_says(mut records in prop::collection::vec(record(), 1..40)) {
        in_order(&mut records);
        let stream = stream(&records);
        let vocabulary = Vocabulary::read(&manifest()).unwrap();
        let held = Held {
            mark: vocabulary.mark(),
            version: vocabulary.version_mark,
            pseudonym: [0; 16],
            start: START,
            arrived: u64::from(START + 60) * 60,
            counts_start: START,
            stream: &stream,
            ..Held::default()
        };
        let mut manifests = Manifests::default();
        manifests.add(vocabulary).unwrap();
        let devices = Devices::of([held], &manifests, false);
        prop_assert_eq!(devices.moved, 0);
        let resource = Resource::new(schema(), Pseudonym::NOBODY);

        let (mut out, mut buffer) = (Backward::with_room(8), vec![0; 1 << 16]);
        let count = devices.logs(&mut out);
        let of_core = ExportLogsServiceRequest::decode(Logs::encode(&resource, &records, &mut buffer).unwrap()).unwrap();
        let ours = ExportLogsServiceRequest::decode(out.as_slice()).unwrap();
        prop_assert_eq!(ours.encode_to_vec(), out.as_slice(), "the bytes are prost's");
        if count > 0 {
            let (ours, theirs) = (ours.resource_logs[0].clone(), of_core.resource_logs[0].clone());
            prop_assert_eq!(without_build(ours.resource), without_build(theirs.resource));
            prop_assert_eq!((ours.scope_logs, ours.schema_url), (theirs.scope_logs, theirs.schema_url));
        }

        out.clear();
        let count = devices.metrics(&mut out);
        let of_core = ExportMetricsServiceRequest::decode(Metrics::encode(&resource, &records, &mut buffer).unwrap()).unwrap();
        let ours = ExportMetricsServiceRequest::decode(out.as_slice()).unwrap();
        prop_assert_eq!(ours.encode_to_vec(), out.as_slice(), "the bytes are prost's");
        if count > 0 {
            prop_assert_eq!(&ours.resource_metrics[0].scope_metrics, &of_core.resource_metrics[0].scope_metrics);
        }
    }
}

#[derive(Schema)]
#[schema(
    crate = "::automagik_telemetry_core",
    organization = "automagik",
    project = "placed",
    version = "1.0.0"
)]
enum Placed {
    Error(ErrorAt<Task>),
}

#[test]
fn a_gateway_says_of_a_place_what_core_says() {
    let schema = Checked::<Placed>::DESCRIPTOR;
    let mut bytes = vec![0; len(schema)];
    encode(schema, bytes.as_mut_slice()).unwrap();
    let vocabulary = Vocabulary::read(&bytes).unwrap();
    let error = ErrorAt::new(Task::Report, ErrorCategory::Network);
    let record = Record::new(&Placed::Error(error), Coarse::from_steps(START)).unwrap();
    let encoded = record.encode();
    let held = Held {
        mark: vocabulary.mark(),
        version: vocabulary.version_mark,
        arrived: u64::from(START) * 60,
        packing: Packing::Encoded,
        stream: encoded.as_slice(),
        ..Held::default()
    };
    let mut manifests = Manifests::default();
    manifests.add(vocabulary).unwrap();
    let (mut out, mut buffer) = (Backward::with_room(8), [0; 4_096]);
    assert_eq!(Devices::of([held], &manifests, false).logs(&mut out), 1);
    let ours = ExportLogsServiceRequest::decode(out.as_slice()).unwrap();
    let resource = Resource::new(schema, Pseudonym::NOBODY);
    let theirs = Logs::encode(&resource, &[record], &mut buffer).unwrap();
    let theirs = ExportLogsServiceRequest::decode(theirs).unwrap();
    assert_eq!(ours.resource_logs[0].scope_logs, theirs.resource_logs[0].scope_logs);
}
