//! Whose users' data would go to somebody else.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "acme", project = "app")]
enum App {
    Used(FeatureUsed<Feature>),
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
