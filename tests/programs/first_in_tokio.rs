//! README's first example inside an async runtime, which has descriptors of its own for I/O and signals: nothing else changes.

use automagik_telemetry::{FeatureUsed, Label, Schema, Telemetry};

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Feature(FeatureUsed<Feature>),
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let telemetry = Telemetry::<Omni>::builder().upload_in_background(true).start();
    telemetry.record(FeatureUsed { feature: Feature::ListContacts });
}
