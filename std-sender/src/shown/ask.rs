//! The question, asked once, where somebody is there to answer and nothing is decided. Policy: "Opt-In by Default".

use crate::person::agreed::{self, News};
use crate::person::choice;
use crate::person::environment::{Environment, HOME};
use crate::person::organization::Organization;
use crate::person::signals::ENABLED;
use crate::send::endpoint::{self, Endpoint};
use automagik_telemetry_core::consent::{Because, Decision};
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::schema::SchemaDescriptor;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Most events and metrics that the question lists by name.
const COLLECTED_MAX: usize = 10;

/// Longest line of the question's text, in bytes, beside what stands in front.
const LINE_MAX: usize = 86;

/// Asks the user for consent. [`Terminal`](crate::Terminal) asks at a terminal. A desktop application implements this with a dialog:
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
    /// Returns whether a user is there to answer. If not, nothing is asked or stored.
    fn is_anybody_there(&self) -> bool {
        true
    }

    /// Shows the question and waits for the answer.
    fn ask(&mut self, question: &Question) -> Reply;

    /// Shows what this version can send beyond what the user agreed to, before anything is recorded. Returns whether it was shown; if it
    /// was not, telemetry stays off. The default implementation shows it on standard error, if that is a terminal.
    fn news(&mut self, news: &News) -> bool {
        show_at_terminal(news)
    }

    /// Called after the answer: it was stored in this file, or could not be. `None` if there was no answer.
    fn kept(&mut self, _kept: Result<Option<&Path>, &io::Error>) {}
}

/// The user's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes. It is stored, and the user is not asked again.
    Yes,
    /// No. It is stored, and the user is not asked again.
    No,
    /// No answer, which counts as no for now: see [`Question::without_answer`].
    NotNow,
}

/// What the user needs to know to answer. `Display` writes all of it, in a few lines of English. For another language, compose a text
/// from the parts.
#[derive(Clone, Debug)]
pub struct Question {
    schema: &'static SchemaDescriptor,
    organization: Organization,
    destination: String,
    /// Where the answer would be kept.
    kept_in: Option<PathBuf>,
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
    fn new(environment: &Environment, schema: &'static SchemaDescriptor) -> Self {
        let of = |signal| {
            endpoint::choose(environment, schema.endpoint(), signal).map_or_else(
                |_| "nowhere: the endpoint is wrong".to_owned(),
                |(endpoint, _)| host(&endpoint, signal),
            )
        };
        let (logs, metrics) = (of(Signal::Logs), of(Signal::Metrics));
        let destination =
            if logs == metrics { logs } else { format!("{logs} (events), {metrics} (counts and durations)") };
        // https://no-color.org, and terminals that say that they have none.
        let colour = environment.variable("NO_COLOR").is_none_or(|value| value.is_empty())
            // Consoles of Windows say nothing: they are asked when it comes to it.
            && environment.text("TERM").map_or(cfg!(windows), |value| value != "dumb");
        let (organization, kept_in) = (environment.organization(), choice::path(environment));
        let session = choice::remembers_session(environment);
        Self { schema, organization, destination, kept_in, session, colour }
    }

