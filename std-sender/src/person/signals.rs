//! Collects what bears on the decision; core decides.

use crate::person::agreed;
use crate::person::choice;
use crate::person::environment::Environment;
use automagik_telemetry_core::consent::{Answer, Because, Signals, decide};
use automagik_telemetry_core::schema::SchemaDescriptor;
use std::borrow::Cow;
use std::ffi::OsStr;

/// The person's word, for all programs of an organization: `ACME_TELEMETRY_ENABLED`. Policy: "Your Control".
pub const ENABLED: &str = "ENABLED";

/// In the home folder: a person's "no" to every program with this library, of whichever organization. That for one organization is
/// [`Organization::opt_out_file`](crate::Organization::opt_out_file).
pub const GENERAL_OPT_OUT_FILE: &str = ".no-telemetry";

/// In the machine's folder for this library: the administrator's "no", for everybody and every program. The folder is
/// `/etc/automagik-telemetry`, on macOS `/Library/Application Support/automagik-telemetry`, on Windows
/// `%ProgramData%\automagik-telemetry`.
pub const MACHINE_OPT_OUT_FILE: &str = "no-telemetry";

/// "no" to all programs that honour it: <https://consoledonottrack.com>.
pub const DO_NOT_TRACK: &str = "DO_NOT_TRACK";

/// What kind of environment this is. Policy: "Auto-Disabled".
pub const ENVIRONMENT: &str = "ENVIRONMENT";

/// Variables that CI services set. Any value but an empty one, `0` and `false` counts.
pub const CI: &[&str] = &[
    "CI",
    "CONTINUOUS_INTEGRATION",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "CIRCLECI",
    "TRAVIS",
    "JENKINS",
    "JENKINS_URL",
    "HUDSON_URL",
    "TF_BUILD",
    "BUILDKITE",
    "TEAMCITY_VERSION",
    "APPVEYOR",
    "CODEBUILD_BUILD_ID",
    "BITBUCKET_BUILD_NUMBER",
    "BITRISE_IO",
    "CIRRUS_CI",
    "DRONE",
    "WOODPECKER",
    "SEMAPHORE",
    "NETLIFY",
    "VERCEL",
    "BUILD_ID",
];

/// A test runner sets it: <https://nexte.st/docs/configuration/env-vars>.
pub const NEXTEST: &str = "NEXTEST";

const DEVELOPMENT: &[&str] = &["dev", "development", "test", "testing"];

/// What kind of signal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Variable,
    Stored,
    Machine,
    GeneralOptOut,
    OptOutFile,
    DoNotTrack,
    ProjectOptOut,
    ApplicationOptOut,
    Ci,
    Development,
    TestRun,
    /// What the program could say and nobody agreed to: no to the stored yes, and to nothing else.
    Wider,
}

/// One thing that bears on the decision, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) kind: Kind,
    /// A variable's name, a file's path, or a description.
    pub(crate) name: Cow<'static, str>,
    /// What stands there, where something does.
    pub(crate) value: Option<String>,
    pub(crate) answer: Answer,
}

impl Said {
    /// Whether the decision is for this.
    pub(crate) fn decides(&self, because: Because) -> bool {
        let kind = match because {
            Because::VariableYes | Because::VariableNo | Because::VariableUnintelligible => Kind::Variable,
            Because::StoredYes | Because::StoredNo | Because::StoredUnintelligible => Kind::Stored,
            Because::MachineOptOut => Kind::Machine,
            Because::GeneralOptOut => Kind::GeneralOptOut,
            Because::WiderThanAgreed => Kind::Wider,
            Because::OptOutFile => Kind::OptOutFile,
            Because::DoNotTrack => Kind::DoNotTrack,
            Because::ProjectOptOut => Kind::ProjectOptOut,
            Because::ApplicationOptOut => Kind::ApplicationOptOut,
            Because::Ci => Kind::Ci,
            Because::Development => Kind::Development,
            Because::TestRun => Kind::TestRun,
            _ => return false,
        };
        self.kind == kind && self.answer != Answer::Silent
    }
}

/// How the person stands to a program that runs, whom they agreed to once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They agree.
    Agreed,
    /// It can't be read now: nothing is sent, nothing is deleted, and it is asked again.
    Unclear,
    /// They said no.
    No,
    /// Nobody says yes any more, and nobody no.
    Ended,
}

