//! The front door: record an event, and forget about it.

use crate::files::clock;
use crate::person::signals::Standing;
use crate::run::running::Running;
use crate::run::start::{self, Person};
use crate::run::start_error::StartError;
use crate::shown::rights::{Rights, RightsError};
use automagik_telemetry_core::consent::{Because, Decision};
use automagik_telemetry_core::schema::SchemaDescriptor;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Includes, Record, Schema};
use core::marker::PhantomData;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Records the events of the schema `S`. Cheap to clone; every clone records to the same place.
///
/// Without consent it is off: [`record`](Telemetry::record) is one branch, and there is no file, no thread and no
/// socket.
///
/// Make it in `main`, after the program has become a daemon or forked for other reasons, and let it drop when `main`
/// returns: dropping the last clone writes what was recorded to disk, and whatever runs next delivers it. The drop does not
/// wait for the network, with two exceptions: a request whose body has left is given up to three seconds for its answer where the
/// collector is known to answer (0.1 where nobody knows), since otherwise it would have to be repeated; and where nothing can
/// be kept on disk, [`WAIT_WITHOUT_DISK`](crate::WAIT_WITHOUT_DISK).
///
/// `std::process::exit` and signals that end the process (SIGTERM, SIGINT, SIGKILL) drop nothing: then what was recorded in the
/// last tenth of a second is lost, and nobody can count it. Return an [`ExitCode`](std::process::ExitCode) from `main`, and let
/// a handler of SIGTERM end `main`, as a server has for its own sake. A forked child may record, but what it records goes nowhere.
pub struct Telemetry<S> {
    /// Whether anything is recorded: all that a record looks at where telemetry is off.
    on: Arc<AtomicBool>,
    handle: Arc<Handle>,
    schema: PhantomData<fn(S)>,
}

/// What all clones share.
pub(crate) struct Handle {
    /// That of the clones: whether anything is recorded.
    on: Arc<AtomicBool>,
    person: Person,
    /// Once there was consent, until the end.
    running: OnceLock<Running>,
    /// Held by who begins.
    beginning: Mutex<()>,
}

impl Handle {
    /// What runs, where anything is recorded now.
    #[inline]
    pub(crate) fn running(&self) -> Option<&Running> {
        if self.on.load(Ordering::Relaxed) { self.running.get() } else { None }
    }

    pub(crate) fn schema(&self) -> &'static SchemaDescriptor {
        self.person.schema()
    }
}

/// Why a flush did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushError {
    /// Time ran out before everything was delivered; delivery goes on.
    Timeout,
    /// There is no worker any more.
    Stopped,
}

impl core::fmt::Display for FlushError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Timeout => "time ran out before everything was delivered",
            Self::Stopped => "there is no worker to deliver anything",
        })
    }
}

impl core::error::Error for FlushError {}

impl<S: Schema> Telemetry<S> {
    pub(crate) fn new(person: Person) -> Self {
        let on: Arc<AtomicBool> = Arc::default();
        let (running, beginning) = (OnceLock::new(), Mutex::new(()));
        let handle = Arc::new(Handle { on: Arc::clone(&on), person, running, beginning });
        Self { on, handle, schema: PhantomData }
    }

    /// What all clones share.
    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    /// Begins to record where `decision` is a yes.
    pub(crate) fn begin(&self, decision: Decision) -> Result<(), StartError> {
        let Handle { person, running, beginning, .. } = &*self.handle;
        let Some(consent) = decision.consent() else { return Ok(()) };
        if decision.because() == Because::StoredYes {
            person.agree();
        }
        let _one_at_a_time = beginning.lock().unwrap_or_else(PoisonError::into_inner);
        if running.get().is_none() {
            let _ = running.set(start::run::<S>(person, consent, Arc::clone(&self.on))?);
            self.on.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Records `event`, which is delivered later. It does not allocate, block, fail or panic; off, it is one branch.
    /// Where there is no room, the loss is counted and the count is delivered.
    // A call would cost a third of the whole.
    #[inline(always)]
    pub fn record<E>(&self, event: E)
    where
        S: Includes<E>,
    {
        // Off, it is one load and one branch.
        if self.on.load(Ordering::Relaxed)
            && let Some(running) = self.handle.running.get()
        {
            let time = Coarse::from_unix_seconds(clock::unix_seconds(), S::RESOLUTION);
            running.recorder.push(Record::new(&S::include(event), time));
        }
    }

    /// Whether anything is recorded: the person agrees, as of now. It looks at some thirty variables and four files.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
            && matches!(self.handle.person.standing(), Standing::Agreed | Standing::Unclear)
    }

    /// What the person says now, and which signal decides. It looks at some thirty variables and four files.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.handle.person.decision()
    }

