//! What a person wants to know first: is it on, what decided that, where do data go, and where is that changed.

use crate::files::clock;
use crate::files::disk;
use crate::kept::spool;
use crate::person::choice;
use crate::person::environment::{Environment, HOME, STATE_DIR};
use crate::person::organization::Organization;
use crate::person::signals::{self, Kind, Said};
use crate::run::running::WAIT_WITHOUT_DISK;
use crate::run::start_error::StartError;
use crate::send::endpoint::{self, Endpoint, SetBy};
use crate::send::health::Health;
use crate::send::sent;
use crate::send::settings::Settings;
use automagik_telemetry_core::consent::{Answer, Decision};
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::schema::SchemaDescriptor;
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;

/// A snapshot: whether telemetry is on and why, each signal and its value, where data are sent and where they wait. `Display` is for a
/// terminal. Create it with [`Rights::status`](crate::Rights::status).
///
/// ```
/// # use automagik_telemetry_std::{Environment, Telemetry};
/// # use automagik_telemetry_core::{FeatureUsed, Label};
/// # use automagik_telemetry_derive::{Label, Schema};
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// # #[derive(Label, Clone, Copy)]
/// # enum Feature { ListContacts }
/// # #[derive(Schema)]
/// # #[schema(organization = "automagik", project = "omni")]
/// # enum Omni { FeatureUsed(FeatureUsed<Feature>) }
/// let nothing_said = Environment::at("/nonexistent");
/// let status = Telemetry::<Omni>::builder().environment(nothing_said).rights().status();
/// assert!(status.to_string().starts_with("Telemetry is off: nobody has agreed to it.\n"));
/// ```
#[derive(Debug)]
pub struct Status {
    organization: Organization,
    project: &'static str,
    decision: Decision,
    said: Vec<Said>,
    logs: Result<(Endpoint, SetBy), StartError>,
    metrics: Result<(Endpoint, SetBy), StartError>,
    choice: Option<PathBuf>,
    spool: Option<PathBuf>,
    /// Whether something can be kept there.
    writable: bool,
    waiting: usize,
    /// How many of them are meant to go elsewhere.
    elsewhere: usize,
    /// Seconds for which a collector wants no request.
    wait: Option<u64>,
    health: Health,
}

impl Status {
    pub(crate) fn new(
        environment: &Environment,
        schema: &'static SchemaDescriptor,
        opt_out: bool,
        decision: Decision,
    ) -> Self {
        let mut said = Vec::new();
        signals::each(environment, schema, opt_out, |signal| said.push(signal));
        let spool = environment.state().map(|state| spool::folder(state, schema.project()));
        let destinations = endpoint::destinations(environment, schema.endpoint());
        let waiting =
            spool.as_deref().map(|folder| spool::waiting(folder, schema, destinations)).unwrap_or_default();
        let wait = spool.as_deref().zip(destinations).and_then(|(folder, destinations)| {
            let (state, now) = (spool::State::read(folder).ok()?, clock::unix_seconds());
            [destinations.logs, destinations.metrics].into_iter().filter_map(|to| state.wait(to, now)).max()
        });
        Self {
            organization: environment.organization(),
            project: schema.project(),
            decision,
            said,
            logs: route(environment, schema.endpoint(), Signal::Logs),
            metrics: route(environment, schema.endpoint(), Signal::Metrics),
            choice: choice::path(environment),
            writable: environment.state().is_some_and(disk::is_writable),
            spool,
            waiting: waiting.count(),
            elsewhere: waiting.elsewhere,
            wait,
            health: environment
                .state()
                .map_or_else(Health::default, |state| Health::read(&sent::folder(state, schema.project()))),
        }
    }

    /// Returns whether telemetry is on, and which signal decided.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Returns where events are sent; `None` if the setting is wrong, and nothing is sent.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.logs.as_ref().ok().map(|(endpoint, _)| endpoint)
    }

    /// Records that wait for delivery.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Returns whether others could read what is sent: it leaves this machine without encryption.
    #[must_use]
    pub fn is_readable_on_its_way(&self) -> bool {
        [&self.logs, &self.metrics]
            .into_iter()
            .flatten()
            .any(|(endpoint, _)| !endpoint.is_encrypted() && !endpoint.is_loopback())
    }

    /// Returns the same as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let signals: Vec<Value> = self
            .said
            .iter()
            .map(|said| {
                json!({
                    "name": said.name,
                    "value": said.value,
                    "says": word(said.answer),
                    "decides": said.decides(self.decision.because()),
                })
            })
            .collect();
        let endpoint = |route: &Result<(Endpoint, SetBy), StartError>| match route {
            Ok((endpoint, set_by)) => json!({ "url": endpoint.to_string(), "set_by": set_by.to_string() }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        json!({
            "organization": self.organization.name(),
            "project": self.project,
            "enabled": self.decision.enabled(),
            "because": self.decision.because().sentence(),
            "signals": signals,
            "logs": endpoint(&self.logs),
            "metrics": endpoint(&self.metrics),
            "readable_on_its_way": self.is_readable_on_its_way(),
            "answer_file": self.choice,
            "waiting": {
                "records": self.waiting,
                "for_another_address": self.elsewhere,
                "folder": self.spool,
                "can_be_written": self.writable,
            },
            "delivery": {
                "last_taken": self.health.last_taken.map(date),
                "last_failure": self.health.last_failure.map(|(time, failure)| json!({
                    "time": date(time),
                    "what": failure.to_string(),
                    "remedy": failure.remedy(self.organization),
                })),
                "failures_in_a_row": self.health.failures_in_a_row,
                "no_request_before": self.wait.map(|seconds| date(clock::unix_seconds() + seconds)),
            },
        })
    }

    /// What a table shows of the signals: those that say something, and those that a person would look for.
    fn rows(&self) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(|said| {
            said.answer != Answer::Silent
                || matches!(
                    said.kind,
                    Kind::Variable
                        | Kind::Stored
                        | Kind::DoNotTrack
                        | Kind::OptOutFile
                        | Kind::GeneralOptOut
                        | Kind::Machine
                )
                || said.name == signals::ENVIRONMENT
        })
    }
}

