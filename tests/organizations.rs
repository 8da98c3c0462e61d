//! A yes is for somebody: two programs of two organizations on one machine, as whole processes.

use automagik_telemetry_test_support::{Receiver, at_home, example, omni};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// A machine with `omni` of Automagik and `acme` of Acme on it, and a collector of each.
struct Machine {
    home: tempfile::TempDir,
    automagik: Receiver,
    acme: Receiver,
}

const OMNI: [&str; 2] = ["instance", "list"];
const ACME: [&str; 1] = ["run"];

impl Machine {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home, automagik: Receiver::start(), acme: Receiver::start() }
    }

    /// The program, with where each organization's data would go.
    fn program(&self, program: &Path) -> Command {
        let mut command = at_home(self.home.path(), program);
        command.env("AUTOMAGIK_TELEMETRY_ENDPOINT", self.automagik.endpoint());
        command.env("ACME_TELEMETRY_ENDPOINT", self.acme.endpoint());
        command
    }

    fn omni(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        said(self.program(omni()).args(arguments).envs(variables.iter().copied()).output().unwrap())
    }

    fn acme(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        said(self.program(example("acme")).args(arguments).envs(variables.iter().copied()).output().unwrap())
    }

    fn file(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }
}

fn said(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every file below `folder`, and what it holds.
fn files(folder: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.insert((path, bytes));
        }
    }
    found
}

#[test]
fn a_yes_to_one_organization_turns_on_no_program_of_another() {
    let machine = Machine::new();
    machine.omni(&["telemetry", "on"], &[]);
    assert!(machine.acme(&["telemetry", "status"], &[]).starts_with("Telemetry is off: nobody has agreed"));
    machine.acme(&ACME, &[("AUTOMAGIK_TELEMETRY_ENABLED", "true")]);
    assert_eq!(machine.acme.connections() + machine.automagik.connections(), 0);
    assert!(
        !machine.file(".config/acme-telemetry").exists()
            && !machine.file(".local/state/acme-telemetry").exists()
    );

    machine.acme(&["telemetry", "on"], &[]);
    machine.acme(&ACME, &[]);
    assert!(machine.acme.wait_for_logs(Duration::from_secs(30), 1));
    assert_eq!(machine.automagik.connections(), 0, "an event of acme went to automagik");
}

#[test]
fn a_no_to_one_organization_is_none_to_another_and_a_general_no_is_one_to_all() {
    let both = [("AUTOMAGIK_TELEMETRY_ENABLED", "true"), ("ACME_TELEMETRY_ENABLED", "true")];
    // Whether omni, and acme, is on.
    for (file, variable, omni, acme) in [
        (None, None, true, true),
        (Some(".acme-no-telemetry"), None, true, false),
        (Some(".automagik-no-telemetry"), None, false, true),
        (Some(".acme-thermostat-no-telemetry"), None, true, false),
        (Some(".no-telemetry"), None, false, false),
        (None, Some(("ACME_TELEMETRY_ENABLED", "false")), true, false),
        (None, Some(("AUTOMAGIK_TELEMETRY_ENABLED", "false")), false, true),
        (None, Some(("ACME_THERMOSTAT_DISABLE_TELEMETRY", "1")), true, false),
        (None, Some(("DO_NOT_TRACK", "1")), false, false),
    ] {
        let machine = Machine::new();
        if let Some(file) = file {
            std::fs::write(machine.file(file), "").unwrap();
        }
        let variables: Vec<_> = both.into_iter().chain(variable).collect();
        let is_on = |status: String| status.starts_with("Telemetry is on");
        let status = ["telemetry", "status"];
        let found = (is_on(machine.omni(&status, &variables)), is_on(machine.acme(&status, &variables)));
        assert_eq!(found, (omni, acme), "{file:?} {variable:?}");
    }
    let machine = Machine::new();
    machine.omni(&["telemetry", "on"], &[]);
    machine.acme(&["telemetry", "on"], &[]);
    machine.omni(&["telemetry", "off"], &[]);
    assert!(machine.acme(&["telemetry", "status"], &[]).starts_with("Telemetry is on"));
}

