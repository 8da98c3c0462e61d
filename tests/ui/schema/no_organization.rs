//! A schema of nobody.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(project = "app")]
enum App {
    Used(FeatureUsed<Feature>),
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
