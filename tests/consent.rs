//! The policy's "Your Control", row by row; and that without consent a whole process leaves no trace.

use automagik_telemetry::consent::Because;
use automagik_telemetry::{Builder, Environment, FeatureUsed, Label, Schema, Telemetry, signals};

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Feature(FeatureUsed<Feature>),
}

/// What a person did, and what follows.
struct Row {
    policy: &'static str,
    variables: &'static [(&'static str, &'static str)],
    /// Files in the home, and what they hold.
    files: &'static [(&'static str, &'static str)],
    because: Because,
}

const YES: (&str, &str) = ("AUTOMAGIK_TELEMETRY_ENABLED", "true");
const CHOICE: &str = ".config/automagik-telemetry/choice";

const ROWS: &[Row] = &[
    Row { policy: "disabled by default", variables: &[], files: &[], because: Because::NothingSaid },
    Row {
        policy: "export AUTOMAGIK_TELEMETRY_ENABLED=true",
        variables: &[YES],
        files: &[],
        because: Because::VariableYes,
    },
    Row {
        policy: "first run prompts you: yes",
        variables: &[],
        files: &[(CHOICE, "yes\n")],
        because: Because::StoredYes,
    },
    Row {
        policy: "first run prompts you: no",
        variables: &[YES],
        files: &[(CHOICE, "no\n")],
        because: Because::StoredNo,
    },
    Row {
        policy: "export AUTOMAGIK_TELEMETRY_ENABLED=false",
        variables: &[("AUTOMAGIK_TELEMETRY_ENABLED", "false")],
        files: &[(CHOICE, "yes\n")],
        because: Because::VariableNo,
    },
    Row {
        policy: "touch ~/.automagik-no-telemetry",
        variables: &[YES],
        files: &[(".automagik-no-telemetry", ""), (CHOICE, "yes\n")],
        because: Because::OptOutFile,
    },
    Row {
        policy: "the administrator's no",
        variables: &[YES],
        files: &[("etc/automagik-telemetry/no-telemetry", ""), (CHOICE, "yes\n")],
        because: Because::MachineOptOut,
    },
    Row {
        policy: "disabled in CI environments: GitHub Actions",
        variables: &[YES, ("GITHUB_ACTIONS", "true")],
        files: &[(CHOICE, "yes\n")],
        because: Because::Ci,
    },
    Row {
        policy: "disabled in CI environments: GitLab CI",
        variables: &[YES, ("GITLAB_CI", "true")],
        files: &[],
        because: Because::Ci,
    },
    Row {
        policy: "disabled in development mode (ENVIRONMENT=dev)",
        variables: &[YES, ("ENVIRONMENT", "dev")],
        files: &[(CHOICE, "yes\n")],
        because: Because::Development,
    },
    Row {
        policy: "disabled in test environments",
        variables: &[YES, ("ENVIRONMENT", " Testing ")],
        files: &[],
        because: Because::Development,
    },
    Row {
        policy: "disabled in test environments: a test runner",
        variables: &[YES, ("NEXTEST", "1")],
        files: &[],
        because: Because::TestRun,
    },
    Row {
        policy: "a value that is neither yes nor no is no yes",
        variables: &[("AUTOMAGIK_TELEMETRY_ENABLED", "please")],
        files: &[(CHOICE, "yes\n")],
        because: Because::VariableUnintelligible,
    },
    Row {
        policy: "DO_NOT_TRACK",
        variables: &[YES, ("DO_NOT_TRACK", "true")],
        files: &[(CHOICE, "yes\n")],
        because: Because::DoNotTrack,
    },
    Row {
        policy: "an older name: the variable",
        variables: &[YES, ("AUTOMAGIK_OMNI_DISABLE_TELEMETRY", "1")],
        files: &[],
        because: Because::ProjectOptOut,
    },
    Row {
        policy: "an older name: the file",
        variables: &[YES],
        files: &[(".automagik-omni-no-telemetry", "")],
        because: Because::ProjectOptOut,
    },
    Row {
        policy: "an answer that can't be read is no yes",
        variables: &[YES],
        files: &[(CHOICE, "\u{FFFD}")],
        because: Because::StoredUnintelligible,
    },
];

