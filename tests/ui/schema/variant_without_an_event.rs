//! A variant with nothing in it.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Used,
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
