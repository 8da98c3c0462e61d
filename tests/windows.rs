//! What only Windows does: files that somebody has open can't be removed, a lock keeps readers away, a child inherits pipes, the
//! profile has folders of its own. Everything else that holds there, the other tests hold.

#![cfg(windows)]

use automagik_telemetry::{Count, Environment, Event, Rights, Schema, Telemetry};
use automagik_telemetry_test_support::{Answer, Receiver, at_home, example, omni};
use std::ffi::OsString;
use std::fs::File;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// Of a test that is run by another one: the home that it works in.
const HOME: &str = "WINDOWS_TEST_HOME";

#[derive(Event, Clone, Copy)]
#[event(name = "windows.numbered")]
struct Numbered {
    number: Count<100_000>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "windows")]
enum App {
    Numbered(Numbered),
}

fn environment(home: &Path, endpoint: &str) -> Environment {
    Environment::at(home)
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", endpoint)
}

fn rights(home: &Path) -> Rights<App> {
    Telemetry::<App>::builder().environment(environment(home, "http://127.0.0.1:9")).rights()
}

fn on(home: &Path, endpoint: &str) -> Command {
    let mut command = at_home(home, omni());
    command.env("AUTOMAGIK_TELEMETRY_ENABLED", "true").env("AUTOMAGIK_TELEMETRY_ENDPOINT", endpoint);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn assert_well(mut run: impl FnMut(&[&str]) -> Output) {
    let output = run(&["instance", "list"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(text(&output.stdout).trim_end(), "no instances");
    let status = text(&run(&["telemetry", "status"]).stdout);
    assert!(status.starts_with("Telemetry is on"), "{status}");
}

/// A program whose request of five events is on its way, and with it all locks are taken, until something is sent to the channel: then
/// the collector answers `status`.
fn delivering(home: &Path, status: u16) -> (Receiver, mpsc::Sender<()>, Telemetry<App>) {
    let (answer, may_answer) = mpsc::channel::<()>();
    let collector = Receiver::answering(move |_| {
        let _ = may_answer.recv_timeout(PATIENCE);
        Answer::status(status)
    });
    let telemetry =
        Telemetry::<App>::builder().environment(environment(home, &collector.endpoint())).build().unwrap();
    (0..5).for_each(|number| telemetry.record(Numbered { number: Count::new(number) }));
    assert!(telemetry.flush(Duration::from_millis(300)).is_err());
    (collector, answer, telemetry)
}

/// Run by the test below, in another process than the program that delivers.
#[test]
#[ignore = "does nothing unless another test starts it"]
fn another_process_looks() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else { return };
    let rights = rights(&home);
    assert_eq!(rights.waiting().shown.len(), 5);
    assert!(rights.status().to_string().contains("Waiting for delivery: 5"), "{}", rights.status());
}

#[test]
fn what_waits_is_shown_beside_a_program_that_is_delivering_it() {
    let home = tempfile::tempdir().unwrap();
    let (collector, answer, telemetry) = delivering(home.path(), 200);
    assert_eq!(collector.connections(), 1);
    let looked = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "another_process_looks", "--ignored"])
        .env(HOME, home.path())
        .output()
        .unwrap();
    assert!(looked.status.success(), "{}", text(&looked.stdout));
    answer.send(()).unwrap();
    telemetry.flush(PATIENCE).unwrap();
    assert_eq!(rights(home.path()).waiting().shown.len(), 0);
}

#[test]
fn a_no_beside_a_program_that_is_delivering_deletes_what_waits() {
    let home = tempfile::tempdir().unwrap();
    let (_collector, answer, telemetry) = delivering(home.path(), 503);
    let (_, deleted) = rights(home.path()).turn_off().unwrap();
    assert_eq!(deleted, 5);
    answer.send(()).unwrap();
    drop(telemetry);
    assert_eq!(rights(home.path()).waiting().shown.len(), 0);
}

#[test]
fn a_file_that_somebody_keeps_open_is_named_and_the_no_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::<App>::builder()
        .environment(environment(home.path(), "http://127.0.0.1:9"))
        .build()
        .unwrap();
    telemetry.record(Numbered { number: Count::new(1) });
    telemetry.flush(Duration::from_millis(300)).unwrap_err();
    drop(telemetry);
    let spool = home.path().join(".local/state/automagik-telemetry/windows/spool");
    let files = || std::fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().path());
    let open = |path: PathBuf| File::options().read(true).share_mode(0).open(path).unwrap();
    let held: Vec<File> = files().map(open).collect();
    let error = rights(home.path()).turn_off().unwrap_err().to_string();
    assert!(error.contains("spool"), "{error}");
    drop(held);
    rights(home.path()).turn_off().unwrap();
    assert_eq!(rights(home.path()).waiting().shown.len(), 0);
    let choice = home.path().join(".config/automagik-telemetry/choice");
    assert!(std::fs::read_to_string(choice).unwrap().ends_with("no\n"));
}