    /// Returns the program's project.
    #[must_use]
    pub fn project(&self) -> &'static str {
        self.schema.project()
    }

    /// Returns who asks, and for whose programs the answer counts.
    #[must_use]
    pub fn organization(&self) -> Organization {
        self.organization
    }

    /// Returns the policy's question.
    #[must_use]
    pub fn question(&self) -> String {
        format!("Help Improve {}! Enable telemetry?", self.organization)
    }

    /// Returns what can be sent, in the schema's own words: events and their fields, and what is counted.
    #[must_use]
    pub fn collected(&self) -> Vec<String> {
        let with = |name: &str, fields: Vec<&str>| match fields.as_slice() {
            [] => name.to_owned(),
            fields => format!("{name} ({})", fields.join(", ")),
        };
        let events =
            self.schema.events().map(|event| with(event.name, event.fields.iter().map(|f| f.name).collect()));
        let metrics = self.schema.metrics().iter().map(|metric| with(metric.name, metric.labels.to_vec()));
        // What was dropped comes first in a schema, and last for a person.
        let mut all: Vec<String> = events.chain(metrics).collect();
        all.rotate_left(1);
        all
    }

    /// Returns what goes with it.
    #[must_use]
    pub fn accompanied_by(&self) -> &'static str {
        "the program's version, the kinds of operating system and processor, the time in coarse steps, and a pseudonym: random digits that \
         this account keeps for this program, which link what it sends"
    }

    /// Returns what is not collected.
    #[must_use]
    pub fn not_collected(&self) -> &'static str {
        "names, messages, file contents, arguments, addresses: an event has no place to put them"
    }

    /// Where data go: an origin, such as `https://telemetry.example`; both, where events and counts go to different ones.
    #[must_use]
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// Where the organization's privacy policy can be read, where the schema says so.
    #[must_use]
    pub fn privacy_policy(&self) -> Option<&'static str> {
        self.schema.privacy_policy()
    }

    /// For what the answer counts.
    #[must_use]
    pub fn covers(&self) -> String {
        let kept =
            self.kept_in.as_ref().map(|path| format!(", kept in {}", path.display())).unwrap_or_default();
        format!("all programs of {} that you run, and nobody else's{kept}", self.organization)
    }

    /// How a mind is changed.
    #[must_use]
    pub fn change(&self) -> String {
        let (organization, variable) = (self.organization, self.organization.variable(ENABLED));
        format!(
            "{variable}=false, an empty file {HOME}{}, or no as the answer that is kept ends it",
            organization.opt_out_file()
        )
    }

    /// Returns what no answer means for the next run: nothing is asked for the rest of the session, where the system has a place that ends with
    /// it (`XDG_RUNTIME_DIR`); elsewhere the next run asks again.
    #[must_use]
    pub fn without_answer(&self) -> &'static str {
        if self.session {
            "nothing is sent, and you are not asked again in this session"
        } else {
            "nothing is sent, and the next run asks again"
        }
    }

    /// Returns whether the terminal wants colour: not with `NO_COLOR`, nor where `TERM` is unset (but on Windows) or `dumb`.
    #[must_use]
    pub fn wants_colour(&self) -> bool {
        self.colour
    }
}

/// Where an endpoint leads, without credentials and path.
fn host(endpoint: &Endpoint, signal: Signal) -> String {
    endpoint.address(signal).origin().ascii_serialization()
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (project, organization) = (self.project(), self.organization);
        writeln!(f, "{project} of {organization} can send usage data. Nothing is sent unless you say yes.")?;
        let collected = self.collected();
        let (shown, more) = collected.split_at(collected.len().min(COLLECTED_MAX));
        let mut sent = shown.join("; ");
        if !more.is_empty() {
            sent.push_str(&format!("; and {} more, which `{project} telemetry inventory` lists", more.len()));
        }
        let row = |f: &mut fmt::Formatter<'_>, head: &str, text: &str| {
            let mut head = head;
            wrapped(text).iter().try_for_each(|line| writeln!(f, "  {:<12}{line}", std::mem::take(&mut head)))
        };
        row(f, "Sent:", &sent)?;
        row(f, "With:", self.accompanied_by())?;
        row(f, "Never sent:", self.not_collected())?;
        row(f, "To:", &self.destination)?;
        row(f, "Covers:", &self.covers())?;
        row(f, "Later:", &self.change())?;
        self.privacy_policy().map_or(Ok(()), |address| row(f, "Read more:", address))
    }
}

/// `text` in lines for a terminal of 100 columns; a word that is longer stands alone.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().filter(|line| line.is_empty() || line.len() + word.len() < LINE_MAX);
        match last {
            Some(line) => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Shows `news` on standard error where that is a terminal, and says whether it was.
fn show_at_terminal(news: &News) -> bool {
    let mut output = io::stderr();
    output.is_terminal()
        && output.write_all(news.to_string().as_bytes()).and_then(|()| output.flush()).is_ok()
}

/// Shows what is new since the person agreed, with `dialog` if there is one, and keeps that they have seen it.
pub(crate) fn show_news(
    dialog: Option<&mut (dyn Ask + 'static)>,
    environment: &Environment,
    schema: &'static SchemaDescriptor,
) -> bool {
    let Some(news) = agreed::news(environment, schema) else { return false };
    let is_shown = match dialog {
        Some(dialog) => dialog.news(&news),
        None => show_at_terminal(&news),
    };
    if is_shown {
        agreed::note(environment, schema);
    }
    is_shown
}

/// Asks where nothing is decided and somebody is there, keeps the answer, and says what it was.
pub(crate) fn ask(
    dialog: &mut dyn Ask,
    environment: &Environment,
    schema: &'static SchemaDescriptor,
    decision: Decision,
) -> Option<Reply> {
    if decision.because() != Because::NothingSaid
        || choice::is_asked_no_more(environment)
        || !dialog.is_anybody_there()
    {
        return None;
    }
    let reply = dialog.ask(&Question::new(environment, schema));
    match reply {
        Reply::Yes | Reply::No => match choice::store(environment, reply == Reply::Yes) {
            Ok(path) => {
                if reply == Reply::Yes {
                    agreed::note(environment, schema);
                }
                dialog.kept(Ok(Some(&path)));
            }
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
