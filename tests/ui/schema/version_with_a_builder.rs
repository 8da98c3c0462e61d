//! Build metadata holds who built it.

use automagik_telemetry::{FeatureUsed, Label, Schema};

#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app", version = "1.0.0+alice")]
enum App {
    Used(FeatureUsed<Feature>),
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
