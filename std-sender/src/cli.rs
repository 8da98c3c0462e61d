//! A `telemetry` command and a `--telemetry-verbose` for applications that read their arguments with clap.
//!
//! ```
//! # use automagik_telemetry_core::{FeatureUsed, Label};
//! # use automagik_telemetry_derive::{Label, Schema};
//! # extern crate automagik_telemetry_core as automagik_telemetry;
//! # use automagik_telemetry_std::{cli, Telemetry};
//! # use clap::{Parser, Subcommand};
//! # #[derive(Label, Clone, Copy)]
//! # enum Feature { ListContacts }
//! # #[derive(Schema)]
//! # #[schema(organization = "automagik", project = "omni")]
//! # enum Omni { FeatureUsed(FeatureUsed<Feature>) }
//! #[derive(Parser)]
//! struct Arguments {
//!     #[command(subcommand)]
//!     command: Command,
//!     #[command(flatten)]
//!     telemetry: cli::Flags, // --telemetry-verbose
//! }
//!
//! #[derive(Subcommand)]
//! enum Command {
//!     List,
//!     #[command(subcommand)]
//!     Telemetry(cli::Command), // telemetry status, test, on, off, inventory, show, view, export, forget
//! }
//!
//! # fn main() -> std::process::ExitCode {
//! let arguments = Arguments::parse_from(["omni", "telemetry", "inventory"]);
//! let builder = Telemetry::<Omni>::builder().verbose(arguments.telemetry.telemetry_verbose);
//! match arguments.command {
//!     Command::Telemetry(command) => command.run(builder),
//!     Command::List => {
//!         let telemetry = builder.start();
//!         // ...
//!         std::process::ExitCode::SUCCESS
//!     }
//! }
//! # }
//! ```

use crate::handle::builder::Builder;
use crate::person::environment::HOME;
use crate::person::organization::Organization;
use crate::person::signals::ENABLED;
use crate::shown::rights::{Rights, RightsError};
use automagik_telemetry_core::Schema;
use automagik_telemetry_core::schema::Checked;
use clap::{ArgMatches, FromArgMatches, Subcommand};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

/// Options of every command.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Flags {
    /// Show on standard error what telemetry sends
    #[arg(long, global = true)]
    pub telemetry_verbose: bool,
}

/// See and change what telemetry does. To be a subcommand of the application's own.
#[derive(Clone, Copy, Debug)]
pub struct Command(Choice);

impl FromArgMatches for Command {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Choice::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// What the derive would write, but for its choices: they are made where somebody calls one. A program that does
/// something else pays nothing for them.
impl Subcommand for Command {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command.about("See and change what telemetry does").defer(Choice::augment_subcommands)
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Choice::has_subcommand(name)
    }
}

#[derive(Subcommand, Clone, Copy, Debug)]
enum Choice {
    /// Show whether telemetry is on, what decided that, and where data go
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Send one request to the collector now, and show step by step what happens
    Test {
        /// Send it although telemetry is off
        #[arg(long)]
        send: bool,
    },
    /// Say yes, for all programs of this organization
    On,
    /// Say no, for all programs of this organization, and delete what waits
    Off,
    /// List all that this program could ever send
    Inventory {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// As a manifest in CBOR, which a gateway reads
        #[arg(long, conflicts_with = "json")]
        cbor: bool,
    },
    /// Show what waits to be sent, and what was sent in the last 30 days
    Show,
    /// Show all of this as a page in the browser
    View {
        /// Write the page to standard output, and open nothing
        #[arg(long)]
        print: bool,
    },
    /// Write what was sent and what waits to standard output: a request a line, in OTLP's JSON
    Export,
    /// Delete the identity, what waits and the log of what was sent
    Forget,
}

impl Command {
    /// Does it, and prints what a person wants to know. 0 where it was done, 1 where not; standard error says why.
    pub fn run<S: Schema>(self, builder: Builder<S>) -> ExitCode {
        let rights = builder.rights();
        let done = match self.0 {
            Choice::Status { json: false } => Ok(rights.status().to_string()),
            Choice::Status { json: true } => Ok(format!("{:#}\n", rights.status().json())),
            Choice::Test { send } => test(&rights, send),
            Choice::On => on(&rights),
            Choice::Off => off(&rights),
            Choice::Inventory { cbor: true, .. } => return write(rights.inventory().cbor()),
            Choice::Inventory { json: true, .. } => match rights.inventory().json() {
                Ok(json) => Ok(format!("{json:#}\n")),
                Err(error) => Err(error.to_string()),
            },
            Choice::Inventory { .. } => Ok(rights.inventory().to_string()),
            Choice::Show => Ok(show(&rights)),
            Choice::View { print: true } => Ok(rights.page()),
            Choice::View { print: false } => view(&rights),
            Choice::Export => Ok(rights.export().iter().map(|request| format!("{request}\n")).collect()),
            Choice::Forget => forget(&rights),
        };
        match done {
            Ok(text) => write(text.as_bytes()),
            Err(text) => {
                let _ = io::stderr().write_all(format!("error: {text}\n").as_bytes());
                ExitCode::FAILURE
            }
        }
    }
}

