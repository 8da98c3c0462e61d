//! What stands behind the reference SDK here: nothing, so that it alone is measured.

use opentelemetry::metrics::{Counter, MeterProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, LogProcessor, SdkLogRecord};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use std::hint::black_box;
use std::time::Duration;

/// A processor and an exporter of nothing.
#[derive(Debug)]
pub struct Nothing;

impl LogProcessor for Nothing {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        black_box(record);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

impl LogExporter for Nothing {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        black_box(batch.iter().count());
        Ok(())
    }
}

/// Exports to nowhere, once a minute.
#[derive(Debug)]
struct Nowhere;

impl PushMetricExporter for Nowhere {
    async fn export(&self, _: &ResourceMetrics) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

/// The reference SDK's counter, behind its periodic reader.
#[must_use]
pub fn opentelemetry_counter() -> (SdkMeterProvider, Counter<u64>) {
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(Nowhere).build()).build();
    let counter = provider.meter("benches").u64_counter("commands").build();
    (provider, counter)
}

/// Three attributes of a count.
#[must_use]
#[inline]
pub fn three_attributes() -> [KeyValue; 3] {
    [KeyValue::new("command", "create"), KeyValue::new("outcome", "ok"), KeyValue::new("interactive", true)]
}
