//! Collects what bears on the decision; core decides.

use crate::environment::Environment;
use automagik_telemetry_core::consent::{Answer, Signals};

/// The person's word, for all programs of the organisation. Policy: "Your Control".
pub const ENABLED: &str = "AUTOMAGIK_TELEMETRY_ENABLED";

/// In the home folder: a person's "no", for good. Policy: "Easy Opt-Out".
pub const OPT_OUT_FILE: &str = ".automagik-no-telemetry";

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

/// The signals of `environment` for a program of `project`.
pub(crate) fn collect(environment: &Environment, project: &str, application_opt_out: bool) -> Signals {
    let is_set = |name: &&str| environment.text(name).is_some_and(|value| !is_off(&value));
    let exists = |name: &str| {
        // A file that can't be looked at may be there: that is a no.
        environment
            .home()
            .is_some_and(|home| home.join(name).symlink_metadata().map_or_else(is_hidden, |_| true))
    };
    let shouted = project.to_ascii_uppercase().replace(['-', '.'], "_");
    Signals {
        variable: environment
            .variable(ENABLED)
            .map_or(Answer::Silent, |value| value.to_str().map_or(Answer::Unintelligible, Answer::parse)),
        stored: Answer::Silent,
        opt_out_file: exists(OPT_OUT_FILE),
        do_not_track: environment.text(DO_NOT_TRACK).is_some_and(|value| value != "0"),
        project_opt_out: is_set(&format!("AUTOMAGIK_{shouted}_DISABLE_TELEMETRY").as_str())
            || exists(&format!(".automagik-{project}-no-telemetry")),
        application_opt_out,
        ci: CI.iter().any(is_set),
        development: environment
            .text(ENVIRONMENT)
            .is_some_and(|value| DEVELOPMENT.iter().any(|name| value.eq_ignore_ascii_case(name))),
        test_run: environment.is_test_binary() || is_set(&NEXTEST),
    }
}

fn is_off(value: &str) -> bool {
    value == "0" || value.eq_ignore_ascii_case("false")
}

fn is_hidden(error: std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::PermissionDenied
}

#[cfg(test)]
mod tests {
    use super::*;
    use automagik_telemetry_core::consent::{Because, decide};

    fn decided(set_up: impl Fn(Environment) -> Environment) -> Because {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::at(home.path()).with(ENABLED, "true");
        decide(&collect(&set_up(environment), "omni-cli", false)).because()
    }

    #[test]
    fn every_no_beats_a_yes() {
        for (name, value, because) in [
            (DO_NOT_TRACK, "1", Because::DoNotTrack),
            (DO_NOT_TRACK, "yes", Because::DoNotTrack),
            (ENABLED, " FALSE ", Because::VariableNo),
            (ENABLED, "perhaps", Because::VariableUnintelligible),
            (ENVIRONMENT, "Dev", Because::Development),
            (ENVIRONMENT, "testing", Because::Development),
            ("AUTOMAGIK_OMNI_CLI_DISABLE_TELEMETRY", "true", Because::ProjectOptOut),
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
            ("AUTOMAGIK_OMNI_CLI_DISABLE_TELEMETRY", "0"),
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
            (OPT_OUT_FILE, Because::OptOutFile),
            (".automagik-omni-cli-no-telemetry", Because::ProjectOptOut),
        ] {
            let home = tempfile::tempdir().unwrap();
            std::fs::write(home.path().join(name), "").unwrap();
            let environment = Environment::at(home.path()).with(ENABLED, "true");
            assert_eq!(decide(&collect(&environment, "omni-cli", false)).because(), because);
        }
    }

    #[test]
    fn without_any_signal_nobody_has_agreed() {
        let home = tempfile::tempdir().unwrap();
        let signals = collect(&Environment::at(home.path()), "omni", false);
        assert_eq!(decide(&signals).because(), Because::NothingSaid);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_no_yes() {
        use std::os::unix::ffi::OsStringExt;
        let value = std::ffi::OsString::from_vec(vec![b't', 0xFF]);
        assert_eq!(
            decided(|environment| environment.with(ENABLED, value.clone())),
            Because::VariableUnintelligible
        );
    }
}