/// How the person stands to it now. An answer that was given where it could not be kept counts for this run.
pub(crate) fn standing(
    environment: &Environment,
    schema: &'static SchemaDescriptor,
    opt_out: bool,
    answered: Answer,
) -> Standing {
    let (mut signals, mut says_no, mut is_unclear) = (Signals::default(), false, false);
    // Once: what can't be read now may be read a moment later.
    each(environment, schema, opt_out, |said| {
        note(&mut signals, &said);
        match said.answer {
            // It ends what runs, and deletes nothing: the person said yes.
            _ if said.kind == Kind::Wider => {}
            Answer::No if said.value.is_some() => says_no = true,
            // A file that may be there, an answer that can't be read.
            Answer::No | Answer::Unintelligible => is_unclear = true,
            Answer::Silent | Answer::Yes => {}
        }
    });
    if signals.stored == Answer::Silent {
        signals.stored = answered;
    }
    if decide(&signals).enabled() {
        return Standing::Agreed;
    }
    if says_no {
        Standing::No
    } else if is_unclear {
        Standing::Unclear
    } else {
        Standing::Ended
    }
}

/// The signals of `environment` for the program of `schema`.
pub(crate) fn collect(
    environment: &Environment,
    schema: &'static SchemaDescriptor,
    application_opt_out: bool,
) -> Signals {
    let mut signals = Signals::default();
    each(environment, schema, application_opt_out, |said| note(&mut signals, &said));
    signals
}

fn note(signals: &mut Signals, said: &Said) {
    let is_said = said.answer != Answer::Silent;
    match said.kind {
        Kind::Variable => signals.variable = said.answer,
        Kind::Stored => signals.stored = said.answer,
        Kind::Machine => signals.machine_opt_out |= is_said,
        Kind::Wider => signals.wider |= is_said,
        Kind::GeneralOptOut => signals.general_opt_out |= is_said,
        Kind::OptOutFile => signals.opt_out_file |= is_said,
        Kind::DoNotTrack => signals.do_not_track |= is_said,
        Kind::ProjectOptOut => signals.project_opt_out |= is_said,
        Kind::ApplicationOptOut => signals.application_opt_out |= is_said,
        Kind::Ci => signals.ci |= is_said,
        Kind::Development => signals.development |= is_said,
        Kind::TestRun => signals.test_run |= is_said,
    }
}

/// Goes through all that bears on the decision. What is not [`Kind::Variable`] or [`Kind::Stored`] says no or nothing.
pub(crate) fn each(
    environment: &Environment,
    schema: &'static SchemaDescriptor,
    application: bool,
    mut tell: impl FnMut(Said),
) {
    let (organization, project) = (environment.organization(), schema.project());
    let no = |said: bool| if said { Answer::No } else { Answer::Silent };
    let mut variable = |kind, name: Cow<'static, str>, answer: fn(&OsStr) -> Answer| {
        let value = environment.variable(name.as_ref());
        let answer = value.as_deref().map_or(Answer::Silent, answer);
        tell(Said { kind, name, value: value.map(|value| value.to_string_lossy().into_owned()), answer });
    };
    variable(Kind::Variable, organization.variable(ENABLED).into(), |value| {
        value.to_str().map_or(Answer::Unintelligible, Answer::parse)
    });
    variable(Kind::DoNotTrack, DO_NOT_TRACK.into(), |value| match trimmed(value).as_ref() {
        "" | "0" => Answer::Silent,
        _ => Answer::No,
    });
    variable(Kind::ProjectOptOut, organization.project_variable(project).into(), unless_off);
    variable(Kind::Development, ENVIRONMENT.into(), |value| {
        let value = trimmed(value);
        let is_one = DEVELOPMENT.iter().any(|name| value.eq_ignore_ascii_case(name));
        if is_one { Answer::No } else { Answer::Silent }
    });
    for name in CI {
        variable(Kind::Ci, (*name).into(), unless_off);
    }
    variable(Kind::TestRun, NEXTEST.into(), unless_off);
    let test = "a test that cargo built".into();
    let is_test = environment.is_test_binary();
    let value = is_test.then(|| "yes".to_owned());
    tell(Said { kind: Kind::TestRun, name: test, value, answer: no(is_test) });
    let machine = environment.machine().map(|folder| folder.join(MACHINE_OPT_OUT_FILE));
    let in_home = |file: &str| environment.home().map(|home| home.join(file));
    for (kind, path) in [
        (Kind::Machine, machine),
        (Kind::GeneralOptOut, in_home(GENERAL_OPT_OUT_FILE)),
        (Kind::OptOutFile, in_home(&organization.opt_out_file())),
        (Kind::ProjectOptOut, in_home(&organization.project_opt_out_file(project))),
    ] {
        let Some(path) = path else { continue };
        // A file that can't be looked at may be there: that is a no.
        let found = path.symlink_metadata();
        let value = found.is_ok().then(|| "exists".to_owned());
        let answer = no(found.map_or_else(may_exist, |_| true));
        tell(Said { kind, name: path.to_string_lossy().into_owned().into(), value, answer });
    }
    let value = application.then(|| "off".to_owned());
    let name = "the application's own switch".into();
    tell(Said { kind: Kind::ApplicationOptOut, name, value, answer: no(application) });
    let answer = choice::stored(environment);
    let value = match answer {
        Answer::Silent => None,
        Answer::Yes => Some("yes".to_owned()),
        Answer::No => Some("no".to_owned()),
        Answer::Unintelligible => Some("can't be read".to_owned()),
    };
    let path = choice::path(environment)
        .map_or_else(|| "your answer".to_owned(), |path| path.to_string_lossy().into_owned());
    tell(Said { kind: Kind::Stored, name: path.into(), value, answer });
    let wider = answer == Answer::Yes && agreed::is_wider(environment, schema);
    let value = wider.then(|| "not shown yet".to_owned());
    let name = "what this version can send beyond that".into();
    tell(Said { kind: Kind::Wider, name, value, answer: no(wider) });
}

