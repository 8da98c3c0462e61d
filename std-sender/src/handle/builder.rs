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

/// Makes a [`Telemetry`].
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

    /// Where `opted_out`, telemetry is off, whatever anybody else says. There is no switch that turns it on: that is
    /// the person's word alone.
    #[must_use]
    pub fn opt_out(mut self, opted_out: bool) -> Self {
        self.options.opt_out |= opted_out;
        self
    }

    /// Where `verbose`, shows on standard error what is sent: for a `--telemetry-verbose` of the application. The
    /// person's `ACME_TELEMETRY_VERBOSE` (the organization's name in front) does the same.
    #[must_use]
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.options.verbose |= verbose;
        self
    }

    /// Lets records wait for `interval` at most for others to leave with, instead of [`INTERVAL`](crate::INTERVAL).
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.options.interval = interval;
        self
    }

    /// Gives one request and its answer `timeout` instead of [`TIMEOUT`](crate::settings::TIMEOUT); zero is no limit. The person's
    /// `ACME_TELEMETRY_TIMEOUT` beats it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = (!timeout.is_zero()).then_some(timeout);
        self
    }

    /// Where not `gzip`, sends bodies of more than 1 KiB as they are. The person's `ACME_TELEMETRY_COMPRESSION`
    /// beats it.
    #[must_use]
    pub fn compression(mut self, gzip: bool) -> Self {
        self.options.compression = gzip;
        self
    }

    /// When the last handle is dropped, waits for delivery, for `most` at most: for a program that is never run again, as
    /// in a container. Without it nothing is waited for: what was recorded goes to disk, and the next run delivers it.
    #[must_use]
    pub fn wait_at_exit(mut self, most: Duration) -> Self {
        self.options.wait_at_exit = most;
        self
    }

    /// For a command line program, over before a request is: lets a run, when its last handle is dropped, leave a process behind
    /// that delivers what waits; one at a time, for a minute at most. It is this program with the same arguments, and it
    /// ends inside [`build`](Builder::build) or [`start`](Builder::start): **call that first in `main`**, before the program does
    /// anything but read its arguments. It may be called inside any async runtime.
    #[must_use]
    pub fn upload_in_background(mut self, upload: bool) -> Self {
        self.options.upload_in_background = upload;
        self
    }

    /// On the first run, where nothing is decided and somebody is there to answer, asks with `dialog` and keeps the
    /// answer: [`Terminal`](crate::Terminal) asks at a terminal, never in a pipe. Without this nobody is asked.
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

    /// What a person may see, change, take along and delete, without starting anything: for a command or a window of
    /// the application.
    #[must_use]
    pub fn rights(self) -> Rights<S> {
        let environment = self.environment.unwrap_or_else(Environment::of_process);
        Rights::new(environment.of(Organization::of::<S>()), self.options.opt_out)
    }

    /// Takes variables and folders from `environment` instead of the process: for tests and demonstrations. Unless it is
    /// that of the process, data go to this machine alone.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// A handle that is on where the person agreed, and off otherwise. It follows them: see [`Telemetry::follow`].
    ///
    /// # Errors
    ///
    /// [`StartError`], only where the person agreed.
    pub fn build(self) -> Result<Telemetry<S>, StartError> {
        let (telemetry, started) = self.begin();
        started.map(|()| telemetry)
    }

    /// Like [`build`](Builder::build), for a program that goes on whatever happens: what went wrong is one line on
    /// standard error, and the handle is off.
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
        if let Some(Dialog(dialog)) = &mut dialog
            && let Some(yes) = ask::ask(&mut **dialog, environment, schema, decision).and_then(Reply::answer)
        {
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
    /// The way to a handle. See [`Builder`].
    // The bound stands here so that what is no schema is answered with the trait's own sentence.
    #[must_use]
    pub fn builder() -> Builder<S>
    where
        S: Schema,
    {
        Builder::new()
    }
}
