//! The policy's example event, from an application that was told "yes" to a collector, over a real socket.

use automagik_telemetry::{Environment, FeatureUsed, Label, Schema, Telemetry};
use automagik_telemetry_test_support::{Log, Receiver};
use std::path::Path;
use std::time::Duration;

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Feature(FeatureUsed<Feature>),
}

const PATIENCE: Duration = Duration::from_secs(20);

fn agreed(home: &Path, collector: &Receiver) -> Environment {
    Environment::at(home)
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint())
}

fn one_event(home: &Path, collector: &Receiver) -> Log {
    let telemetry = Telemetry::<Omni>::builder().environment(agreed(home, collector)).build().unwrap();
    telemetry.record(FeatureUsed { feature: Feature::ListContacts });
    telemetry.flush(PATIENCE).unwrap();
    collector.logs().pop().unwrap()
}

#[test]
fn it_arrives_and_nothing_that_points_at_a_person_comes_with_it() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let log = one_event(home.path(), &collector);
    assert_eq!(log.event, "automagik.feature.used");
    assert_eq!(log.attribute("feature_name"), "list_contacts");
    assert_eq!(log.attributes.len(), 1);
    assert_eq!(log.resource["service.name"], "omni");
    assert_eq!(log.resource["os.type"], std::env::consts::OS.replace("macos", "darwin"));
    let id = &log.resource["app.installation.id"];
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let keys: Vec<&str> = log.resource.keys().map(String::as_str).collect();
    let expected = [
        "app.installation.id",
        "host.arch",
        "os.type",
        "service.name",
        "service.version",
        "telemetry.sdk.language",
        "telemetry.sdk.name",
        "telemetry.sdk.version",
    ];
    assert_eq!(keys, expected);
    assert_eq!(log.time % 60_000_000_000, 0, "times are whole minutes");
}

#[test]
fn the_request_is_otlp_over_http() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    one_event(home.path(), &collector);
    let request = &collector.requests()[0];
    assert_eq!(request.path, "/v1/logs");
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    let agent = format!("automagik-telemetry-rust/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), Some(agent.as_str()));
    for absent in ["cookie", "referer", "authorization", "accept-language"] {
        assert_eq!(request.header(absent), None);
    }
}

#[test]
fn an_installation_is_one_and_the_same_and_two_are_not() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Receiver::start();
    let id = |home: &Path| one_event(home, &collector).resource["app.installation.id"].clone();
    assert_eq!(id(home.path()), id(home.path()));
    assert_ne!(id(home.path()), id(other.path()));
}

#[test]
fn batches_are_of_at_most_100_records() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let telemetry =
        Telemetry::<Omni>::builder().environment(agreed(home.path(), &collector)).build().unwrap();
    for _ in 0..1_000 {
        telemetry.record(FeatureUsed { feature: Feature::ListContacts });
    }
    telemetry.flush(PATIENCE).unwrap();
    assert_eq!(collector.logs().len(), 1_000);
    let counts: Vec<usize> = collector
        .requests()
        .iter()
        .map(|request| automagik_telemetry_test_support::logs(&request.body).len())
        .collect();
    assert!(counts.iter().all(|count| (1..=100).contains(count)), "{counts:?}");
    assert_eq!(collector.connections(), 1, "the connection is kept");
}

#[test]
fn a_flush_with_nothing_recorded_sends_nothing() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let telemetry =
        Telemetry::<Omni>::builder().environment(agreed(home.path(), &collector)).build().unwrap();
    telemetry.flush(PATIENCE).unwrap();
    assert_eq!(collector.requests().len(), 0);
    assert_eq!(collector.connections(), 0);
}

#[test]
fn a_wrong_endpoint_is_an_error_that_names_the_variable_and_sends_nothing() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    for wrong in ["", "not a url", "ftp://localhost"] {
        let environment = agreed(home.path(), &collector).with("AUTOMAGIK_TELEMETRY_ENDPOINT", wrong);
        let error = Telemetry::<Omni>::builder().environment(environment.clone()).build().unwrap_err();
        assert!(error.to_string().starts_with("AUTOMAGIK_TELEMETRY_ENDPOINT "), "{error}");
        let telemetry = Telemetry::<Omni>::builder().environment(environment).start();
        assert!(!telemetry.is_on());
        telemetry.record(FeatureUsed { feature: Feature::ListContacts });
    }
    assert_eq!(collector.connections(), 0);
}
