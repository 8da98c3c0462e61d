//! It compiles, counts, and would never leave.
use automagik_telemetry::{Counter, FeatureUsed, Label, Metrics, Schema};

#[derive(Label, Clone, Copy)]
enum Feature {
    List,
}

#[derive(Metrics)]
struct OmniMetrics {
    #[metric(name = "omni.starts")]
    starts: Counter<()>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Feature(FeatureUsed<Feature>),
}

fn main() {
    OmniMetrics::global().starts.add(());
    let _ = Omni::Feature(FeatureUsed { feature: Feature::List });
}
