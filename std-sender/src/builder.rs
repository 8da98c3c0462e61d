//! Settings, each of them the person's first, then the application's, then the policy's.

use crate::ask::{self, Ask, Reply};
use crate::disk;
use crate::endpoint::{self, SetBy};
use crate::environment::Environment;
use crate::flight::Flight;
use crate::health::HealthLog;
use crate::http::{Http, Route};
use crate::pipeline::Pipeline;
use crate::recorder::Recorder;
use crate::rights::Rights;
use crate::sent::SentLog;
use crate::settings::{self, Settings, TIMEOUT};
use crate::signals::Standing;
use crate::spool::{Destinations, Spool};
use crate::telemetry::{Running, Telemetry};
use crate::verbose::{self, VERBOSE, Verbose};
use crate::{background, identity, signals};
use automagik_telemetry_core::aggregate;
use automagik_telemetry_core::consent::{Answer, Decision, decide};
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::{Consent, Pseudonym, Schema};
use core::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fmt, io};

/// How long records wait for others to leave with.
pub const INTERVAL: Duration = Duration::from_secs(5);

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
/// #[schema(project = "omni")]
/// enum Omni { FeatureUsed(FeatureUsed<Feature>) }
///
/// let telemetry = Telemetry::<Omni>::builder().start();
/// telemetry.record(FeatureUsed { feature: Feature::ListContacts });
/// ```
#[derive(Debug)]
pub struct Builder<S> {
    environment: Option<Environment>,
    opt_out: bool,
    verbose: bool,
    interval: Duration,
    timeout: Option<Duration>,
    compression: bool,
    wait_at_exit: Duration,
    upload_in_background: bool,
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

/// Why telemetry could not start. The program goes on without it.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The endpoint is none. Nothing is sent anywhere.
    Endpoint {
        /// What is wrong with it.
        error: endpoint::Error,
        /// Who set it.
        set_by: SetBy,
    },
    /// One of the person's settings is wrong. Nothing is sent anywhere.
    Setting {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        error: settings::Error,
    },
    /// The platform gave no random numbers for the installation's secret.
    Random,
    /// The platform gave no thread.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { error, set_by: SetBy::Person(variable) } => write!(f, "{variable} {error}"),
            Self::Endpoint { error, set_by: _ } => write!(f, "the endpoint of the application {error}"),
            Self::Setting { variable, error } => write!(f, "{variable} {error}"),
            Self::Random => f.write_str("the platform gave no random numbers"),
            Self::Thread(_) => f.write_str("the platform gave no thread"),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Endpoint { error, .. } => Some(error),
            Self::Setting { error, .. } => Some(error),
            Self::Random => None,
            Self::Thread(error) => Some(error),
        }
    }
}

impl<S: Schema> Builder<S> {
    pub(crate) fn new() -> Self {
        Self {
            environment: None,
            opt_out: false,
            verbose: false,
            interval: INTERVAL,
            timeout: Some(TIMEOUT),
            compression: true,
            wait_at_exit: Duration::ZERO,
            upload_in_background: false,
            dialog: None,
            schema: PhantomData,
        }
    }

    /// Where `opted_out`, telemetry is off, whatever anybody else says. There is no switch that turns it on: that is
    /// the person's word alone.
    #[must_use]
    pub fn opt_out(mut self, opted_out: bool) -> Self {
        self.opt_out |= opted_out;
        self
    }

