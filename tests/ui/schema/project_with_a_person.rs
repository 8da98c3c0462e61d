//! A project named after its author.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "alice@example.org")]
enum App {
    Used(FeatureUsed<Feature>),
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
