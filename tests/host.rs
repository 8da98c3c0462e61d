//! The host goes on: whatever happens to it or to telemetry, it neither fails nor waits, and what it recorded is not lost
//! where that can be helped.

#![cfg(unix)]

use automagik_telemetry::{Count, Environment, Event, Schema, Telemetry};
use automagik_telemetry_test_support::{Receiver, omni};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

#[derive(Event, Clone, Copy)]
#[event(name = "host.numbered")]
struct Numbered {
    number: Count<100_000>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "host")]
enum Host {
    Numbered(Numbered),
}

const PATIENCE: Duration = Duration::from_secs(30);

fn telemetry(home: &Path, collector: &Receiver) -> Telemetry<Host> {
    let environment = Environment::at(home)
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    Telemetry::builder().environment(environment).build().unwrap()
}

/// A run of the example by somebody who agreed, through `sh` where `shell` says how.
fn run(home: &Path, collector: &Receiver, shell: &str) -> Output {
    Command::new("sh")
        .args(["-c", shell, "sh"])
        .arg(omni())
        .args(["instance", "list"])
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint())
        .output()
        .unwrap()
}

const PLAIN: &str = r#"exec "$@""#;

fn assert_well(output: &Output) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?} {error}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "no instances\n");
}

#[test]
fn a_program_that_is_over_at_once_has_its_event_delivered_by_the_process_that_it_leaves_behind() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    assert_well(&run(home.path(), &collector, PLAIN));
    assert!(collector.wait_for_logs(PATIENCE, 1), "nothing came");
    assert_eq!(collector.logs()[0].attribute("command"), "omni instance list");
}

#[test]
fn a_closed_standard_error_is_no_reason_to_fail() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let shell = r#"export AUTOMAGIK_TELEMETRY_TIMEOUT=soon AUTOMAGIK_TELEMETRY_VERBOSE=true; exec "$@" 2>&-"#;
    assert_well(&run(home.path(), &collector, shell));
}

#[test]
fn without_a_thread_the_program_goes_on_and_is_told() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    // More stack for a thread than there are addresses.
    let output = run(home.path(), &collector, r#"export RUST_MIN_STACK=140000000000000; exec "$@""#);
    assert_well(&output);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(told, "[Telemetry] Off, nothing is sent: the platform gave no thread\n");
}

#[test]
fn without_room_for_a_single_byte_the_program_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    assert_well(&run(home.path(), &collector, r#"trap '' XFSZ; ulimit -f 0; exec "$@""#));
}

#[test]
fn a_home_that_cannot_be_written_is_no_reason_to_fail() {
    let collector = Receiver::start();
    assert_well(&run(Path::new("/proc/nonexistent"), &collector, PLAIN));
}

#[test]
fn what_was_recorded_before_a_panic_is_delivered_by_the_next_run() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let thread = std::thread::scope(|scope| {
        let program = scope.spawn(|| {
            let telemetry = telemetry(home.path(), &collector);
            telemetry.record(Numbered { number: Count::new(1) });
            panic!("of the host, on purpose");
        });
        program.join()
    });
    assert!(thread.is_err());
    telemetry(home.path(), &collector).flush(PATIENCE).unwrap();
    assert_eq!(collector.logs().len(), 1);
}

#[test]
fn a_forked_child_records_and_ends_without_waiting_or_delivering_twice() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let telemetry = telemetry(home.path(), &collector);
    (0..50).for_each(|number| telemetry.record(Numbered { number: Count::new(number) }));
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            // More than the queue holds, so that every way through it is gone.
            (0..10_000).for_each(|_| telemetry.record(Numbered { number: Count::new(99_999) }));
            let _ = telemetry.flush(PATIENCE);
            drop(telemetry);
            std::process::abort();
        }
        fork::Fork::Parent(child) => {
            // A signal is how the child says that it came to its end: it did not hang.
            let _ = fork::waitpid(child);
        }
    }
    (50..100).for_each(|number| telemetry.record(Numbered { number: Count::new(number) }));
    telemetry.flush(PATIENCE).unwrap();
    let mut numbers: Vec<u32> =
        collector.logs().iter().map(|log| log.attribute("number").parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<u32>>());
}