/// The row's person, as a builder sees them.
fn builder(row: &Row, home: &std::path::Path) -> Builder<Omni> {
    for (name, holds) in row.files {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, holds).unwrap();
    }
    let environment = Environment::at(home).with("AUTOMAGIK_TELEMETRY_ENDPOINT", "http://127.0.0.1:9");
    let environment =
        row.variables.iter().fold(environment, |environment, (name, value)| environment.with(name, value));
    Telemetry::builder().environment(environment)
}

#[test]
fn each_row_of_the_policys_control_section_holds() {
    for row in ROWS {
        let home = tempfile::tempdir().unwrap();
        let telemetry = builder(row, home.path()).start();
        telemetry.record(FeatureUsed { feature: Feature::ListContacts });
        assert_eq!(telemetry.decision().because(), row.because, "{}", row.policy);
        assert_eq!(telemetry.is_on(), telemetry.decision().enabled(), "{}", row.policy);
    }
}

#[test]
fn no_switch_in_code_turns_on_what_the_person_turned_off() {
    for row in ROWS {
        let home = tempfile::tempdir().unwrap();
        let is_on = builder(row, home.path()).start().is_on();
        let every_switch = builder(row, home.path())
            .opt_out(false)
            .verbose(true)
            .interval(std::time::Duration::ZERO)
            .timeout(std::time::Duration::from_secs(1))
            .compression(false)
            .wait_at_exit(std::time::Duration::ZERO)
            .upload_in_background(true);
        assert_eq!(every_switch.start().is_on(), is_on, "{}", row.policy);
        assert!(!builder(row, home.path()).opt_out(true).start().is_on(), "{}", row.policy);
    }
}

#[test]
fn a_dialog_is_not_even_asked_where_something_is_decided() {
    struct AlwaysYes;
    impl automagik_telemetry::Ask for AlwaysYes {
        fn ask(&mut self, question: &automagik_telemetry::Question) -> automagik_telemetry::Reply {
            assert_eq!(question.project(), "omni");
            automagik_telemetry::Reply::Yes
        }
    }
    for row in ROWS {
        let home = tempfile::tempdir().unwrap();
        let because = builder(row, home.path()).ask(AlwaysYes).start().decision().because();
        let expected = if row.because == Because::NothingSaid { Because::StoredYes } else { row.because };
        assert_eq!(because, expected, "{}", row.policy);
    }
}

#[test]
fn the_list_of_ci_services_has_the_well_known() {
    assert!(signals::CI.len() >= 15);
}

/// What the operating system is asked for: a whole process under strace.
#[cfg(target_os = "linux")]
mod trace {
    use automagik_telemetry_test_support::{Receiver, omni};
    use std::io::Write;
    use std::path::Path;
    use std::process::Command;