    /// Where `verbose`, shows on standard error what is sent: for a `--telemetry-verbose` of the application. The
    /// person's `AUTOMAGIK_TELEMETRY_VERBOSE` does the same.
    #[must_use]
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose |= verbose;
        self
    }

    /// Lets records wait for `interval` at most for others to leave with, instead of [`INTERVAL`].
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Gives one request and its answer `timeout` instead of [`TIMEOUT`]; zero is no limit. The person's
    /// `AUTOMAGIK_TELEMETRY_TIMEOUT` beats it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = (!timeout.is_zero()).then_some(timeout);
        self
    }

    /// Where not `gzip`, sends bodies of more than 1 KiB as they are. The person's `AUTOMAGIK_TELEMETRY_COMPRESSION`
    /// beats it.
    #[must_use]
    pub fn compression(mut self, gzip: bool) -> Self {
        self.compression = gzip;
        self
    }

    /// When the last handle is dropped, waits for delivery, for `most` at most: for a program that is never run again, as
    /// in a container. Without it nothing is waited for: what was recorded goes to disk, and the next run delivers it.
    #[must_use]
    pub fn wait_at_exit(mut self, most: Duration) -> Self {
        self.wait_at_exit = most;
        self
    }

    /// For a command line program, over before a request is: lets a run, when its last handle is dropped, leave a process behind
    /// that delivers what waits; one at a time, for a minute at most. It is this program with the same arguments, and it
    /// ends inside [`build`](Builder::build) or [`start`](Builder::start): **call that first in `main`**, before the program does
    /// anything but read its arguments. It may be called inside any async runtime.
    #[must_use]
    pub fn upload_in_background(mut self, upload: bool) -> Self {
        self.upload_in_background = upload;
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
    /// # #[schema(project = "omni")]
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
        Rights::new(environment, self.opt_out)
    }

    /// Takes variables and folders from `environment` instead of the process: for tests and demonstrations. Unless it is
    /// that of the process, data go to this machine alone.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// A handle that is on where the person agreed, and off otherwise.
    ///
    /// # Errors
    ///
    /// [`StartError`], only where the person agreed.
    pub fn build(self) -> Result<Telemetry<S>, StartError> {
        let (decision, running) = self.begin();
        Ok(Telemetry::new(decision, running?))
    }

    /// Like [`build`](Builder::build), for a program that goes on whatever happens: what went wrong is one line on
    /// standard error, and the handle is off.
    #[must_use]
    pub fn start(self) -> Telemetry<S> {
        let (decision, running) = self.begin();
        let running = running.unwrap_or_else(|error| {
            say(format_args!("Off, nothing is sent: {error}"));
            None
        });
        Telemetry::new(decision, running)
    }

    fn begin(mut self) -> (Decision, Result<Option<Running>, StartError>) {
        let environment = self.environment.take().unwrap_or_else(Environment::of_process);
        let schema = Checked::<S>::DESCRIPTOR;
        let opt_out = self.opt_out;
        let decided = move |environment: &Environment, answered: Answer| {
            let mut signals = signals::collect(environment, schema.project(), opt_out);
            if signals.stored == Answer::Silent {
                // Where an answer can't be kept it counts for this run.
                signals.stored = answered;
            }
            decide(&signals)
        };
        let mut decision = decided(&environment, Answer::Silent);
        if self.upload_in_background && environment.variable(background::UPLOAD).is_some() {
            self.upload_if_left_behind(&environment, decision);
        }
        let mut answered = Answer::Silent;
        if let Some(Dialog(mut dialog)) = self.dialog.take() {
            let reply = ask::ask(&mut *dialog, &environment, schema.project(), schema.endpoint(), decision);
            answered = match reply {
                Some(Reply::Yes) => Answer::Yes,
                Some(Reply::No) => Answer::No,
                Some(Reply::NotNow) | None => Answer::Silent,
            };
            if answered != Answer::Silent {
                decision = decided(&environment, answered);
            }
        }
        let Some(consent) = decision.consent() else { return (decision, Ok(None)) };
        let watched = environment.clone();
        let standing = move || signals::standing(&watched, schema.project(), opt_out, answered);
        (decision, self.run(&environment, consent, standing).map(Some))
    }

    /// Where this process was left behind to deliver: does that, and ends it.
    fn upload_if_left_behind(&self, environment: &Environment, decision: Decision) {
        let Some(Ok(pipeline)) = decision.consent().map(|consent| self.pipeline(environment, consent)) else {
            return;
        };
        let Some(spool) = pipeline.spool.clone() else { return };
        if !background::is_left_behind(environment, &spool) {
            return;
        }
        background::close_inherited();
        let (watched, opt_out) = (environment.clone(), self.opt_out);
        let project = Checked::<S>::DESCRIPTOR.project();
        let standing = move || signals::standing(&watched, project, opt_out, Answer::Silent);
        background::deliver(&spool, pipeline, standing);
        std::process::exit(0);
    }

    fn run(
        self,
        environment: &Environment,
        consent: Consent,
        standing: impl Fn() -> Standing + Send + 'static,
    ) -> Result<Running, StartError> {
        let verbose = self.is_verbose(environment);
        let pipeline = self.pipeline(environment, consent)?;
        let store = pipeline.store().while_agreed(standing);
        let (recorder, store) = (Arc::new(Recorder::new()), Arc::new(Mutex::new(store)));
        let (end, ended) = std::sync::mpsc::channel();
        let running = Running {
            recorder: Arc::clone(&recorder),
            store: Arc::clone(&store),
            flight: Arc::clone(&pipeline.flight),
            ended: Mutex::new(ended),
            at_exit: if verbose { self.wait_at_exit.max(verbose::WAIT_AT_EXIT) } else { self.wait_at_exit },
            // Who wants to see what is sent wants to see it here. Signals that were handed over are no other process's.
            upload_in_background: self.upload_in_background && !verbose && environment.is_of_process(),
        };
        let thread = std::thread::Builder::new().name("telemetry".to_owned());
        let spawned = thread.spawn(move || {
            let _: &std::sync::mpsc::Sender<()> = &end;
            pipeline.run(&recorder, &store);
            // Whoever waits for the end hears of it.
            drop(end);
        });
        spawned.map(|_| running).map_err(StartError::Thread)
    }

    fn is_verbose(&self, environment: &Environment) -> bool {
        self.verbose || environment.text(VERBOSE).is_some_and(|value| Answer::parse(&value) == Answer::Yes)
    }

    /// What a worker is made of.
    fn pipeline(&self, environment: &Environment, consent: Consent) -> Result<Pipeline, StartError> {
        let schema = Checked::<S>::DESCRIPTOR;
        // A folder that can't be written is none: a secret that others can read, but not what this process has delivered, would make
        // two writers of one stream.
        let state = environment.state().filter(|state| disk::is_writable(state));
        let flight = Arc::new(Flight::default());
        let sender = Http {
            log: state.map(|state| SentLog::new(state, schema.project(), consent)),
            health: state.map(|state| HealthLog::new(state, schema.project(), consent)),
            failure: None,
            logs: self.route(environment, Signal::Logs)?,
            metrics: self.route(environment, Signal::Metrics)?,
            flight: Arc::clone(&flight),
        };
        let destinations = Destinations {
            logs: sender.logs.endpoint().number(Signal::Logs),
            metrics: sender.metrics.endpoint().number(Signal::Metrics),
        };
        let secret = identity::secret(state, consent).ok_or(StartError::Random)?;
        let mut seed = [0; 4];
        getrandom::fill(&mut seed).map_err(|_| StartError::Random)?;
        Ok(Pipeline {
            resource: Resource::new(schema, Pseudonym::new(&secret, schema.project(), 0)),
            sender: Verbose {
                logs: sender.logs.endpoint().shown(Signal::Logs),
                metrics: sender.metrics.endpoint().shown(Signal::Metrics),
                sender,
                output: self.is_verbose(environment).then(io::stderr),
            },
            // More than a day is as good as never.
            interval: self.interval.min(Duration::from_secs(86_400)),
            seed: u32::from_le_bytes(seed),
            spool: state.map(|state| Spool::new(state, schema, destinations, consent)),
            drain: |start, end, each| aggregate::drain::<S>(start, end, each),
            flight,
        })
    }

    /// The way to the collector of `signal`.
    fn route(&self, environment: &Environment, signal: Signal) -> Result<Route, StartError> {
        let application = Checked::<S>::DESCRIPTOR.endpoint();
        let (endpoint, _) = endpoint::choose(environment, application, signal)
            .map_err(|(error, set_by)| StartError::Endpoint { error, set_by })?;
        let (settings, warnings) = Settings::of(environment, signal, self.timeout, self.compression)
            .map_err(|(variable, error)| StartError::Setting { variable, error })?;
        warnings.iter().for_each(|warning| say(format_args!("{warning}")));
        Ok(Route::new(endpoint, settings))
    }
}

/// One line on standard error. A closed one is no reason to fail.
fn say(text: fmt::Arguments<'_>) {
    let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("[Telemetry] {text}\n"));
}
