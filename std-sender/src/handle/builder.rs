//! Settings, each of them the person's first, then the application's, then the policy's.

use crate::handle::telemetry::Telemetry;
use crate::person::environment::Environment;
use crate::person::organization::Organization;
use crate::run::background;
use crate::run::start::{self, Options, Person};
use crate::run::start_error::StartError;
use crate::shown::ask::{self, Ask, Reply};
use crate::shown::rights::Rights;
use automagik_telemetry_core::Schema;
use automagik_telemetry_core::consent::Because;
use automagik_telemetry_core::schema::Checked;
use core::marker::PhantomData;
use std::fmt;
use std::time::Duration;

/// Configures and starts a [`Telemetry`] handle.
///
/// ```
/// # use automagik_telemetry_std::{Environment, Telemetry};
/// # use automagik_telemetry_core::{FeatureUsed, Label};
/// # use automagik_telemetry_derive::{Label, Schema};
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// #[derive(Label, Clone, Copy)]
/// enum Feature { ListContacts }
///
/// #[derive(Schema)]
/// #[schema(organization = "automagik", project = "omni")]
/// enum Omni { FeatureUsed(FeatureUsed<Feature>) }
///
/// let telemetry = Telemetry::<Omni>::builder().start();
/// telemetry.record(FeatureUsed { feature: Feature::ListContacts });
/// ```
#[derive(Debug)]
pub struct Builder<S> {
    environment: Option<Environment>,
    options: Options,
    dialog: Option<Dialog>,
    schema: PhantomData<fn(S)>,
}

/// Who asks the person.
struct Dialog(Box<dyn Ask>);

impl fmt::Debug for Dialog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialog")
    }
}

impl<S: Schema> Builder<S> {
    pub(crate) fn new() -> Self {
        Self { environment: None, options: Options::default(), dialog: None, schema: PhantomData }
    }

    /// Turns telemetry off if `opted_out`, and overrides every yes. Nothing in the program can turn it on: only the user can.
    #[must_use]
    pub fn opt_out(mut self, opted_out: bool) -> Self {
        self.options.opt_out |= opted_out;
        self
    }