#[test]
fn neither_sees_or_deletes_what_is_the_others() {
    let machine = Machine::new();
    let away = |organization: &str| (format!("{organization}_TELEMETRY_ENDPOINT"), "http://127.0.0.1:9");
    for (program, arguments, organization) in
        [(omni(), &OMNI[..], "AUTOMAGIK"), (example("acme"), &ACME[..], "ACME")]
    {
        said(machine.program(program).args(["telemetry", "on"]).output().unwrap());
        let (name, value) = away(organization);
        said(machine.program(program).args(arguments).env(name, value).output().unwrap());
    }
    let secret = |organization| {
        std::fs::read(machine.file(&format!(".local/state/{organization}-telemetry/installation-secret")))
            .unwrap()
    };
    assert_ne!(secret("automagik"), secret("acme"));
    let of_automagik = || {
        let config = files(&machine.file(".config/automagik-telemetry"));
        let state = files(&machine.file(".local/state/automagik-telemetry"));
        // What a process that was left behind is doing, it does for its own.
        state
            .into_iter()
            .filter(|(path, _)| path.extension().is_some_and(|kind| kind == "logs"))
            .chain(config)
            .collect::<Vec<_>>()
    };
    let before = of_automagik();
    assert!(before.iter().any(|(path, _)| path.ends_with("choice")), "{before:?}");
    let forgotten = machine.acme(&["telemetry", "forget"], &[]);
    assert!(forgotten.contains("1 waiting record was deleted."), "{forgotten}");
    machine.acme(&["telemetry", "off"], &[]);
    assert_eq!(of_automagik(), before);
    assert!(!machine.file(".local/state/acme-telemetry/installation-secret").exists());
}

#[test]
fn a_program_touches_no_folder_variable_or_file_of_another_organization() {
    let machine = Machine::new();
    machine.omni(&["telemetry", "on"], &[]);
    let calls = machine.file("calls.txt");
    let mut strace = machine.program(Path::new("strace"));
    strace.env("PATH", std::env::var_os("PATH").unwrap()).env("ACME_TELEMETRY_ENABLED", "true");
    strace.args(["-f", "-qq", "-e", "trace=%file,connect", "-o"]).arg(&calls).arg(example("acme")).args(ACME);
    let Ok(ran) = strace.output() else {
        writeln!(std::io::stderr(), "SKIPPED: strace is not installed: which files a program looks at")
            .unwrap();
        return;
    };
    assert!(ran.status.success(), "{ran:?}");
    let calls = std::fs::read_to_string(calls).unwrap();
    assert!(calls.contains(".config/acme-telemetry/choice"), "it saw nothing: {calls}");
    // The administrator's file holds for all.
    let others: Vec<_> = calls
        .lines()
        .filter(|call| call.contains("automagik") && call.contains(machine.home.path().to_str().unwrap()))
        .collect();
    assert_eq!(others, [""; 0]);
    let to = |collector: &Receiver| calls.contains(&format!("htons({})", collector.port()));
    assert!(to(&machine.acme) && !to(&machine.automagik), "{calls}");
}

#[test]
fn a_version_that_can_say_more_stays_off_until_that_was_seen_and_nothing_waits_or_is_deleted() {
    let machine = Machine::new();
    machine.acme(&["telemetry", "on"], &[]);
    machine.acme(&ACME, &[]);
    assert!(machine.acme.wait_for_logs(Duration::from_secs(30), 1));
    // Nobody is at a terminal.
    let next = [("ACME_NEXT", "1")];
    machine.acme(&ACME, &next);
    let status = machine.acme(&["telemetry", "status"], &next);
    assert!(
        status.starts_with("Telemetry is off: this version can send more than what you agreed to"),
        "{status}"
    );
    assert_eq!(machine.acme.logs().len(), 1);
    // The version that was agreed to goes on, and so does one that was set on by name.
    machine.acme(&ACME, &[]);
    assert!(machine.acme.wait_for_logs(Duration::from_secs(30), 2));
    machine.acme(&ACME, &[("ACME_NEXT", "1"), ("ACME_TELEMETRY_ENABLED", "true")]);
    assert!(machine.acme.wait_for_logs(Duration::from_secs(30), 4));
    // Who says yes to this version says it to what it can say.
    machine.acme(&["telemetry", "on"], &next);
    machine.acme(&ACME, &next);
    assert!(machine.acme.wait_for_logs(Duration::from_secs(30), 6));
}
