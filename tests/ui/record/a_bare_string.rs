//! What a tired developer would write first.

use automagik_telemetry::{ApiRequest, FeatureUsed, HttpStatus, Label, Milliseconds, Schema, Telemetry};

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

fn used(telemetry: &Telemetry<App>) {
    telemetry.record("opened the contacts of alice@example.org");
}

fn main() {
    let _ = (used, Route::TracesOfPhone, HttpStatus::new(200), Milliseconds::new(3));
}
