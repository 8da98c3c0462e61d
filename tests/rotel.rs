//! A real collector: `rotel`, which nobody here wrote. Skipped, and said so, where `rotel-agent` is neither on the path
//! nor named by `ROTEL_AGENT`; `.ci/run` installs it.

use automagik_telemetry::{
    Counter, Environment, FeatureUsed, Histogram, Label, Metrics, Milliseconds, Schema, Telemetry,
};
use automagik_telemetry_test_support::Rotel;
use std::time::Duration;

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
}

#[derive(Metrics)]
struct OmniMetrics {
    #[metric(name = "automagik.feature.count", by = "feature_name")]
    features: Counter<Feature>,
    #[metric(name = "omni.wait")]
    wait: Histogram<(), Milliseconds>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni", metrics = OmniMetrics)]
enum Omni {
    Feature(FeatureUsed<Feature>),
}

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn rotel_takes_the_policys_example_and_shows_it() {
    let Some(rotel) = Rotel::start() else { return };
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::at(home.path())
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", rotel.endpoint());
    let telemetry = Telemetry::<Omni>::builder().environment(environment).build().unwrap();
    telemetry.record(FeatureUsed { feature: Feature::ListContacts });
    (0..7).for_each(|_| OmniMetrics::global().features.add(Feature::ListContacts));
    OmniMetrics::global().wait.record((), Milliseconds::new(12));
    telemetry.flush(PATIENCE).unwrap();

    let shown = rotel.shows(PATIENCE, &["feature_name", "omni.wait"]);
    println!("{shown}");
    for expected in [
        "automagik.feature.used",
        "service.name: Str(omni)",
        "feature_name: Str(list_contacts)",
        "os.type: Str(",
        "app.installation.id: Str(",
    ] {
        assert!(shown.contains(expected), "`{expected}` is missing in:\n{shown}");
    }
    for personal in ["host.name", "host.id", "process.", "user.", "device.id", "service.instance.id"] {
        assert!(!shown.contains(personal), "`{personal}` stands in:\n{shown}");
    }
}
