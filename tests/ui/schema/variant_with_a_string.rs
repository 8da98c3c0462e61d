//! A text where an event belongs.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Used(String),
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
