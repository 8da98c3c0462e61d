// A program that uses features and answers requests.

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
