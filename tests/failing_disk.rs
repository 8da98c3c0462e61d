//! A disk that fails: the Nth call of each function that touches it, with each error, for every N that a run gets to. The host's
//! output and exit code never change, and what it recorded arrives or is told.
//!
//! The last run of each row, whose disk is well, delivers what was left. `cargo test --test failing_disk -- --nocapture` prints the
//! table.

#![cfg(target_os = "linux")]

use automagik_telemetry_test_support::{Receiver, example};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const CALLS: [&str; 8] = ["open", "write", "rename", "unlink", "mkdir", "chmod", "lock", "readdir"];

/// Linux on all processors that we run on.
const ERRORS: [(&str, i32); 5] = [("EIO", 5), ("ENOSPC", 28), ("EDQUOT", 122), ("EROFS", 30), ("EINTR", 4)];

const EVENTS: u32 = 5;

const CALLS_MAX: u32 = 100;

/// The library that is preloaded; nothing where there is no C compiler.
fn library(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("failing_disk.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/failing_disk.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    if !built.is_ok_and(|status| status.success()) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: there is no C compiler `cc`");
        return None;
    }
    Some(library)
}

/// What became of the events of one row.
#[derive(Debug, Default)]
struct Row {
    runs: u32,
    /// Runs that could not read whether the person agrees, and so recorded nothing.
    off: u32,
    delivered: u32,
    told: u32,
    twice: u32,
    /// Runs of which nothing was delivered.
    missing: Vec<u32>,
}

/// Runs the probe again and again, each time with the next call failing, until two runs have no such call any more. Where `wait` is
/// said they deliver what they record, otherwise they leave it to the next run.
fn row(library: &Path, call: &str, errno: i32, wait: bool) -> Row {
    let collector = Receiver::start();
    let folder = tempfile::tempdir().unwrap();
    let (home, report) = (folder.path().join("home"), folder.path().join("report"));
    let probe = |arguments: &[&str]| {
        let mut probe = Command::new(example("probe"));
        probe.args(arguments).env_clear().env("HOME", &home).env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
        probe.env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
        probe
    };
    let (mut row, mut without) = (Row::default(), 0);
    for n in 1..=CALLS_MAX {
        // Every other run begins with nothing on disk.
        if n % 2 == 0 {
            std::fs::create_dir_all(&home).unwrap();
        } else {
            deliver(&home, &probe);
            let _ = std::fs::remove_dir_all(&home);
            std::fs::create_dir_all(&home).unwrap();
        }
        let _ = std::fs::remove_file(&report);
        let on = folder.path().join("on");
        let _ = std::fs::remove_file(&on);
        let end = if wait { "wait" } else { "" };
        let output = probe(&[&n.to_string(), &EVENTS.to_string(), &format!("on={}", on.display()), end])
            .env("LD_PRELOAD", library)
            .envs([("FAIL_CALL", call), ("FAIL_N", &n.to_string()), ("FAIL_ERRNO", &errno.to_string())])
            .env("FAIL_UNDER", &home)
            .env("FAIL_REPORT", &report)
            .output()
            .unwrap();
        assert!(output.status.success(), "{call} {n}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "recorded\n", "{call} {n}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{call} {n}");
        row.runs = n;
        row.off += u32::from(!on.exists());
        without = if report.exists() { 0 } else { without + 1 };
        if without == 2 {
            break;
        }
    }
    deliver(&home, &probe);
    let mut delivered = BTreeMap::<(String, String), u32>::new();
    for log in collector.logs() {
        match log.event.as_str() {
            "probe.step" => {
                let key = (log.attribute("process").to_owned(), log.attribute("sequence").to_owned());
                *delivered.entry(key).or_default() += 1;
            }
            _ => row.told += log.attribute("count").parse::<u32>().unwrap(),
        }
    }
    row.missing =
        (1..=row.runs).filter(|n| !delivered.contains_key(&(n.to_string(), "0".to_owned()))).collect();
    row.delivered = delivered.len() as u32;
    row.twice = delivered.values().map(|times| times - 1).sum();
    row
}

/// A run whose disk is well, which waits until all is delivered.
fn deliver(home: &Path, probe: &impl Fn(&[&str]) -> Command) {
    if home.exists() {
        assert!(probe(&["1000", "0", "wait"]).output().unwrap().status.success());
    }
}

#[test]
fn whichever_call_fails_the_host_never_learns_of_it_and_nothing_is_lost_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = library(folder.path()) else { return };
    let mut output = std::io::stdout();
    writeln!(output, "| run | call | error | runs | off | events | delivered | told | twice |").unwrap();
    writeln!(output, "|---|---|---|---|---|---|---|---|---|").unwrap();
    for (wait, kind) in [(false, "short"), (true, "waits")] {
        for call in CALLS {
            for (name, errno) in ERRORS {
                let row = row(&library, call, errno, wait);
                let Row { runs, off, delivered, told, twice, .. } = &row;
                let events = (runs - off) * EVENTS;
                let line = format!("{runs} | {off} | {events} | {delivered} | {told} | {twice}");
                writeln!(output, "| {kind} | {call} | {name} | {line} |").unwrap();
                assert_eq!((delivered + told, *twice), (events, 0), "{kind} {call} {name}: {row:?}");
            }
        }
    }
}

#[test]
fn without_locks_everything_is_kept_and_delivered_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = library(folder.path()) else { return };
    // ENOLCK, ENOSYS, EBADF, EOPNOTSUPP
    for errno in [37, 38, 9, 95] {
        let (home, collector) = (folder.path().join(errno.to_string()), Receiver::start());
        std::fs::create_dir(&home).unwrap();
        let probe = |arguments: &str| {
            let mut probe = Command::new(example("probe"));
            probe
                .args(arguments.split(' '))
                .env_clear()
                .env("HOME", &home)
                .env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
            probe.env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint()).env("LD_PRELOAD", &library);
            probe.env("FAIL_UNDER", &home).envs([("FAIL_CALL", "lock"), ("FAIL_N", "0")]);
            probe.env("FAIL_ERRNO", errno.to_string()).stdout(std::process::Stdio::null());
            probe
        };
        let mut running: Vec<_> =
            (1..=20).map(|process| probe(&format!("{process} 5 linger=150")).spawn().unwrap()).collect();
        running.iter_mut().for_each(|child| assert!(child.wait().unwrap().success()));
        assert!(probe("21 5 wait").status().unwrap().success());
        let mut delivered = BTreeMap::<(String, String), u32>::new();
        for log in collector.logs() {
            let key = (log.attribute("process").to_owned(), log.attribute("sequence").to_owned());
            *delivered.entry(key).or_default() += 1;
        }
        let twice = delivered.values().filter(|times| **times > 1).count();
        assert_eq!((delivered.len(), twice), (105, 0), "{errno}");
    }
}
