//! An event that nobody can find in the manifest.

use automagik_telemetry::OperationLatency;

include!("../shared/app.rs");

fn slow(telemetry: &Telemetry<App>) {
    telemetry.record(OperationLatency { operation: Feature::ListContacts, duration: Milliseconds::new(3) });
}

fn main() {
    let _ = (slow, Route::TracesOfPhone, HttpStatus::new(200));
}