/// Writes to standard output.
fn write(bytes: &[u8]) -> ExitCode {
    match io::stdout().write_all(bytes) {
        // Whoever reads has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn test<S: Schema>(rights: &Rights<S>, send: bool) -> Result<String, String> {
    let decision = rights.decision();
    if !decision.enabled() && !send {
        return Err(format!(
            "telemetry is off: {}. To send this one request all the same: telemetry test --send",
            decision.because().sentence()
        ));
    }
    let say = |line: String| drop(io::stdout().write_all(format!("{line}\n").as_bytes()));
    say("This sends one record of constants: no event of yours, no pseudonym.".to_owned());
    rights.test(say).map(|()| "The collector takes what is sent.\n".to_owned())
}

fn on<S: Schema>(rights: &Rights<S>) -> Result<String, String> {
    let organization = Organization::of::<S>();
    let path = rights.turn_on().map_err(|error| {
        let variable = organization.variable(ENABLED);
        format!("the answer can't be kept in {error}\nTo say yes without it, set {variable}=true.")
    })?;
    let decision = rights.decision();
    let path = path.display();
    Ok(if decision.enabled() {
        format!("Telemetry is on, for all programs of {organization}. Your answer is kept in {path}.\n")
    } else {
        let because = decision.because().sentence();
        format!("Your yes is kept in {path}.\nTelemetry stays off all the same: {because}.\n")
    })
}

fn off<S: Schema>(rights: &Rights<S>) -> Result<String, String> {
    let organization = Organization::of::<S>();
    let (path, records) = rights.turn_off().map_err(|error| {
        let (variable, file) = (organization.variable(ENABLED), organization.opt_out_file());
        format!("{error}\nTo say no all the same, set {variable}=false, or make an empty file {HOME}{file}.")
    })?;
    Ok(format!(
        "Telemetry is off, for all programs of {organization}. Your answer is kept in {}.\n\
         {} deleted; nothing was sent.\n",
        path.display(),
        counted(records, "waiting record was", "waiting records were"),
    ))
}

fn forget<S: Schema>(rights: &Rights<S>) -> Result<String, String> {
    let deleted = rights.forget().map_err(|error: RightsError| format!("can't delete {error}"))?;
    let mut text = String::new();
    let _ = match deleted.identity {
        Some(path) => writeln!(text, "The identity was deleted ({}).", path.display()),
        None => writeln!(text, "There was no identity."),
    };
    let _ =
        writeln!(text, "{} deleted.", counted(deleted.records, "waiting record was", "waiting records were"));
    let requests = counted(deleted.requests, "request was", "requests were");
    let _ = writeln!(text, "{requests} deleted from the log of what was sent.");
    if rights.decision().enabled() {
        let project = Checked::<S>::DESCRIPTOR.project();
        let _ = writeln!(
            text,
            "Telemetry is on: the next run is somebody new. `{project} telemetry off` ends it."
        );
    }
    Ok(text)
}

fn show<S: Schema>(rights: &Rights<S>) -> String {
    let (waiting, sent) = (rights.waiting(), rights.sent());
    let mut text = String::new();
    for request in &sent {
        let at = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(request.unix_seconds));
        let _ = writeln!(text, "Sent at {at}, {}:", request.became.word());
        request.shown.iter().for_each(|json| push_json(&mut text, json));
    }
    if !waiting.shown.is_empty() {
        text.push_str("Waiting to be sent:\n");
        waiting.shown.iter().for_each(|json| push_json(&mut text, json));
    }
    if waiting.others > 0 {
        let others = counted(waiting.others, "record waits", "records wait");
        let _ = writeln!(text, "{others} beside: of another version of this program, or telemetry is off.");
    }
    let events: usize = sent.iter().map(|request| request.shown.len()).sum();
    let _ = writeln!(
        text,
        "{} sent in the last 30 days; {} to be sent.",
        counted(events, "record was", "records were"),
        counted(waiting.shown.len() + waiting.others, "waits", "wait"),
    );
    text
}

/// Writes the page to a file that only this user can read, and opens it where there is a browser to be seen.
fn view<S: Schema>(rights: &Rights<S>) -> Result<String, String> {
    let prefix = format!("{}-telemetry-", Checked::<S>::DESCRIPTOR.project());
    let file = tempfile::Builder::new().prefix(&prefix).suffix(".html").tempfile();
    let written = file.and_then(|mut file| {
        file.write_all(rights.page().as_bytes())?;
        file.into_temp_path().keep().map_err(|error| error.error)
    });
    let path = written.map_err(|error| {
        format!("the page can't be written to {} ({error}); `telemetry view --print` writes it to standard output", std::env::temp_dir().display())
    })?;
    open(&path);
    Ok(format!("The page is in {}. Only you can read it; delete it when you have.\n", path.display()))
}

/// Has the system open a file. Where it can't, whoever reads the path can.
fn open(path: &std::path::Path) {
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    let program = if cfg!(windows) {
        "explorer"
    } else if cfg!(target_vendor = "apple") {
        "open"
    } else if has_display {
        "xdg-open"
    } else {
        return;
    };
    let nothing = std::process::Stdio::null;
    let _ = std::process::Command::new(program)
        .arg(path)
        .stdin(nothing())
        .stdout(nothing())
        .stderr(nothing())
        .spawn();
}

fn push_json(text: &mut String, json: &serde_json::Map<String, serde_json::Value>) {
    text.push_str(&serde_json::to_string_pretty(json).unwrap_or_default());
    text.push('\n');
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