    /// The calls of a run that make or change files, or open sockets.
    fn traces(home: &Path, endpoint: &str, enabled: Option<&str>) -> Option<Vec<String>> {
        let output = home.join("../calls.txt");
        let mut command = Command::new("strace");
        command.args([
            "-f",
            "-qq",
            "-e",
            "trace=openat,open,creat,mkdir,mkdirat,socket,connect,rename,renameat2",
        ]);
        command.arg("-o").arg(&output).arg(omni()).args(["instance", "list"]);
        command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH")?);
        command.env("AUTOMAGIK_TELEMETRY_ENDPOINT", endpoint);
        enabled.map(|enabled| command.env("AUTOMAGIK_TELEMETRY_ENABLED", enabled));
        let Ok(ran) = command.output() else {
            let skipped = "SKIPPED: strace is not installed: that a process without consent leaves no trace";
            let mut error = std::io::stderr();
            writeln!(error, "{skipped}").unwrap();
            return None;
        };
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "no instances\n", "{ran:?}");
        let calls = std::fs::read_to_string(output).unwrap();
        assert!(calls.contains("openat"), "it saw nothing: {calls}");
        let leaves = ["O_CREAT", "O_WRONLY", "O_RDWR", "creat(", "mkdir", "socket(", "connect(", "rename"];
        Some(
            calls
                .lines()
                .filter(|call| leaves.iter().any(|name| call.contains(name)))
                .map(str::to_owned)
                .collect(),
        )
    }

    #[test]
    fn a_process_without_consent_makes_no_file_and_no_socket() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        // One that answers: what a run leaves behind is over when that is done.
        let collector = Receiver::start();
        let endpoint = collector.endpoint();
        for enabled in [None, Some("false"), Some("perhaps")] {
            let Some(traces) = traces(&home, &endpoint, enabled) else { return };
            assert_eq!(traces, [""; 0], "{enabled:?}");
        }
        assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0);
        // That this would see them.
        assert!(!traces(&home, &endpoint, Some("true")).unwrap().is_empty());
    }
}

/// Homes as they should not be: the host runs on, and says nothing of it but what the person must know.
#[cfg(unix)]
mod homes {
    use automagik_telemetry_test_support::{Disk, omni};
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStringExt;
    use std::process::{Command, Output};

    fn run(home: &OsStr, arguments: &[&str]) -> Output {
        let mut command = Command::new(omni());
        command.args(arguments).env_clear().env("AUTOMAGIK_TELEMETRY_ENDPOINT", "http://127.0.0.1:9");
        command.env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
        command.env("HOME", home).output().unwrap()
    }

    fn assert_well(home: &OsStr) {
        let output = run(home, &["instance", "list"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && error.is_empty(), "{home:?} {error}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "no instances\n");
        let status = run(home, &["telemetry", "status"]);
        assert!(String::from_utf8_lossy(&status.stdout).starts_with("Telemetry is on"), "{status:?}");
    }

    #[test]
    fn a_home_that_does_not_exist_is_no_reason_to_fail() {
        assert_well(OsStr::new("/proc/nonexistent/home"));
    }

    #[test]
    fn a_home_that_is_no_text_is_a_home() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join(OsString::from_vec(b"caf\xE9".to_vec()));
        std::fs::create_dir(&home).unwrap();
        assert_well(home.as_os_str());
        assert!(home.join(".local/state/automagik-telemetry/omni/spool").is_dir(), "nothing was kept there");
        std::fs::write(home.join(".automagik-no-telemetry"), "").unwrap();
        let status = run(home.as_os_str(), &["telemetry", "status"]);
        assert!(String::from_utf8_lossy(&status.stdout).starts_with("Telemetry is off"), "{status:?}");
    }

    #[test]
    fn a_home_that_is_empty_or_a_file_is_no_reason_to_fail() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_well(file.path().as_os_str());
        assert_well(OsStr::new(""));
    }

    #[test]
    fn where_the_answer_cannot_be_kept_the_command_says_what_to_do_instead() {
        let output = run(OsStr::new("/proc/nonexistent"), &["telemetry", "off"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains("there is no home folder to keep it in"), "{error}");
        assert!(error.contains("AUTOMAGIK_TELEMETRY_ENABLED=false"), "{error}");
    }

    #[test]
    fn a_full_disk_and_a_read_only_home_are_no_reason_to_fail() {
        let (Some(full), Some(read_only)) = (Disk::mount("size=4k"), Disk::mount("ro")) else { return };
        // One page is all there is.
        std::fs::write(full.path().join("page"), [0; 4096]).unwrap();
        std::fs::write(full.path().join("more"), [0]).unwrap_err();
        std::fs::write(read_only.path().join("page"), []).unwrap_err();
        for home in [&full, &read_only] {
            assert_well(home.path().as_os_str());
            let off = run(home.path().as_os_str(), &["telemetry", "off"]);
            assert_eq!(off.status.code(), Some(1), "{off:?}");
        }
    }
}
