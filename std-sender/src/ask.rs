//! The question, asked once, where somebody is there to answer and nothing is decided. Policy: "Opt-In by Default".

use crate::choice;
use crate::endpoint::{self, Endpoint};
use crate::environment::Environment;
use automagik_telemetry_core::consent::{Because, Decision};
use automagik_telemetry_core::otlp::Signal;
use std::fmt;
use std::io;
use std::path::Path;

/// Asks a person. [`Terminal`](crate::Terminal) does it in a terminal; a program with windows brings its own dialog:
///
/// ```
/// use automagik_telemetry_std::{Ask, Question, Reply};
///
/// /// Shows a window with two buttons.
/// struct Window;
///
/// impl Ask for Window {
///     fn ask(&mut self, question: &Question) -> Reply {
///         let text = question.to_string();
///         # let answer_of_the_window = |_| None;
///         match answer_of_the_window(text) {
///             Some(true) => Reply::Yes,
///             Some(false) => Reply::No,
///             None => Reply::NotNow, // the window was closed
///         }
///     }
/// }
/// ```
pub trait Ask {
    /// Whether somebody is there to be asked. Without anybody nothing is asked or kept.
    fn is_anybody_there(&self) -> bool {
        true
    }

    /// Shows the question, and waits for the answer.
    fn ask(&mut self, question: &Question) -> Reply;

    /// The answer was kept in the file, or could not be. `None` where there was no answer.
    fn kept(&mut self, _kept: Result<Option<&Path>, &io::Error>) {}
}

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes. It is kept; nobody is asked again.
    Yes,
    /// No. It is kept; nobody is asked again.
    No,
    /// No answer, which is no for now: see [`Question::without_answer`].
    NotNow,
}

/// What a person must know to answer. `Display` is all of it, in a few lines.
#[derive(Clone, Debug)]
pub struct Question {
    project: &'static str,
    destination: String,
    /// Whether it is remembered for the session that there was no answer.
    session: bool,
    colour: bool,
}

impl Reply {
    /// Whether it is a yes, where it is an answer.
    pub(crate) fn answer(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::NotNow => None,
        }
    }
}

impl Question {
    fn new(environment: &Environment, project: &'static str, application: Option<&str>) -> Self {
        let of = |signal| {
            endpoint::choose(environment, application, signal).map_or_else(
                |_| "nowhere: the endpoint is wrong".to_owned(),
                |(endpoint, _)| host(&endpoint, signal),
            )
        };
        let (logs, metrics) = (of(Signal::Logs), of(Signal::Metrics));
        let destination =
            if logs == metrics { logs } else { format!("{logs} (events), {metrics} (counts and durations)") };
        // https://no-color.org, and terminals that say that they have none.
        let colour = environment.variable("NO_COLOR").is_none_or(|value| value.is_empty())
            && environment.text("TERM").is_some_and(|value| value != "dumb");
        Self { project, destination, session: choice::remembers_session(environment), colour }
    }

    /// The program's project.
    #[must_use]
    pub fn project(&self) -> &'static str {
        self.project
    }

    /// The policy's question.
    #[must_use]
    pub fn question(&self) -> &'static str {
        "Help Improve Automagik! Enable telemetry?"
    }

    /// What is collected.
    #[must_use]
    pub fn collected(&self) -> &'static str {
        "which commands and features are used, how long they take, error codes, the operating system"
    }

    /// What is not collected.
    #[must_use]
    pub fn not_collected(&self) -> &'static str {
        "names, messages, file contents, arguments, addresses: an event has no place to put them"
    }

    /// Where data go: an origin, such as `https://telemetry.example`; both, where events and counts go to different ones.
    #[must_use]
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// How a mind is changed.
    #[must_use]
    pub fn change(&self) -> String {
        format!("AUTOMAGIK_TELEMETRY_ENABLED=false or ~/{} is a no for good", crate::signals::OPT_OUT_FILE)
    }

    /// What no answer means for the next run: nothing is asked for the rest of the session, where the system has a place that ends with
    /// it (`XDG_RUNTIME_DIR`); elsewhere the next run asks again.
    #[must_use]
    pub fn without_answer(&self) -> &'static str {
        if self.session {
            "nothing is sent, and you are not asked again in this session"
        } else {
            "nothing is sent, and the next run asks again"
        }
    }

    /// Whether the terminal wants colour: not with `NO_COLOR`, nor where `TERM` is unset or `dumb`.
    #[must_use]
    pub fn wants_colour(&self) -> bool {
        self.colour
    }
}

/// Where an endpoint leads, without credentials and path.
fn host(endpoint: &Endpoint, signal: Signal) -> String {
    endpoint.url(signal).origin().ascii_serialization()
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} can send anonymous usage data. Nothing is sent unless you say yes.", self.project)?;
        writeln!(f, "  Sent:       {}", self.collected())?;
        writeln!(f, "  Never sent: {}", self.not_collected())?;
        writeln!(f, "  To:         {}", self.destination)?;
        writeln!(f, "  Later:      {}", self.change())
    }
}

/// Asks where nothing is decided and somebody is there, keeps the answer, and says what it was.
pub(crate) fn ask(
    dialog: &mut dyn Ask,
    environment: &Environment,
    project: &'static str,
    application: Option<&str>,
    decision: Decision,
) -> Option<Reply> {
    if decision.because() != Because::NothingSaid
        || choice::is_asked_no_more(environment)
        || !dialog.is_anybody_there()
    {
        return None;
    }
    let reply = dialog.ask(&Question::new(environment, project, application));
    match reply {
        Reply::Yes | Reply::No => match choice::store(environment, reply == Reply::Yes) {
            Ok(path) => dialog.kept(Ok(Some(&path))),
            Err(error) => {
                // Where nothing can be kept, the rest of this process is all there is.
                choice::ask_no_more(environment);
                dialog.kept(Err(&error));
            }
        },
        Reply::NotNow => {
            choice::ask_no_more(environment);
            dialog.kept(Ok(None));
        }
    }
    Some(reply)
}
