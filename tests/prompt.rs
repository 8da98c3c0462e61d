//! The question at the keyboard, asked at real terminals: the example program, behind a pseudo-terminal.

#![cfg(target_os = "linux")]

use automagik_telemetry_test_support::{Receiver as Collector, example, omni};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const QUESTION: &str = "Help Improve Automagik! Enable telemetry?";
const PROMPT: &str = "[y/N]: ";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const PATIENCE: Duration = Duration::from_secs(30);

/// A person's home and session.
struct Person {
    program: &'static Path,
    home: TempDir,
    session: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// A run of the program at a terminal.
struct Run {
    terminal: pty_process::blocking::Pty,
    output: Receiver<Vec<u8>>,
    shown: String,
    child: Child,
}

impl Person {
    fn new() -> Self {
        let (home, session) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // Nobody is at this port: a yes must not reach anybody.
        let variables = vec![("AUTOMAGIK_TELEMETRY_ENDPOINT", "http://127.0.0.1:9".to_owned())];
        Self { program: omni(), home, session, variables }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Starts the program at a terminal, or with what `redirect` changes of that.
    fn runs_with(
        &self,
        arguments: &[&str],
        redirect: impl FnOnce(pty_process::blocking::Command) -> pty_process::blocking::Command,
    ) -> Run {
        let (terminal, inside) = pty_process::blocking::open().unwrap();
        // Whoever runs the tests in the background has Ctrl-C ignored by all below.
        let command = pty_process::blocking::Command::new("env")
            .arg("--default-signal=INT")
            .arg(self.program)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", self.session.path())
            .env("TERM", "xterm")
            .envs(self.variables.iter().cloned());
        let child = redirect(command).spawn(inside).unwrap();
        let (sender, output) = channel();
        // The terminal's file, opened again: one side reads while the other writes.
        let mut reader = std::fs::File::from(rustix_dup(&terminal));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // Ends with an error when the program is gone.
            while let Ok(len @ 1..) = reader.read(&mut piece) {
                if sender.send(piece[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Run { terminal, output, shown: String::new(), child }
    }

    fn runs(&self) -> Run {
        self.runs_with(&["instance", "list"], |command| command)
    }

    /// What is kept of the answer.
    fn answer(&self) -> Option<String> {
        let path = self.home.path().join(".config/automagik-telemetry/choice");
        let text = std::fs::read_to_string(path).ok()?;
        text.lines().rfind(|line| !line.starts_with('#')).map(str::to_owned)
    }

    fn is_home_empty(&self) -> bool {
        is_empty(self.home.path())
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

fn rustix_dup(terminal: &pty_process::blocking::Pty) -> std::os::fd::OwnedFd {
    use std::os::fd::AsFd;
    terminal.as_fd().try_clone_to_owned().unwrap()
}

impl Run {
    /// Waits until `text` is on the screen.
    fn sees(&mut self, text: &str) -> &mut Self {
        let until = Instant::now() + PATIENCE;
        while !self.shown.contains(text) {
            let piece = self.output.recv_timeout(until.saturating_duration_since(Instant::now()));
            let piece = piece.unwrap_or_else(|_| panic!("{text:?} is not in {:?}", self.shown));
            self.shown.push_str(&String::from_utf8_lossy(&piece));
        }
        self
    }

    fn types(&mut self, keys: &str) -> &mut Self {
        self.terminal.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Waits for the end: the status, and all that was on the screen.
    fn ends(mut self) -> (ExitStatus, String) {
        let until = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().unwrap();
            while let Ok(piece) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.shown.push_str(&String::from_utf8_lossy(&piece));
            }
            if let Some(status) = ended {
                return (status, self.shown);
            }
            if Instant::now() > until {
                self.child.kill().unwrap();
                panic!("it does not end: {:?}", self.shown);
            }
        }
    }
}

/// A second run in the same session shows its output, and asks nothing.
fn assert_not_asked(person: &Person) {
    let (status, shown) = person.runs().ends();
    assert!(status.success());
    assert!(shown.contains("no instances") && !shown.contains(QUESTION), "{shown}");
}

#[test]
fn a_yes_is_kept_and_honoured_by_this_run_and_the_next() {
    let person = Person::new();
    let mut run = person.runs();
    run.sees(PROMPT).types("y\n");
    let (status, shown) = run.ends();
    assert!(status.success() && shown.contains("no instances"), "{shown}");
    assert_eq!(person.answer().as_deref(), Some("yes"));
    assert!(
        person.home.path().join(".local/state/automagik-telemetry/omni/spool").is_dir(),
        "nothing recorded"
    );
    assert_not_asked(&person);
}

#[test]
fn a_no_is_kept_and_nothing_else_is_written() {
    let person = Person::new();
    let mut run = person.runs();
    run.sees(PROMPT).types("n\n");
    assert!(run.ends().0.success());
    assert_eq!(person.answer().as_deref(), Some("no"));
    assert!(!person.home.path().join(".local").exists());
    assert_not_asked(&person);
}

#[test]
fn enter_is_no() {
    let person = Person::new();
    let mut run = person.runs();
    run.sees(PROMPT).types("\n");
    assert!(run.ends().0.success());
    assert_eq!(person.answer().as_deref(), Some("no"));
    assert_not_asked(&person);
}

#[test]
fn ctrl_c_ends_the_program_as_it_would_have_and_nobody_is_asked_again_in_this_session() {
    let person = Person::new();
    let mut run = person.runs();
    run.sees(PROMPT).types(CTRL_C);
    let (status, shown) = run.ends();
    assert_eq!(status.signal(), Some(2), "{status:?}");
    assert!(!shown.contains("no instances"), "{shown}");
    assert!(person.is_home_empty());
    assert_not_asked(&person);
}

#[test]
fn the_end_of_input_is_no_answer_and_the_program_runs_on() {
    let person = Person::new();
    let mut run = person.runs();
    run.sees(PROMPT).types(CTRL_D);
    let (status, shown) = run.ends();
    assert!(status.success() && shown.contains("no instances"), "{shown}");
    assert!(person.is_home_empty());
    assert_not_asked(&person);
}

#[test]
fn what_is_neither_yes_nor_no_is_no_answer() {
    let person = Person::new();
    let mut run = person.runs();
    run.sees(PROMPT).types("perhaps\n");
    let (status, shown) = run.ends();
    assert!(status.success() && shown.contains("neither yes nor no"), "{shown}");
    assert!(person.is_home_empty());
    assert_not_asked(&person);
}

#[test]
fn every_place_where_data_go_is_named() {
    let person = Person::new().with("AUTOMAGIK_TELEMETRY_LOGS_ENDPOINT", "http://127.0.0.1:10/logs");
    let mut run = person.runs();
    run.sees(PROMPT).types("n\n");
    let (_, shown) = run.ends();
    let to = "To:         http://127.0.0.1:10 (events), http://127.0.0.1:9 (counts and durations)";
    assert!(shown.contains(to), "{shown}");
}

#[test]
fn where_the_session_has_no_place_the_next_run_asks_again_and_that_is_said() {
    let person = Person::new().with("XDG_RUNTIME_DIR", "");
    let mut first = person.runs();
    first.sees(PROMPT).types("perhaps\n");
    let (_, shown) = first.ends();
    assert!(shown.contains("neither yes nor no: nothing is sent, and the next run asks again."), "{shown}");
    let mut second = person.runs();
    second.sees(PROMPT).types("n\n");
    second.ends();
    assert_eq!(person.answer().as_deref(), Some("no"));
}

#[test]
fn another_session_asks_again_where_no_answer_was_given() {
    let mut person = Person::new();
    let mut first = person.runs();
    first.sees(PROMPT).types("perhaps\n");
    first.ends();
    person.session = tempfile::tempdir().unwrap();
    let mut second = person.runs();
    second.sees(PROMPT).types("n\n");
    second.ends();
    assert_eq!(person.answer().as_deref(), Some("no"));
}

#[test]
fn the_terminal_is_left_as_it_was() {
    let person = Person::new();
    let mut run = person.runs_with(&["instance", "list"], |command| command);
    let before = rustix::termios::tcgetattr(&run.terminal).unwrap();
    run.sees(PROMPT).types("n\n").sees("no instances");
    let after = rustix::termios::tcgetattr(&run.terminal).unwrap();
    let keys = |termios: &rustix::termios::Termios| {
        use rustix::termios::SpecialCodeIndex;
        (termios.special_codes[SpecialCodeIndex::VINTR], termios.special_codes[SpecialCodeIndex::VEOL])
    };
    // Whatever was before the program started: Ctrl-C interrupts, and nothing but Enter ends a line.
    assert_eq!(keys(&after), (3, 0), "{:?}", keys(&before));
}

#[test]
fn it_says_what_is_sent_what_never_is_where_to_and_how_to_change_it() {
    let person = Person::new().with("AUTOMAGIK_TELEMETRY_ENDPOINT", "http://me:secret@127.0.0.1:9/x");
    let mut run = person.runs();
    run.sees(PROMPT).types("n\n");
    let (_, shown) = run.ends();
    for text in [QUESTION, "Sent:", "Never sent:", "http://127.0.0.1:9\r\n", ".automagik-no-telemetry"] {
        assert!(shown.contains(text), "{text:?} is not in {shown}");
    }
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn another_organization_asks_for_itself_and_says_whom_the_answer_covers() {
    let person = Person { program: example("acme"), ..Person::new() };
    let mut run = person.runs_with(&["run"], |command| command);
    run.sees(PROMPT).types("y\n");
    let (_, shown) = run.ends();
    for text in [
        "thermostat of Acme can send usage data. Nothing is sent unless you say yes.",
        "Help Improve Acme! Enable telemetry?",
        "automagik.cli.command (command, success, duration_ms); automagik.telemetry.dropped (reason, count)",
        "a pseudonym",
        "all programs of Acme that you run, and nobody else's, kept in",
        ".config/acme-telemetry/choice",
        "ACME_TELEMETRY_ENABLED=false, an empty file ~/.acme-no-telemetry, or no",
        "https://acme.example/privacy",
    ] {
        // Lines are broken where they are too long.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&shown).contains(text), "{text:?} is not in {shown}");
    }
    assert_eq!(person.answer(), None, "that is automagik's");
}

#[test]
fn what_a_new_version_can_say_beyond_what_was_agreed_to_is_shown_once_before_it_is_sent() {
    let collector = Collector::start();
    let mut person = Person { program: example("acme"), ..Person::new() };
    person.variables.push(("ACME_TELEMETRY_ENDPOINT", collector.endpoint()));
    let mut first = person.runs_with(&["run"], |command| command);
    first.sees(PROMPT).types("y\n");
    assert!(!first.ends().1.contains("can send more"));
    person.variables.push(("ACME_NEXT", "1".to_owned()));
    let (_, shown) = person.runs_with(&["run"], |command| command).ends();
    for text in [
        "thermostat 2.0.0 can send more than the version that you agreed to. New is:",
        "automagik.feature.used: that it happened",
        "automagik.feature.used, feature_name: schedule",
        "`thermostat telemetry off` ends it",
    ] {
        assert!(shown.contains(text), "{text:?} is not in {shown}");
    }
    assert!(!shown.contains("automagik.cli.command"), "that is not new: {shown}");
    assert!(shown.find("can send more") < shown.find("warm"), "{shown}");
    assert!(collector.wait_for_logs(PATIENCE, 3));
    let (_, shown) = person.runs_with(&["run"], |command| command).ends();
    assert!(!shown.contains("can send more"), "it is shown once: {shown}");
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    for (name, value, coloured) in
        [("TERM", "xterm", true), ("NO_COLOR", "1", false), ("NO_COLOR", "", true), ("TERM", "dumb", false)]
    {
        let person = Person::new().with(name, value);
        let mut run = person.runs();
        run.sees(PROMPT).types("n\n");
        assert_eq!(run.ends().1.contains('\x1b'), coloured, "{name}={value}");
    }
}

#[test]
fn nobody_is_asked_where_one_end_is_no_terminal() {
    let person = Person::new();
    let list = ["instance", "list"];
    let pipe = Stdio::piped;
    let runs = [
        person.runs_with(&list, |command| command.stdin(Stdio::null())),
        person.runs_with(&list, |command| command.stdout(pipe())),
        person.runs_with(&list, |command| command.stderr(pipe())),
    ];
    for run in runs {
        let (status, shown) = run.ends();
        assert!(status.success() && !shown.contains(QUESTION), "{shown}");
    }
    assert!(person.is_home_empty());
}

#[test]
fn nobody_is_asked_where_something_is_decided() {
    for (name, value) in [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("DO_NOT_TRACK", "1"),
        ("ENVIRONMENT", "dev"),
        ("AUTOMAGIK_TELEMETRY_ENABLED", "false"),
        ("AUTOMAGIK_TELEMETRY_ENABLED", "true"),
    ] {
        let (status, shown) = Person::new().with(name, value).runs().ends();
        assert!(status.success() && !shown.contains(QUESTION), "{name}: {shown}");
    }
}

#[test]
fn nobody_is_asked_by_the_command_that_shows_the_status() {
    let person = Person::new();
    let (status, shown) = person.runs_with(&["telemetry", "status"], |command| command).ends();
    assert!(status.success() && shown.contains("nobody has agreed") && !shown.contains(QUESTION), "{shown}");
    assert!(person.is_home_empty());
}

#[test]
fn of_two_programs_that_ask_at_once_both_go_on_and_the_later_answer_counts() {
    let person = Person::new();
    let (mut first, mut second) = (person.runs(), person.runs());
    first.sees(PROMPT);
    second.sees(PROMPT).types("n\n");
    assert!(second.ends().0.success());
    first.types("y\n");
    assert!(first.ends().0.success());
    assert_eq!(person.answer().as_deref(), Some("yes"));
}

#[test]
fn an_answer_that_cannot_be_kept_counts_for_the_run_and_the_program_goes_on() {
    let person = Person::new();
    // A file where the folder would be: nothing can be kept, whoever runs this.
    std::fs::write(person.home.path().join(".config"), "").unwrap();
    let mut run = person.runs();
    run.sees(PROMPT).types("y\n");
    let (status, shown) = run.ends();
    assert!(status.success() && shown.contains("can't be kept") && shown.contains("no instances"), "{shown}");
    assert!(
        person.home.path().join(".local/state/automagik-telemetry/omni/spool").is_dir(),
        "nothing recorded"
    );
}