#[test]
fn of_programs_that_answer_at_once_each_is_well_and_the_file_holds_one_answer() {
    let home = tempfile::tempdir().unwrap();
    let running: Vec<_> = (0..8)
        .map(|n| {
            let mut command = at_home(home.path(), omni());
            command.args(["telemetry", if n % 2 == 0 { "on" } else { "off" }]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for program in running {
        let output = program.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let choice = home.path().join(".config/automagik-telemetry/choice");
    let answer = std::fs::read_to_string(choice).unwrap();
    assert!(answer.ends_with("yes\n") || answer.ends_with("no\n"), "{answer}");
}

#[test]
fn folders_of_the_profile_that_are_missing_or_no_absolute_paths_are_no_reason_to_fail() {
    let home = tempfile::tempdir().unwrap();
    for folder in [None, Some(""), Some("relative"), Some(r"Z:relative"), Some(r"\\?\Z:\nowhere\at\all")] {
        assert_well(|arguments| {
            let mut command = on(home.path(), "http://127.0.0.1:9");
            command.env_remove("APPDATA").env_remove("LOCALAPPDATA").current_dir(home.path());
            if let Some(folder) = folder {
                command.env("APPDATA", folder).env("LOCALAPPDATA", folder);
            }
            command.args(arguments).output().unwrap()
        });
        assert!(!home.path().join("relative").exists(), "kept in the folder that somebody stood in");
    }
}

#[test]
fn a_profile_whose_path_is_no_unicode_is_no_reason_to_fail() {
    let folder = tempfile::tempdir().unwrap();
    // A surrogate that stands alone.
    let home = folder.path().join(OsString::from_wide(&[0x63, 0xD800, 0x66]));
    let _ = std::fs::create_dir(&home);
    assert_well(|arguments| on(&home, "http://127.0.0.1:9").args(arguments).output().unwrap());
}

#[test]
fn what_reads_the_output_of_a_program_does_not_wait_for_what_it_leaves_behind() {
    let home = tempfile::tempdir().unwrap();
    let (end, ended) = mpsc::channel();
    // Answers nobody: what delivers to it would live for a minute.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let mut command = on(home.path(), &endpoint);
    command.args(["instance", "list"]);
    std::thread::spawn(move || end.send(command.output().unwrap()));
    let output = ended.recv_timeout(PATIENCE).expect("somebody else has the pipe");
    assert!(output.status.success(), "{output:?}");
    drop(listener);
}

#[test]
fn a_program_without_pipes_leaves_one_behind_that_delivers() {
    let home = tempfile::tempdir().unwrap();
    // The first is not taken, so that the run itself can't have delivered.
    let collector = Receiver::answering(|n| Answer::status(if n == 0 { 503 } else { 200 }));
    let file = |name: &str| File::create_new(home.path().join(name)).unwrap();
    file("in");
    let run = on(home.path(), &collector.endpoint())
        .args(["instance", "list"])
        .stdin(File::open(home.path().join("in")).unwrap())
        .stdout(file("out"))
        .stderr(file("err"))
        .status()
        .unwrap();
    assert!(run.success());
    assert!(collector.wait_for_logs(PATIENCE, 1), "nothing was delivered");
}

#[test]
fn programs_that_are_terminated_lose_nothing_that_was_kept() {
    let home = tempfile::tempdir().unwrap();
    let takes = Arc::new(AtomicBool::new(false));
    let answers = takes.clone();
    let collector =
        Receiver::answering(move |_| Answer::status(if answers.load(Ordering::Relaxed) { 200 } else { 503 }));
    let probe = |process: u32, count: u32| {
        let mut probe = at_home(home.path(), example("probe"));
        probe.args([&process.to_string(), &count.to_string(), "linger=60000"]);
        probe.env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
        probe.env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
        probe.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let waiting = || {
        std::fs::read_dir(home.path().join(".local/state/automagik-telemetry/probe/spool"))
            .map_or(0, |entries| entries.flatten().filter(|entry| entry.file_name().len() > 40).count())
    };
    for process in 0..10 {
        let before = waiting();
        let mut running = probe(process, 20);
        let start = Instant::now();
        while waiting() <= before && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        running.kill().unwrap();
        running.wait().unwrap();
    }
    takes.store(true, Ordering::Relaxed);
    let mut last = probe(99, 0);
    assert!(collector.wait_for_logs(PATIENCE, 200), "{} of 200", collector.logs().len());
    last.kill().unwrap();
    last.wait().unwrap();
}

#[test]
fn an_administrators_no_is_looked_for_where_windows_has_such_things() {
    let (home, program_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = program_data.path().join("automagik-telemetry");
    std::fs::create_dir(&folder).unwrap();
    File::create(folder.join("no-telemetry")).unwrap();
    let mut command = on(home.path(), "http://127.0.0.1:9");
    let status =
        command.env("ProgramData", program_data.path()).args(["telemetry", "status"]).output().unwrap();
    assert!(text(&status.stdout).starts_with("Telemetry is off"), "{status:?}");
}
