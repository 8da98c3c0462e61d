//! Consent: what a user said, and the decision that follows from it. The function is pure and total.
//!
//! A yes is for the programs of one organization, here `acme`; a no may be for all.
//!
//! | signal | for | says |
//! |---|---|---|
//! | `ACME_TELEMETRY_ENABLED` | its programs | yes, no, or something unintelligible, which is no |
//! | the stored answer | its programs | yes or no |
//! | `~/.acme-no-telemetry` | its programs | no |
//! | `~/.no-telemetry`, the administrator's file | all | no |
//! | `DO_NOT_TRACK` | all | no |
//! | a CI service, a development or test environment, the application's own switch | | no |
//! | the program can say more than what was agreed to, and nobody has seen that yet | its project | no to the stored yes |
//!
//! One "no" beats any number of "yes", so adding a "no" can never turn telemetry on. Without a "yes" it is off.
//! Policy: "Your Control".

/// What a variable or a stored answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Nothing.
    #[default]
    Silent,
    /// Yes.
    Yes,
    /// No.
    No,
    /// Something that is neither; it counts as no.
    Unintelligible,
}

impl Answer {
    /// What `value` says: `true`, `1`, `yes`, `on` or `false`, `0`, `no`, `off`, in any case and with space
    /// around. An empty value says nothing.
    ///
    /// ```
    /// use automagik_telemetry_core::consent::Answer;
    /// assert_eq!(Answer::parse(" Yes "), Answer::Yes);
    /// assert_eq!(Answer::parse("off"), Answer::No);
    /// assert_eq!(Answer::parse(""), Answer::Silent);
    /// assert_eq!(Answer::parse("maybe"), Answer::Unintelligible);
    /// ```
    #[must_use]
    pub fn parse(value: &str) -> Self {
        let value = value.trim();
        let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        if value.is_empty() {
            Self::Silent
        } else if is(&["true", "1", "yes", "on", "y", "t", "enable", "enabled"]) {
            Self::Yes
        } else if is(&["false", "0", "no", "off", "n", "f", "disable", "disabled", "never", "none"]) {
            Self::No
        } else {
            Self::Unintelligible
        }
    }
}

/// All that bears on the decision. Core reads nothing itself: the caller collects the signals.
///
/// ```
/// use automagik_telemetry_core::consent::{Answer, Because, Signals, decide};
/// let yes = Signals { variable: Answer::Yes, ..Signals::default() };
/// assert!(decide(&yes).enabled());
/// let decision = decide(&Signals { opt_out_file: true, ..yes });
/// assert!(!decision.enabled());
/// assert_eq!(decision.because(), Because::OptOutFile);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signals {
    /// Whoever built the program left telemetry out of it.
    pub left_out: bool,
    /// The organization's variable (`ACME_TELEMETRY_ENABLED`), or a device's provisioned flag.
    pub variable: Answer,
    /// The answer given once to the organization, and stored.
    pub stored: Answer,
    /// The program can say more than what the stored yes was given to, and nobody has seen that yet.
    pub wider: bool,
    /// The administrator's file exists: no, for everybody on this machine.
    pub machine_opt_out: bool,
    /// The person's file for all organizations exists (`~/.no-telemetry`).
    pub general_opt_out: bool,
    /// The person's file for this organization exists (`~/.acme-no-telemetry`).
    pub opt_out_file: bool,
    /// `DO_NOT_TRACK` is set to something but `0`.
    pub do_not_track: bool,
    /// The project's own, older opt-out is set.
    pub project_opt_out: bool,
    /// The application's own switch says no.
    pub application_opt_out: bool,
    /// This is a CI service.
    pub ci: bool,
    /// `ENVIRONMENT` names a development or test environment.
    pub development: bool,
    /// This is a test run.
    pub test_run: bool,
}

/// The signal that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Because {
    /// Whoever built the program left telemetry out of it.
    LeftOut,
    /// The administrator has switched it off for this machine.
    MachineOptOut,
    /// The person's opt-out file for all organizations exists.
    GeneralOptOut,
    /// The organization's opt-out file exists.
    OptOutFile,
    /// `DO_NOT_TRACK` is set.
    DoNotTrack,
    /// The project's own opt-out is set.
    ProjectOptOut,
    /// The variable says no.
    VariableNo,
    /// The variable says something unintelligible.
    VariableUnintelligible,
    /// The stored answer is no.
    StoredNo,
    /// The stored answer is unintelligible.
    StoredUnintelligible,
    /// The application's switch says no.
    ApplicationOptOut,
    /// A CI service.
    Ci,
    /// A development environment.
    Development,
    /// A test run.
    TestRun,
    /// The variable says yes, and nothing says no.
    VariableYes,
    /// The stored answer is yes, and nothing says no.
    StoredYes,
    /// The stored answer is yes, and the program can say more than it was given to.
    WiderThanAgreed,
    /// No signal says anything.
    NothingSaid,
}

impl Because {
    /// Returns the reason, for a person. The names of the organization's variable and file are what `status` shows with it.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::LeftOut => "this build has no telemetry in it",
            Self::MachineOptOut => "the administrator has switched it off for everybody on this machine",
            Self::GeneralOptOut => "the file ~/.no-telemetry exists",
            Self::OptOutFile => "the opt-out file of its organization exists",
            Self::DoNotTrack => "DO_NOT_TRACK is set",
            Self::ProjectOptOut => "this project's own opt-out is set",
            Self::VariableNo => "the variable of its organization says no",
            Self::VariableUnintelligible => {
                "the variable of its organization is neither yes nor no, which counts as no (use true or false)"
            }
            Self::StoredNo => "you answered no",
            Self::StoredUnintelligible => "the stored answer can't be read, which counts as no",
            Self::ApplicationOptOut => "the application has switched it off",
            Self::Ci => "this is a CI service",
            Self::Development => "ENVIRONMENT names a development or test environment",
            Self::TestRun => "this is a test run",
            Self::VariableYes => "the variable of its organization says yes",
            Self::StoredYes => "you answered yes",
            Self::WiderThanAgreed => {
                "this version can send more than what you agreed to, and has not shown it to you yet"
            }
            Self::NothingSaid => "nobody has agreed to it",
        }
    }
}

