//! Times finer than a second.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app", resolution = "nanosecond")]
enum App {
    Used(FeatureUsed<Feature>),
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
