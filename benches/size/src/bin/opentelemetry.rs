//! With opentelemetry-otlp, as its documentation shows it: a log record and a count.

use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_otlp::{LogExporter, MetricExporter};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;

fn main() {
    let logs = LogExporter::builder().with_http().build().expect("an exporter");
    let metrics = MetricExporter::builder().with_http().build().expect("an exporter");
    let logs = SdkLoggerProvider::builder().with_batch_exporter(logs).build();
    let metrics = SdkMeterProvider::builder().with_periodic_exporter(metrics).build();
    short_program::work();
    metrics.meter("omni").u64_counter("omni.commands").build().add(1, &[]);
    let logger = logs.logger("omni");
    let mut record = logger.create_log_record();
    record.set_event_name("automagik.cli.command");
    record.set_severity_number(Severity::Info);
    record.add_attribute("success", true);
    logger.emit(record);
    let _ = logs.shutdown();
    let _ = metrics.shutdown();
}
