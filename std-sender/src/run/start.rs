//! How a handle begins: who decides, and what runs once they have said yes.

use crate::files::disk;
use crate::kept::identity;
use crate::kept::recorder::Recorder;
use crate::kept::spool::{Destinations, Spool};
use crate::person::agreed;
use crate::person::environment::Environment;
use crate::person::organization::Organization;
use crate::person::signals::{self, Standing};
use crate::run::background;
#[cfg(feature = "panics")]
use crate::run::panics::{self, Reporting};
use crate::run::pipeline::Pipeline;
use crate::run::running::Running;
use crate::run::start_error::StartError;
use crate::send::endpoint;
use crate::send::flight::Flight;
use crate::send::health::HealthLog;
use crate::send::http::{Http, Route};
use crate::send::sent::{self, SentLog};
use crate::send::settings::{Settings, TIMEOUT};
use crate::send::verbose::{self, VERBOSE, Verbose};
use automagik_telemetry_core::aggregate;
use automagik_telemetry_core::consent::{Answer, Decision, decide};
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::{Checked, SchemaDescriptor};
use automagik_telemetry_core::{Consent, Pseudonym, Schema};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io};

/// How long records wait for others to leave with.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// What an application chose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) opt_out: bool,
    pub(crate) verbose: bool,
    pub(crate) interval: Duration,
    pub(crate) timeout: Option<Duration>,
    pub(crate) compression: bool,
    pub(crate) wait_at_exit: Duration,
    pub(crate) upload_in_background: bool,
    #[cfg(feature = "panics")]
    pub(crate) report_panics: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            opt_out: false,
            verbose: false,
            interval: INTERVAL,
            timeout: Some(TIMEOUT),
            compression: true,
            wait_at_exit: Duration::ZERO,
            upload_in_background: false,
            #[cfg(feature = "panics")]
            report_panics: false,
        }
    }
}

/// The person whose program it is: what they say, at any time.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    environment: Environment,
    schema: &'static SchemaDescriptor,
    options: Options,
    /// What they answered to this run, which counts where it could not be kept.
    answered: Arc<Mutex<Answer>>,
}

impl Person {
    pub(crate) fn new<S: Schema>(environment: Environment, options: Options) -> Self {
        let answered = Arc::new(Mutex::new(Answer::Silent));
        let environment = environment.of(Organization::of::<S>());
        Self { environment, schema: Checked::<S>::DESCRIPTOR, options, answered }
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(crate) fn schema(&self) -> &'static SchemaDescriptor {
        self.schema
    }

    pub(crate) fn options(&self) -> Options {
        self.options
    }

    /// What this program can say is what they agree to.
    pub(crate) fn agree(&self) {
        agreed::note(&self.environment, self.schema);
    }

