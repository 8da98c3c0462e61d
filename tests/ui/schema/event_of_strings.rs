//! The policy's event, with texts for words.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Used(FeatureUsed<String>),
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
