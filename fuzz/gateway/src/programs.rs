//! Requests of programs: any bytes, and requests that were changed at some places.

use crate::leaving::{manifests, says_only_what_is_in_the_manifest};
use automagik_telemetry_core::otlp::{Logs, Metrics, Signal};
use automagik_telemetry_core::record::Delta;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{FeatureUsed, Pseudonym, Record};
use automagik_telemetry_gateway::intake::placing::Now;
use automagik_telemetry_gateway::intake::programs::request::{Form, take};
use automagik_telemetry_gateway::tools::simulate::{Simulated, Task, schema};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

const START: u32 = 29_900_000;

/// A request that is taken whole.
fn request(signal: Signal, form: Form) -> Vec<u8> {
    let resource = Resource::new(schema(), Pseudonym::NOBODY);
    let time = Coarse::from_steps(START);
    let event = Simulated::Feature(FeatureUsed { feature: Task::Report });
    let record = match signal {
        Signal::Logs => Record::new(&event, time).expect("it is an event"),
        Signal::Metrics => {
            Record::from_delta(&Delta { metric: 1, cell: 3, count: 7, start: time, end: time })
        }
    };
    let (records, mut buffer): (&[Record], _) = (&[record], [0; 4_096]);
    let bytes = match signal {
        Signal::Logs => Logs::encode(&resource, records, &mut buffer),
        Signal::Metrics => Metrics::encode(&resource, records, &mut buffer),
    };
    let bytes: &[u8] = bytes.expect("it fits");
    match (form, signal) {
        (Form::Protobuf, _) => bytes.to_vec(),
        (Form::Json, Signal::Logs) => {
            let request = ExportLogsServiceRequest::decode(bytes).expect("it is a request");
            serde_json::to_vec(&request).expect("it is JSON")
        }
        (Form::Json, Signal::Metrics) => {
            let request = ExportMetricsServiceRequest::decode(bytes).expect("it is a request");
            serde_json::to_vec(&request).expect("it is JSON")
        }
    }
}

/// The first byte of `input` says which request it is, and whether the rest is its body, or changes of a good one: a place in two bytes, and what stands there
/// instead.
///
/// # Panics
///
/// Where the property does not hold.
pub fn programs(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let signal = if first & 1 == 0 { Signal::Logs } else { Signal::Metrics };
    let form = if first & 2 == 0 { Form::Protobuf } else { Form::Json };
    let body = if first & 4 == 0 {
        rest.to_vec()
    } else {
        let mut body = request(signal, form);
        for change in rest.chunks_exact(3) {
            let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % body.len();
            body[at] = change[2];
        }
        body
    };
    let now = Now(u64::from(START + 60) * 60);
    if let Ok(taken) = take(signal, form, first & 8 != 0, &body, manifests(), now) {
        let is_whole = first & 12 == 4 && rest.len() < 3;
        assert!(!is_whole || taken.records == 1, "a good request is taken");
        says_only_what_is_in_the_manifest(&taken.held);
    }
}