    /// If `verbose`, shows on standard error what is sent. Connect it to an option such as `--telemetry-verbose`. Users get the
    /// same from the variable `ACME_TELEMETRY_VERBOSE` (with your organization's name).
    #[must_use]
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.options.verbose |= verbose;
        self
    }

    /// Sets how long a record may wait for others, to be sent with them in one request. The default is
    /// [`INTERVAL`](crate::INTERVAL).
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.options.interval = interval;
        self
    }

    /// Sets how long one request may take, with its answer. The default is [`TIMEOUT`](crate::settings::TIMEOUT); zero means no
    /// limit. The user's `ACME_TELEMETRY_TIMEOUT` overrides it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = (!timeout.is_zero()).then_some(timeout);
        self
    }

    /// Turns compression off if not `gzip`. By default, bodies of more than 1 KiB are compressed. The user's
    /// `ACME_TELEMETRY_COMPRESSION` overrides it.
    #[must_use]
    pub fn compression(mut self, gzip: bool) -> Self {
        self.options.compression = gzip;
        self
    }

    /// Waits for delivery when the last handle is dropped, for `most` at most. Use it for a program that may never run again, as in a
    /// container. By default the drop writes to disk, and the next run delivers.
    #[must_use]
    pub fn wait_at_exit(mut self, most: Duration) -> Self {
        self.options.wait_at_exit = most;
        self
    }

    /// Delivers in a separate process after a run, for command line programs that exit before a request could finish. When the last
    /// handle is dropped, the run leaves a process behind that delivers the waiting events and exits, within a minute. There is at most one.
    ///
    /// That process is this program with the same arguments. It ends inside [`build`](Builder::build) or [`start`](Builder::start), so
    /// **call that first in `main`**, before anything but reading the arguments. You may call it inside any async runtime.
    ///
    /// On Windows a run whose standard input, output or error is a pipe leaves no process behind: the process would inherit the pipe, and
    /// whoever reads it would wait. The next run delivers instead.
    #[must_use]
    pub fn upload_in_background(mut self, upload: bool) -> Self {
        self.options.upload_in_background = upload;
        self
    }

    /// Reports panics of the program as crashes if `report`: what kind it was, where, and which of the program's own functions called each other, as numbers that only
    /// say something to who has the program's file (`telemetry-symbolize`). Never the message, a path, a thread's name or a value. The schema says so with a variant
    /// of [`Crash`](automagik_telemetry_core::Crash), so the person sees it in the inventory; without their consent nothing is kept.
    ///
    /// A hook is added behind the one that is there, and each report is on disk before the process can be over. A panic that is caught is reported too: nobody
    /// knows yet when it begins. One process reports each stack once and eight in all; more are counted as dropped.
    ///
    /// A program that is killed by a signal, or aborts because there is no memory, does not panic, and is not reported.
    ///
    /// ```
    /// # use automagik_telemetry_std::Telemetry;
    /// # use automagik_telemetry_core::Crash;
    /// # use automagik_telemetry_derive::Schema;
    /// # extern crate automagik_telemetry_core as automagik_telemetry;
    /// #[derive(Schema)]
    /// #[schema(organization = "automagik", project = "omni")]
    /// enum Omni { Crash(Crash) }
    ///
    /// let telemetry = Telemetry::<Omni>::builder().report_panics(true).start();
    /// ```
    #[cfg(feature = "panics")]
    #[must_use]
    pub fn report_panics(mut self, report: bool) -> Self
    where
        S: automagik_telemetry_core::Includes<automagik_telemetry_core::Crash>,
    {
        self.options.report_panics = report;
        self
    }

    /// Asks for consent with `dialog` on the first run, if the user has not decided yet and is there to answer, and stores the answer.
    /// [`Terminal`](crate::Terminal) asks at a terminal, never in a pipe. By default nobody is asked.
    ///
    /// ```
    /// # use automagik_telemetry_core::{FeatureUsed, Label};
    /// # use automagik_telemetry_derive::{Label, Schema};
    /// # extern crate automagik_telemetry_core as automagik_telemetry;
    /// # #[derive(Label, Clone, Copy)]
    /// # enum Feature { ListContacts }
    /// # #[derive(Schema)]
    /// # #[schema(organization = "automagik", project = "omni")]
    /// # enum Omni { FeatureUsed(FeatureUsed<Feature>) }
    /// use automagik_telemetry_std::{Telemetry, Terminal};
    /// let telemetry = Telemetry::<Omni>::builder().ask(Terminal::new()).start();
    /// ```
    #[must_use]
    pub fn ask(mut self, dialog: impl Ask + 'static) -> Self {
        self.dialog = Some(Dialog(Box::new(dialog)));
        self
    }

    /// Returns what users can see, change, export and delete, without starting telemetry. Use it for a command or a settings window.
    #[must_use]
    pub fn rights(self) -> Rights<S> {
        let environment = self.environment.unwrap_or_else(Environment::of_process);
        Rights::new(environment.of(Organization::of::<S>()), self.options.opt_out)
    }

    /// Reads variables and folders from `environment` instead of the process, for tests and demonstrations. With any environment but the
    /// process's own, data are sent to this machine only.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Starts telemetry if the user agreed, and returns a handle, which is off otherwise. The handle follows the user's decision: see
    /// [`Telemetry::follow`].
    ///
    /// # Errors
    ///
    /// [`StartError`]. Without consent nothing is tried, so there is no error.
    pub fn build(self) -> Result<Telemetry<S>, StartError> {
        let (telemetry, started) = self.begin();
        started.map(|()| telemetry)
    }

    /// Like [`build`](Builder::build), for a program that goes on in any case: an error is one line on standard error, and the handle is
    /// off.
    #[must_use]
    pub fn start(self) -> Telemetry<S> {
        let (telemetry, started) = self.begin();
        if let Err(error) = started {
            start::say(format_args!("Off, nothing is sent: {error}"));
        }
        telemetry
    }

    fn begin(mut self) -> (Telemetry<S>, Result<(), StartError>) {
        let environment = self.environment.take().unwrap_or_else(Environment::of_process);
        let (schema, person) = (Checked::<S>::DESCRIPTOR, Person::new::<S>(environment, self.options));
        let mut decision = person.decision();
        let environment = person.environment();
        if self.options.upload_in_background && environment.setting(background::UPLOAD).is_some() {
            start::upload_if_left_behind::<S>(&person, decision);
        }
        let mut dialog = self.dialog.take();
        let reply =
            dialog.as_mut().and_then(|Dialog(dialog)| ask::ask(&mut **dialog, environment, schema, decision));
        if let Some(yes) = reply.and_then(Reply::answer) {
            person.answer(yes);
            decision = person.decision();
        }
        if decision.because() == Because::WiderThanAgreed
            && ask::show_news(dialog.as_mut().map(|Dialog(dialog)| &mut **dialog), environment, schema)
        {
            decision = person.decision();
        }
        let telemetry = Telemetry::new(person);
        let started = telemetry.begin(decision);
        (telemetry, started)
    }
}

impl<S> Telemetry<S> {
    /// Returns a [`Builder`] for a handle.
    // The bound stands here so that what is no schema is answered with the trait's own sentence.
    #[must_use]
    pub fn builder() -> Builder<S>
    where
        S: Schema,
    {
        Builder::new()
    }
}