/// A variable that says no unless it is empty, `0` or `false`.
fn unless_off(value: &OsStr) -> Answer {
    let value = trimmed(value);
    if value.is_empty() || value == "0" || value.eq_ignore_ascii_case("false") {
        Answer::Silent
    } else {
        Answer::No
    }
}

fn trimmed(value: &OsStr) -> String {
    value.to_string_lossy().trim().to_owned()
}

fn may_exist(error: std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::PermissionDenied
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::App;
    use automagik_telemetry_core::consent::{Because, decide};
    use automagik_telemetry_core::schema::Checked;

    fn of_app(environment: &Environment) -> Signals {
        collect(environment, Checked::<App>::DESCRIPTOR, false)
    }

    fn decided(set_up: impl Fn(Environment) -> Environment) -> Because {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::at(home.path()).set(ENABLED, "true");
        decide(&of_app(&set_up(environment))).because()
    }

    #[test]
    fn every_no_beats_a_yes() {
        for (name, value, because) in [
            (DO_NOT_TRACK, "1", Because::DoNotTrack),
            (DO_NOT_TRACK, "yes", Because::DoNotTrack),
            ("AUTOMAGIK_TELEMETRY_ENABLED", " FALSE ", Because::VariableNo),
            ("AUTOMAGIK_TELEMETRY_ENABLED", "perhaps", Because::VariableUnintelligible),
            (ENVIRONMENT, "Dev", Because::Development),
            (ENVIRONMENT, "testing", Because::Development),
            ("AUTOMAGIK_APP_DISABLE_TELEMETRY", "true", Because::ProjectOptOut),
            ("NEXTEST", "1", Because::TestRun),
        ] {
            assert_eq!(decided(|environment| environment.with(name, value)), because, "{name}={value}");
        }
        for name in CI {
            assert_eq!(decided(|environment| environment.with(*name, "true")), Because::Ci, "{name}");
        }
    }

    #[test]
    fn a_no_that_is_taken_back_counts_no_more() {
        for (name, value) in [
            (DO_NOT_TRACK, "0"),
            (DO_NOT_TRACK, ""),
            ("CI", "false"),
            ("CI", "0"),
            ("CI", ""),
            (ENVIRONMENT, "production"),
            ("AUTOMAGIK_APP_DISABLE_TELEMETRY", "0"),
        ] {
            assert_eq!(
                decided(|environment| environment.with(name, value)),
                Because::VariableYes,
                "{name}={value}"
            );
        }
    }

    #[test]
    fn the_opt_out_files_count_whatever_they_hold() {
        for (name, because) in [
            ("etc/automagik-telemetry/no-telemetry", Because::MachineOptOut),
            (".no-telemetry", Because::GeneralOptOut),
            (".automagik-no-telemetry", Because::OptOutFile),
            (".automagik-app-no-telemetry", Because::ProjectOptOut),
        ] {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
            let environment = Environment::at(home.path()).set(ENABLED, "true");
            assert_eq!(decide(&of_app(&environment)).because(), because);
        }
    }

    #[test]
    fn without_any_signal_nobody_has_agreed() {
        let home = tempfile::tempdir().unwrap();
        let signals = of_app(&Environment::at(home.path()));
        assert_eq!(decide(&signals).because(), Because::NothingSaid);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_no_yes() {
        use std::os::unix::ffi::OsStringExt;
        let value = std::ffi::OsString::from_vec(vec![b't', 0xFF]);
        assert_eq!(
            decided(|environment| environment.set(ENABLED, value.clone())),
            Because::VariableUnintelligible
        );
    }
}
