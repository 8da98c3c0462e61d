//! The person, whom nobody asks.

use automagik_telemetry_core::Schema;
use automagik_telemetry_core::schema::Checked;
use core::convert::Infallible;
use core::fmt;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// A setting that has no effect.
pub const STATE_DIR: &str = "STATE_DIR";

/// Variables and folders that nobody looks at.
#[derive(Clone, Debug)]
pub struct Environment(());

impl Environment {
    /// That of this process, which is not looked at.
    #[must_use]
    pub fn of_process() -> Self {
        Self(())
    }

    /// One whose files would be under `home`.
    #[must_use]
    pub fn at(_home: impl Into<PathBuf>) -> Self {
        Self(())
    }

    /// Changes nothing.
    #[must_use]
    pub fn with(self, _name: impl Into<OsString>, _value: impl Into<OsString>) -> Self {
        self
    }
}

/// Who publishes a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Organization(&'static str);

impl Organization {
    /// That of the program of this schema.
    #[must_use]
    pub const fn of<S: Schema>() -> Self {
        Self(Checked::<S>::DESCRIPTOR.organization())
    }

    /// Its name, as the schema has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Returns the variable that `setting` would have.
    #[must_use]
    pub fn variable(self, setting: &str) -> String {
        format!("{}_TELEMETRY_{setting}", self.0.to_ascii_uppercase().replace('-', "_"))
    }

    /// Returns the file in a person's home that would say no.
    #[must_use]
    pub fn opt_out_file(self) -> String {
        format!(".{}-no-telemetry", self.0)
    }
}

impl fmt::Display for Organization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        match letters.next() {
            Some(first) => write!(f, "{}{}", first.to_ascii_uppercase(), letters.as_str()),
            None => Ok(()),
        }
    }
}

/// A dialog that is never shown.
pub trait Ask {
    /// Is not called.
    fn is_anybody_there(&self) -> bool {
        true
    }

    /// Is not called.
    fn ask(&mut self, question: &Question) -> Reply;

    /// Is not called.
    fn news(&mut self, _news: &News) -> bool {
        false
    }

    /// Is not called.
    fn kept(&mut self, _kept: Result<Option<&Path>, &io::Error>) {}
}

/// What a person would have answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes.
    Yes,
    /// No.
    No,
    /// No answer.
    NotNow,
}

/// A question that is never asked: it has no value.
#[derive(Clone, Debug)]
pub struct Question(Infallible);

/// What a version could send beyond another: nothing, so it has no value.
#[derive(Clone, Debug)]
pub struct News(Infallible);

/// Methods that nobody can call, since there is no value to call them on.
macro_rules! never {
    ($($(#[$comment:meta])* fn $name:ident(&self) -> $result:ty;)+) => {
        $($(#[$comment])*
        #[must_use]
        pub fn $name(&self) -> $result {
            match self.0 {}
        })+
    };
}

impl Question {
    never! {
        /// The program's project.
        fn project(&self) -> &'static str;
        /// Who asks.
        fn organization(&self) -> Organization;
        /// The question.
        fn question(&self) -> String;
        /// What can be sent.
        fn collected(&self) -> Vec<String>;
        /// What goes with it.
        fn accompanied_by(&self) -> &'static str;
        /// What is not collected.
        fn not_collected(&self) -> &'static str;
        /// Where data go.
        fn destination(&self) -> &str;
        /// Where the privacy policy can be read.
        fn privacy_policy(&self) -> Option<&'static str>;
        /// For what the answer counts.
        fn covers(&self) -> String;
        /// How a mind is changed.
        fn change(&self) -> String;
        /// What no answer means.
        fn without_answer(&self) -> &'static str;
        /// Whether the terminal wants colour.
        fn wants_colour(&self) -> bool;
    }
}

impl News {
    never! {
        /// The program's project.
        fn project(&self) -> &'static str;
        /// What is new.
        fn lines(&self) -> &[String];
    }
}

impl fmt::Display for Question {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl fmt::Display for News {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

/// Asks nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal(());

automagik_telemetry_core::interface! {
    /// What [`Terminal`] would say.
    wording
}

impl Wording {
    /// No words.
    pub const ENGLISH: Self = Self {
        text: Question::question,
        question: Question::question,
        choices: "",
        yes: &[],
        no: &[],
        kept_in: "",
        not_kept: "",
        unclear: "",
        unclear_means: None,
    };
}

impl Terminal {
    /// One that never asks.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }

    /// The same.
    #[must_use]
    pub const fn in_words(_wording: Wording) -> Self {
        Self(())
    }
}

impl Ask for Terminal {
    fn is_anybody_there(&self) -> bool {
        false
    }

    fn ask(&mut self, question: &Question) -> Reply {
        match question.0 {}
    }
}
