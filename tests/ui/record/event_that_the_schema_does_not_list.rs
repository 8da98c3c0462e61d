//! An event that nobody can find in the manifest.

use automagik_telemetry::{ApiRequest, FeatureUsed, HttpStatus, Label, Milliseconds, Schema, Telemetry, OperationLatency};

#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Label)]
enum Route {
    #[label("GET /traces/phone/{phone_number}")]
    TracesOfPhone,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Used(FeatureUsed<Feature>),
    Api(ApiRequest<Route>),
}

fn slow(telemetry: &Telemetry<App>) {
    telemetry.record(OperationLatency { operation: Feature::ListContacts, duration: Milliseconds::new(3) });
}

fn main() {
    let _ = (slow, Route::TracesOfPhone, HttpStatus::new(200));
}
