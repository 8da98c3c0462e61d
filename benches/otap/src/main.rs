//! A hundred events, from the call to the bytes of a request: ours, and otap-dataflow's self-tracing encoder, which writes
//! an event's attributes as protobuf where it happens. Each with its own clock. `benches/run` runs it where asked to.

use automagik_telemetry::otlp::Logs;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{Record, Schema};
use benches::event::{Bench, ran, resource};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use otel_arrow_dfe_pdata::otlp::common::ProtoBuffer;
use otel_arrow_dfe_telemetry::event::LogEvent;
use otel_arrow_dfe_telemetry::registry::TelemetryRegistryHandle;
use otel_arrow_dfe_telemetry::self_tracing::{
    LogContext, LogRecord, ScopeToBytesMap, encode_export_logs_request,
};
use prost::Message;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

const EVENTS: usize = 100;
const ROUNDS: usize = 5_000;

/// Keeps events, their attributes encoded.
struct Keep(Arc<Mutex<Vec<LogEvent>>>);

impl<S: tracing::Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let record = LogRecord::new(event, LogContext::new());
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(LogEvent { time: SystemTime::now(), record });
    }
}

/// Nanoseconds an event: the median of all rounds.
fn measure(mut round: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed().as_nanos() as f64 / EVENTS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn records(bytes: &[u8]) -> Vec<(String, Vec<KeyValue>)> {
    let request = ExportLogsServiceRequest::decode(bytes).expect("a request");
    let logs = request.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
    logs.flat_map(|logs| logs.log_records).map(|record| (record.event_name, record.attributes)).collect()
}

fn main() {
    let resource = resource();
    let kept = Mutex::new(Vec::<Record>::with_capacity(EVENTS));
    let mut room = [0; 1 << 14];
    let mut len = 0;
    let mut our_records = Vec::new();
    let mut ours = || {
        for _ in 0..EVENTS {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec;
            let time = Coarse::from_unix_seconds(now.unsigned_abs(), Bench::RESOLUTION);
            if let Ok(record) = Record::new(&Bench::Ran(ran()), time) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(record);
            }
        }
        our_records.clear();
        our_records.append(&mut kept.lock().unwrap_or_else(PoisonError::into_inner));
        len = black_box(Logs::encode(&resource, &our_records, &mut room).expect("room")).len();
    };

    let events = Arc::new(Mutex::new(Vec::with_capacity(EVENTS)));
    let subscriber = tracing_subscriber::registry().with(Keep(Arc::clone(&events)));
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut buffer = ProtoBuffer::default();
    let mut scopes = ScopeToBytesMap::new(TelemetryRegistryHandle::new());
    let nobody = Bytes::new();
    let mut otap = || {
        for _ in 0..EVENTS {
            tracing::info!(name: "bench.tool.ran", tool = black_box("format"), duration_ms = black_box(128), success = black_box(true));
        }
        let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
        encode_export_logs_request(&mut buffer, &mut events, &nobody, &mut scopes).expect("room");
        black_box(&buffer);
        events.clear();
    };

    let (ours_ns, otap_ns) = (measure(&mut ours), measure(&mut otap));
    otap();
    assert_eq!(records(&room[room.len() - len..]), records(buffer.as_ref()), "other events");
    println!("otap: ours={ours_ns:.1} otap={otap_ns:.1}");
}
