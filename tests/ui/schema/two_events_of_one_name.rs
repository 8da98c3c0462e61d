//! One name for two events.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Label)]
enum Other {
    Thing,
}
#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Used(FeatureUsed<Feature>),
    UsedAgain(FeatureUsed<Other>),
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
