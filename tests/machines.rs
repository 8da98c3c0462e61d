//! Two kinds of machine, of one byte order and of the other, in one home: what one keeps, the other delivers. `.ci/machines` runs it.

use automagik_telemetry_test_support::{Answer, Receiver, Streams, at_home, example};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// The command that runs the probe of another machine.
const OTHER: &str = "PROBE_OF_ANOTHER_MACHINE";

/// The probe, whose program may be an emulator with the probe as its last argument.
fn probe(command: &[String], home: &Path, collector: &Receiver, arguments: &str) -> Command {
    let mut probe = at_home(home, &command[0]);
    probe.args(&command[1..]).args(arguments.split(' '));
    probe.env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
    probe.env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    probe.stdout(Stdio::null());
    probe
}

#[test]
#[ignore = "needs the probe of another machine"]
fn what_one_kind_of_machine_keeps_the_other_delivers() {
    let this = vec![example("probe").to_string_lossy().into_owned()];
    let other = std::env::var(OTHER).expect("PROBE_OF_ANOTHER_MACHINE: its command");
    let other: Vec<String> = other.split(' ').map(str::to_owned).collect();
    for (keeps, delivers) in [(&this, &other), (&other, &this)] {
        let home = tempfile::tempdir().unwrap();
        let takes = Arc::new(AtomicBool::new(false));
        let answers = takes.clone();
        let answer = move |_| Answer::status(if answers.load(Ordering::Relaxed) { 200 } else { 503 });
        let collector = Receiver::answering(answer);
        assert!(probe(keeps, home.path(), &collector, "1 50").status().unwrap().success());
        takes.store(true, Ordering::Relaxed);
        let mut running = probe(delivers, home.path(), &collector, "2 0 linger=60000").spawn().unwrap();
        assert!(collector.wait_for_logs(PATIENCE, 50), "{keeps:?}: {} of 50", collector.logs().len());
        let sum = || {
            let mut streams = Streams::new();
            let requests = collector.requests();
            let taken =
                requests.iter().filter(|request| request.path == "/v1/metrics" && request.answered == 200);
            taken.for_each(|request| streams.take(&request.body));
            streams.sum("probe.calls")
        };
        let start = std::time::Instant::now();
        while sum() < 50 && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(sum(), 50, "{keeps:?}");
        running.kill().unwrap();
        running.wait().unwrap();
    }
}
