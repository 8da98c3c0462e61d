//! Without consent: no file, no thread, no socket. One test, so that nothing else in this process makes any. Threads and
//! sockets can be counted on Linux.

use automagik_telemetry::{Environment, FeatureUsed, Label, Schema, Telemetry, signals};
use automagik_telemetry_test_support::Receiver;
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

fn entries(folder: impl AsRef<Path>) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn threads() -> usize {
    if cfg!(target_os = "linux") { entries("/proc/self/task") } else { 0 }
}

fn sockets() -> usize {
    std::fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

#[test]
fn without_consent_there_is_no_file_no_thread_and_no_socket() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let nothing_said =
        Environment::at(home.path()).with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    let refused =
        nothing_said.clone().with("AUTOMAGIK_TELEMETRY_ENABLED", "true").with(signals::DO_NOT_TRACK, "1");
    let (before, open) = (threads(), sockets());
    for environment in [nothing_said.clone(), refused] {
        let telemetry = Telemetry::<Omni>::builder().environment(environment).build().unwrap();
        for _ in 0..1_000 {
            telemetry.record(FeatureUsed { feature: Feature::ListContacts });
        }
        telemetry.flush(Duration::from_secs(1)).unwrap();
        assert!(!telemetry.is_on());
        assert_eq!(threads(), before, "threads");
        assert_eq!(sockets(), open, "sockets");
        assert_eq!(entries(home.path()), 0, "files");
    }
    assert_eq!(collector.connections(), 0);

    // That this would see them: with consent there is one more thread, and there are files.
    let environment = nothing_said.with("AUTOMAGIK_TELEMETRY_ENABLED", "true");
    let telemetry = Telemetry::<Omni>::builder().environment(environment).build().unwrap();
    assert!(telemetry.is_on());
    if cfg!(target_os = "linux") {
        assert_eq!(threads(), before + 1);
    }
    assert!(entries(home.path()) > 0);
}