/// Whether telemetry is on, and which signal decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    because: Because,
}

impl Decision {
    /// Returns whether telemetry is on.
    #[must_use]
    pub const fn enabled(self) -> bool {
        matches!(self.because, Because::VariableYes | Because::StoredYes)
    }

    /// Returns the signal that decided.
    #[must_use]
    pub const fn because(self) -> Because {
        self.because
    }

    /// Returns the consent, if there is one.
    #[must_use]
    pub const fn consent(self) -> Option<Consent> {
        if self.enabled() { Some(Consent(())) } else { None }
    }
}

/// Proof that [`decide`] said yes. Identities, stores and senders can't be made without it.
///
/// ```compile_fail
/// let consent = automagik_telemetry_core::Consent(()); // only a decision makes one
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Consent(());

/// Returns the decision that follows from `signals`.
#[must_use]
pub const fn decide(signals: &Signals) -> Decision {
    let because = if signals.left_out {
        Because::LeftOut
    } else if signals.machine_opt_out {
        Because::MachineOptOut
    } else if signals.general_opt_out {
        Because::GeneralOptOut
    } else if signals.opt_out_file {
        Because::OptOutFile
    } else if signals.do_not_track {
        Because::DoNotTrack
    } else if signals.project_opt_out {
        Because::ProjectOptOut
    } else if matches!(signals.variable, Answer::No) {
        Because::VariableNo
    } else if matches!(signals.variable, Answer::Unintelligible) {
        Because::VariableUnintelligible
    } else if matches!(signals.stored, Answer::No) {
        Because::StoredNo
    } else if matches!(signals.stored, Answer::Unintelligible) {
        Because::StoredUnintelligible
    } else if signals.application_opt_out {
        Because::ApplicationOptOut
    } else if signals.ci {
        Because::Ci
    } else if signals.development {
        Because::Development
    } else if signals.test_run {
        Because::TestRun
    } else if matches!(signals.variable, Answer::Yes) {
        Because::VariableYes
    } else if matches!(signals.stored, Answer::Yes) && signals.wider {
        Because::WiderThanAgreed
    } else if matches!(signals.stored, Answer::Yes) {
        Because::StoredYes
    } else {
        Because::NothingSaid
    };
    Decision { because }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: [Answer; 4] = [Answer::Silent, Answer::Yes, Answer::No, Answer::Unintelligible];

    /// Every combination of signals: 4 * 4 * 2^11.
    fn all() -> impl Iterator<Item = Signals> {
        ANSWERS.into_iter().flat_map(|variable| {
            ANSWERS.into_iter().flat_map(move |stored| {
                (0_u32..1 << 11).map(move |bits| {
                    let bit = |n: u32| bits >> n & 1 == 1;
                    Signals {
                        variable,
                        stored,
                        opt_out_file: bit(0),
                        do_not_track: bit(1),
                        project_opt_out: bit(2),
                        application_opt_out: bit(3),
                        ci: bit(4),
                        development: bit(5),
                        test_run: bit(6),
                        machine_opt_out: bit(7),
                        general_opt_out: bit(8),
                        wider: bit(9),
                        left_out: bit(10),
                    }
                })
            })
        })
    }

    fn with_one_more_no(signals: Signals) -> impl Iterator<Item = Signals> {
        [
            Signals { variable: Answer::No, ..signals },
            Signals { variable: Answer::Unintelligible, ..signals },
            Signals { stored: Answer::No, ..signals },
            Signals { stored: Answer::Unintelligible, ..signals },
            Signals { left_out: true, ..signals },
            Signals { machine_opt_out: true, ..signals },
            Signals { general_opt_out: true, ..signals },
            Signals { opt_out_file: true, ..signals },
            Signals { do_not_track: true, ..signals },
            Signals { project_opt_out: true, ..signals },
            Signals { application_opt_out: true, ..signals },
            Signals { ci: true, ..signals },
            Signals { development: true, ..signals },
            Signals { test_run: true, ..signals },
        ]
        .into_iter()
    }

    #[test]
    fn adding_any_no_to_any_signals_turns_it_off() {
        for signals in all() {
            for more in with_one_more_no(signals) {
                assert!(!decide(&more).enabled(), "{signals:?} then {more:?}");
            }
        }
    }

    #[test]
    fn without_a_yes_it_is_off() {
        for signals in all() {
            let yes = signals.variable == Answer::Yes || signals.stored == Answer::Yes;
            assert!(yes || !decide(&signals).enabled(), "{signals:?}");
        }
    }

    #[test]
    fn more_than_was_agreed_to_turns_nothing_on_and_a_stored_yes_off() {
        for signals in all() {
            let wider = decide(&Signals { wider: true, ..signals });
            assert!(decide(&signals).enabled() || !wider.enabled(), "{signals:?}");
            assert_ne!(wider.because(), Because::StoredYes);
        }
    }

    #[test]
    fn a_yes_and_no_no_turns_it_on() {
        for signals in [
            Signals { variable: Answer::Yes, ..Signals::default() },
            Signals { stored: Answer::Yes, ..Signals::default() },
        ] {
            assert!(decide(&signals).enabled());
            assert!(decide(&signals).consent().is_some());
        }
        assert!(decide(&Signals::default()).consent().is_none());
    }
}