    /// They answered, to this run.
    pub(crate) fn answer(&self, yes: bool) {
        let answer = if yes { Answer::Yes } else { Answer::No };
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    fn answered(&self) -> Answer {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What they say now.
    pub(crate) fn decision(&self) -> Decision {
        let mut signals = signals::collect(&self.environment, self.schema, self.options.opt_out);
        if signals.stored == Answer::Silent {
            signals.stored = self.answered();
        }
        decide(&signals)
    }

    /// How they stand now to a program that they agreed to once.
    pub(crate) fn standing(&self) -> Standing {
        signals::standing(&self.environment, self.schema, self.options.opt_out, self.answered())
    }
}

/// Starts what records and delivers for `person`, who has agreed; `on` says whether anything is recorded.
pub(crate) fn run<S: Schema>(
    person: &Person,
    consent: Consent,
    on: Arc<AtomicBool>,
) -> Result<Running, StartError> {
    let (options, environment) = (person.options, &person.environment);
    let verbose = is_verbose(options, environment);
    let pipeline = pipeline::<S>(options, environment, consent)?;
    let watched = person.clone();
    let recorder = Arc::new(Recorder::new());
    #[cfg(feature = "panics")]
    let reporting = options
        .report_panics
        .then(|| Reporting::start(Checked::<S>::DESCRIPTOR, &recorder, &on, pipeline.spool.as_ref()));
    let store = pipeline.store().while_agreed(move || watched.standing(), on);
    let store = Arc::new(Mutex::new(store));
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let running = Running {
        #[cfg(feature = "panics")]
        _reporting: reporting,
        recorder: Arc::clone(&recorder),
        store: Arc::clone(&store),
        flight: Arc::clone(&pipeline.flight),
        ended: Mutex::new(ended),
        at_exit: if verbose { options.wait_at_exit.max(verbose::WAIT_AT_EXIT) } else { options.wait_at_exit },
        organization: environment.organization(),
        // Who wants to see what is sent wants to see it here. Signals that were handed over are no other process's.
        upload_in_background: options.upload_in_background && !verbose && environment.is_of_process(),
    };
    let thread = std::thread::Builder::new().name("telemetry".to_owned());
    let spawned = thread.spawn(move || {
        // Whoever waits for the end hears of it when this is dropped.
        let _end = end;
        #[cfg(feature = "panics")]
        if options.report_panics {
            panics::prepare();
        }
        pipeline.run(&recorder, &store);
    });
    spawned.map(|_| running).map_err(StartError::Thread)
}

/// Where this process was left behind to deliver: does that, and ends it.
pub(crate) fn upload_if_left_behind<S: Schema>(person: &Person, decision: Decision) {
    if !background::is_left_behind(&person.environment) {
        return;
    }
    background::close_inherited();
    let pipeline =
        decision.consent().map(|consent| pipeline::<S>(person.options, &person.environment, consent));
    let pipeline = pipeline.and_then(Result::ok);
    if let Some((spool, pipeline)) = pipeline.and_then(|pipeline| Some((pipeline.spool.clone()?, pipeline))) {
        let watched = person.clone();
        let organization = person.environment.organization();
        background::deliver(&spool, organization, pipeline, move || watched.standing());
    }
    // Never further: the program's work was done by the run that left this process behind.
    std::process::exit(0);
}

fn is_verbose(options: Options, environment: &Environment) -> bool {
    options.verbose
        || environment.setting_text(VERBOSE).is_some_and(|value| Answer::parse(&value) == Answer::Yes)
}

/// What a worker is made of.
fn pipeline<S: Schema>(
    options: Options,
    environment: &Environment,
    consent: Consent,
) -> Result<Pipeline, StartError> {
    let schema = Checked::<S>::DESCRIPTOR;
    // A folder that can't be written is none: a secret that others can read, but not what this process has delivered, would make
    // two writers of one stream.
    let state = environment.state().filter(|state| disk::is_writable(state));
    let flight = Arc::new(Flight::default());
    let sender = Http {
        log: state.map(|state| SentLog::new(state, schema.project(), consent)),
        health: state.map(|state| HealthLog::new(sent::folder(state, schema.project()), consent)),
        failure: None,
        logs: route::<S>(options, environment, Signal::Logs)?,
        metrics: route::<S>(options, environment, Signal::Metrics)?,
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
            organization: environment.organization(),
            sender,
            output: is_verbose(options, environment).then(io::stderr),
        },
        // More than a day is as good as never.
        interval: options.interval.min(Duration::from_secs(86_400)),
        seed: u32::from_le_bytes(seed),
        spool: state.map(|state| Spool::new(state, schema, destinations, consent)),
        drain: |start, end, each| aggregate::drain::<S>(start, end, each),
        flight,
    })
}

/// The way to the collector of `signal`.
fn route<S: Schema>(
    options: Options,
    environment: &Environment,
    signal: Signal,
) -> Result<Route, StartError> {
    let application = Checked::<S>::DESCRIPTOR.endpoint();
    let (endpoint, _) = endpoint::choose(environment, application, signal)
        .map_err(|(error, set_by)| StartError::Endpoint { error, set_by })?;
    let (settings, warnings) = Settings::of(environment, signal, options.timeout, options.compression)
        .map_err(|(variable, error)| StartError::Setting { variable, error })?;
    warnings.iter().for_each(|warning| say(format_args!("{warning}")));
    Ok(Route::new(endpoint, settings))
}

/// One line on standard error. A closed one is no reason to fail.
pub(crate) fn say(text: fmt::Arguments<'_>) {
    let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("[Telemetry] {text}\n"));
}