    /// What the person may see, change, take along and delete: for a settings window.
    #[must_use]
    pub fn rights(&self) -> Rights<S> {
        let person = &self.handle.person;
        Rights::new(person.environment().clone(), person.options().opt_out)
    }

    /// The person says yes: keeps that, and begins to record now, unless another signal says no. See
    /// [`Rights::turn_on`].
    ///
    /// ```
    /// # use automagik_telemetry_std::{Environment, Telemetry};
    /// # use automagik_telemetry_core::{FeatureUsed, Label};
    /// # use automagik_telemetry_derive::{Label, Schema};
    /// # extern crate automagik_telemetry_core as automagik_telemetry;
    /// # #[derive(Label, Clone, Copy)]
    /// # enum Feature { ListContacts }
    /// # #[derive(Schema)]
    /// # #[schema(organization = "automagik", project = "omni", endpoint = "http://127.0.0.1:9")]
    /// # enum Omni { FeatureUsed(FeatureUsed<Feature>) }
    /// # let home = tempfile::tempdir().unwrap();
    /// # let builder = Telemetry::<Omni>::builder().environment(Environment::at(home.path()));
    /// let telemetry = builder.start(); // once, in `main`: off
    /// telemetry.turn_on()?; // the switch in the settings
    /// assert!(telemetry.is_on());
    /// telemetry.turn_off()?;
    /// assert!(!telemetry.is_on());
    /// # Ok::<(), automagik_telemetry_std::RightsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the answer can't be kept. It counts for this run all the same.
    pub fn turn_on(&self) -> Result<PathBuf, RightsError> {
        self.handle.person.answer(true);
        let kept = self.rights().turn_on();
        self.follow();
        kept
    }

    /// The person says no: records nothing from now on, keeps that, and deletes what waits. See [`Rights::turn_off`].
    ///
    /// # Errors
    ///
    /// Where the answer can't be kept, or something can't be deleted. It counts for this run all the same.
    pub fn turn_off(&self) -> Result<(PathBuf, usize), RightsError> {
        self.on.store(false, Ordering::Relaxed);
        self.handle.person.answer(false);
        let kept = self.rights().turn_off();
        self.follow();
        kept
    }

    /// Looks at what the person says now, and follows them: begins to record where they have said yes elsewhere, ends where they
    /// have said no. A handle that was on once looks by itself, once a second; one that never was costs nothing, and is
    /// told so. What keeps it from starting leaves it off.
    pub fn follow(&self) -> Decision {
        let decision = self.decision();
        let _ = self.begin(decision);
        if let Some(running) = self.handle.running.get() {
            running.store.lock().unwrap_or_else(PoisonError::into_inner).standing();
        }
        decision
    }

    /// Waits until everything that was recorded before has been delivered, for `timeout` at most. Off, there is nothing
    /// to wait for.
    ///
    /// # Errors
    ///
    /// [`FlushError`].
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let running = self.handle.running.get().filter(|_| self.on.load(Ordering::Relaxed));
        let Some(running) = running else { return Ok(()) };
        running.recorder.flush(timeout).recv_timeout(timeout).map_err(|error| match error {
            std::sync::mpsc::RecvTimeoutError::Timeout => FlushError::Timeout,
            std::sync::mpsc::RecvTimeoutError::Disconnected => FlushError::Stopped,
        })
    }
}

impl<S> Clone for Telemetry<S> {
    fn clone(&self) -> Self {
        Self { on: Arc::clone(&self.on), handle: Arc::clone(&self.handle), schema: PhantomData }
    }
}

impl<S> core::fmt::Debug for Telemetry<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Telemetry").field("on", &self.on).finish_non_exhaustive()
    }
}
