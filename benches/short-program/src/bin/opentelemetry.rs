//! The example `omni` with opentelemetry-otlp as its documentation shows it: one event, then shutdown.

use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry_otlp::{LogExporter, WithExportConfig};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use std::time::Instant;

fn main() {
    let endpoint = std::env::var("AUTOMAGIK_TELEMETRY_ENDPOINT").expect("an endpoint");
    let exporter = LogExporter::builder()
        .with_http()
        .with_endpoint(format!("{endpoint}/v1/logs"))
        .build()
        .expect("an exporter");
    let provider = SdkLoggerProvider::builder().with_batch_exporter(exporter).build();
    let logger = provider.logger("omni");
    let started = Instant::now();
    let command = short_program::work();
    let mut record = logger.create_log_record();
    record.set_event_name("automagik.command.executed");
    record.set_severity_number(Severity::Info);
    record.add_attribute("command", command);
    record.add_attribute("success", true);
    record.add_attribute("duration_ms", i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX));
    logger.emit(record);
    // A collector that doesn't answer is an error here, after a wait.
    let _ = provider.shutdown();
}