/// Where `signal` would go, and whether all settings for it are right.
fn route(
    environment: &Environment,
    application: Option<&str>,
    signal: Signal,
) -> Result<(Endpoint, SetBy), StartError> {
    let endpoint = endpoint::choose(environment, application, signal)
        .map_err(|(error, set_by)| StartError::Endpoint { error, set_by })?;
    Settings::of(environment, signal, None, true)
        .map_err(|(variable, error)| StartError::Setting { variable, error })?;
    Ok(endpoint)
}

/// Seconds since 1970 as a person reads them.
pub(super) fn date(unix_seconds: u64) -> String {
    // Up to the year 9999, the last that the format has.
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(unix_seconds.min(253_402_300_799));
    humantime::format_rfc3339_seconds(time).to_string()
}

fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Silent => "nothing",
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Unintelligible => "unintelligible",
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = self.decision.because();
        let failed = [&self.logs, &self.metrics].into_iter().find_map(|route| route.as_ref().err());
        match (self.decision.enabled(), failed) {
            (true, None) => writeln!(f, "Telemetry is on: {}.", because.sentence())?,
            (true, Some(error)) => {
                writeln!(f, "Telemetry is off: {}, but it can't start: {error}.", because.sentence())?;
            }
            (false, _) => writeln!(f, "Telemetry is off: {}.", because.sentence())?,
        }
        writeln!(f, "\nWhat was looked at (one no beats any yes; without a yes it is off):")?;
        let width = self.rows().map(|said| said.name.chars().count()).max().unwrap_or(0);
        for said in self.rows() {
            let mark = if said.decides(because) { "►" } else { " " };
            let value = said.value.as_deref().map_or("-".to_owned(), |value| format!("{value:?}"));
            writeln!(f, "{mark} {:width$}  {:14}  {value}", said.name, word(said.answer))?;
        }
        let ci =
            self.said.iter().filter(|said| said.kind == Kind::Ci && said.answer == Answer::Silent).count();
        writeln!(f, "  and {ci} variables of CI services, which say nothing")?;
        let verb = if self.decision.enabled() { "go" } else { "would go" };
        writeln!(f)?;
        if let Ok((logs, set_by)) = &self.logs {
            writeln!(f, "Events {verb} to {} ({set_by}).", logs.shown(Signal::Logs))?;
        }
        if let Ok((metrics, set_by)) = &self.metrics {
            writeln!(f, "Counts and durations {verb} to {} ({set_by}).", metrics.shown(Signal::Metrics))?;
        }
        if self.is_readable_on_its_way() {
            writeln!(f, "WARNING: that is http to another machine: it can be read on its way. Use https.")?;
        }
        match &self.spool {
            Some(folder) => writeln!(f, "Waiting for delivery: {}, in {}.", self.waiting, folder.display())?,
            None => writeln!(f, "There is no home folder for records to wait in.")?,
        }
        if self.waiting > 0 {
            writeln!(
                f,
                "A run that lives for a moment, or the process that one leaves behind, delivers them."
            )?;
        }
        if self.elsewhere > 0 {
            writeln!(
                f,
                "{} of them were recorded for another address, and go there or nowhere.",
                self.elsewhere
            )?;
        }
        match self.health.last_taken {
            Some(time) => writeln!(f, "Last taken by the collector: {}.", date(time))?,
            None => writeln!(f, "Nothing was taken by the collector yet.")?,
        }
        if let (1.., Some((time, failure))) = (self.health.failures_in_a_row, self.health.last_failure) {
            let count = self.health.failures_in_a_row;
            writeln!(f, "Last failure: {}, {failure} (failures in a row: {count}).", date(time))?;
            writeln!(f, "What to do: {}.", failure.remedy(self.organization))?;
            match self.wait {
                Some(seconds) => {
                    writeln!(f, "Next attempt: in {seconds} seconds; the collector wants none before.")?;
                }
                None => writeln!(
                    f,
                    "Next attempt: with the next run; a running program tries within five minutes."
                )?,
            }
        }
        if !self.writable {
            writeln!(
                f,
                "Nothing can be kept: events are delivered from memory, a program's end waits {} seconds at most for that, \
                 and each run is somebody new. In a container, set {} to a folder on a volume.",
                WAIT_WITHOUT_DISK.as_secs(),
                self.organization.variable(STATE_DIR),
            )?;
        }
        writeln!(f, "\nTo change it: {0} telemetry on, {0} telemetry off; or", self.project)?;
        let (variable, file) =
            (self.organization.variable(signals::ENABLED), self.organization.opt_out_file());
        writeln!(f, "{variable}=false, or an empty file {HOME}{file}.")?;
        let organization = self.organization;
        writeln!(
            f,
            "All of it holds for all programs of {organization}, and for nobody else's; {HOME}{} is a no to all.",
            signals::GENERAL_OPT_OUT_FILE
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::person::environment::{Environment, STATE_DIR};
    use crate::person::signals::{DO_NOT_TRACK, ENABLED};
    use crate::send::endpoint::{self, Endpoint, SetBy};
    use crate::shown::rights::Rights;
    use crate::testing::App;

    fn rights(environment: Environment) -> Rights<App> {
        Rights::new(environment, false)
    }

    fn on() -> Environment {
        Environment::at("/nonexistent").set(ENABLED, "true").set(endpoint::ENDPOINT, "http://localhost:1")
    }

    #[test]
    fn it_names_each_signal_its_value_and_the_one_that_decided() {
        let shown = rights(on().with(DO_NOT_TRACK, "1")).status().to_string();
        let line = |name: &str| shown.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(shown.starts_with("Telemetry is off: DO_NOT_TRACK is set.\n"), "{shown}");
        assert!(line("► DO_NOT_TRACK").ends_with("no              \"1\""), "{shown}");
        assert!(line("  AUTOMAGIK_TELEMETRY_ENABLED ").ends_with("yes             \"true\""), "{shown}");
        let choice = std::path::Path::new(".config").join("automagik-telemetry").join("choice");
        assert!(line(&choice.to_string_lossy()).ends_with("nothing         -"), "{shown}");
    }

    #[test]
    fn programs_read_the_same_as_json() {
        let json = rights(on()).status().json();
        assert_eq!(json["enabled"], true);
        let decides: Vec<_> =
            json["signals"].as_array().unwrap().iter().filter(|s| s["decides"] == true).collect();
        assert_eq!(decides.len(), 1);
        assert_eq!(decides[0]["name"], "AUTOMAGIK_TELEMETRY_ENABLED");
        assert_eq!(json["logs"]["url"], "http://localhost:1");
    }

    #[test]
    fn plain_http_to_another_machine_is_warned_of() {
        for (url, warned) in [
            ("http://collector.example", true),
            ("http://10.0.0.1:4318", true),
            ("https://collector.example", false),
            ("http://localhost:4318", false),
            ("http://[::1]:4318", false),
        ] {
            let mut status = rights(on()).status();
            status.logs = Ok((Endpoint::parse(url).unwrap(), SetBy::Application));
            assert_eq!(status.to_string().contains("WARNING"), warned, "{url}");
        }
    }

    #[test]
    fn no_password_or_key_is_shown() {
        let url = "http://alice:hunter2@localhost:1/x?key=s3cret";
        let environment =
            on().set(endpoint::LOGS_ENDPOINT, url).with("AUTOMAGIK_TELEMETRY_HEADERS", "api-key=s3cret");
        let status = rights(environment).status();
        for shown in [status.to_string(), status.json().to_string()] {
            assert!(shown.contains("http://localhost:1/x"), "{shown}");
            assert!(!shown.contains("hunter2") && !shown.contains("s3cret"), "{shown}");
        }
    }

    #[test]
    fn where_nothing_can_be_kept_it_says_what_happens_and_what_to_do() {
        // Nobody can make a folder below a file.
        let file = tempfile::NamedTempFile::new().unwrap();
        let nowhere = rights(on().set(STATE_DIR, file.path())).status();
        assert!(nowhere.to_string().contains("set AUTOMAGIK_TELEMETRY_STATE_DIR to a folder"), "{nowhere}");
        let folder = tempfile::tempdir().unwrap();
        let somewhere = rights(on().set(STATE_DIR, folder.path())).status();
        assert!(!somewhere.to_string().contains("Nothing can be kept"), "{somewhere}");
    }

    #[test]
    fn a_setting_that_keeps_it_from_starting_is_named() {
        let shown = rights(on().with("AUTOMAGIK_TELEMETRY_CERTIFICATE", "/nonexistent")).status().to_string();
        assert!(shown.contains("it can't start: AUTOMAGIK_TELEMETRY_CERTIFICATE"), "{shown}");
    }
}
