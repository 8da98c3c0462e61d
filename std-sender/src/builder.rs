//! Settings, each of them the person's first, then the application's, then the policy's.

use crate::endpoint::{self, ENDPOINT, SetBy};
use crate::environment::Environment;
use crate::http::Http;
use crate::recorder::Recorder;
use crate::telemetry::{Running, Telemetry};
use crate::verbose::{VERBOSE, Verbose};
use crate::worker::Worker;
use crate::{identity, signals};
use automagik_telemetry_core::consent::{Answer, Decision, decide};
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::{Consent, Delivery, Pseudonym, Schema};
use core::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};
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
#[derive(Clone, Debug)]
pub struct Builder<S> {
    environment: Option<Environment>,
    opt_out: bool,
    verbose: bool,
    interval: Duration,
    schema: PhantomData<fn(S)>,
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
    /// The platform gave no random numbers for the installation's secret.
    Random,
    /// The platform gave no thread.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { error, set_by: SetBy::Person } => write!(f, "{ENDPOINT} {error}"),
            Self::Endpoint { error, set_by: _ } => write!(f, "the endpoint of the application {error}"),
            Self::Random => f.write_str("the platform gave no random numbers"),
            Self::Thread(_) => f.write_str("the platform gave no thread"),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Endpoint { error, .. } => Some(error),
            Self::Random => None,
            Self::Thread(error) => Some(error),
        }
    }
}

impl<S: Schema> Builder<S> {
    pub(crate) fn new() -> Self {
        Self { environment: None, opt_out: false, verbose: false, interval: INTERVAL, schema: PhantomData }
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
        let environment = self.environment.clone().unwrap_or_else(Environment::of_process);
        let decision = self.decision(&environment);
        let running = match decision.consent() {
            None => None,
            Some(consent) => Some(self.run(&environment, consent)?),
        };
        Ok(Telemetry::new(decision, running))
    }

    /// Like [`build`](Builder::build), for a program that goes on whatever happens: what went wrong is one line on
    /// standard error, and the handle is off.
    #[must_use]
    pub fn start(self) -> Telemetry<S> {
        let environment = self.environment.clone().unwrap_or_else(Environment::of_process);
        let decision = self.decision(&environment);
        self.environment(environment).build().unwrap_or_else(|error| {
            // A closed standard error is no reason to fail.
            let _ = io::Write::write_fmt(
                &mut io::stderr(),
                format_args!("[Telemetry] Off, nothing is sent: {error}\n"),
            );
            Telemetry::new(decision, None)
        })
    }

    fn decision(&self, environment: &Environment) -> Decision {
        decide(&signals::collect(environment, Checked::<S>::DESCRIPTOR.project(), self.opt_out))
    }

    fn run(self, environment: &Environment, consent: Consent) -> Result<Running, StartError> {
        let schema = Checked::<S>::DESCRIPTOR;
        let (endpoint, _) = endpoint::choose(environment, schema.endpoint())
            .map_err(|(error, set_by)| StartError::Endpoint { error, set_by })?;
        let secret = identity::secret(environment.state(), consent).ok_or(StartError::Random)?;
        let resource = Resource::new(schema, Pseudonym::new(&secret, schema.project(), 0));
        let verbose = self.verbose
            || environment.text(VERBOSE).is_some_and(|value| Answer::parse(&value) == Answer::Yes);
        let sender = Verbose { sender: Http::new(endpoint), output: verbose.then(io::stderr) };
        let mut seed = [0; 4];
        getrandom::fill(&mut seed).map_err(|_| StartError::Random)?;
        let recorder = Arc::new(Recorder::new());
        let for_worker = Arc::clone(&recorder);
        let thread = std::thread::Builder::new().name("telemetry".to_owned());
        let spawned = thread.spawn(move || {
            // Without a runtime nothing is delivered; the host goes on.
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(
                Worker {
                    recorder: &for_worker,
                    resource,
                    sender,
                    interval: self.interval,
                    delivery: Delivery::new(u32::from_le_bytes(seed)),
                    refused: 0,
                    started: Instant::now(),
                }
                .run(),
            );
        });
        spawned.map(|_| Running { recorder }).map_err(StartError::Thread)
    }
}
