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
/// Create it in `main`, after the program has daemonized or forked, and let it drop when `main` returns. Dropping the last clone writes
/// the recorded events to disk, and the next run delivers them. The drop does not wait for the network, with two exceptions:
///
/// - A request whose body was sent gets up to three seconds for its answer if the collector has answered before, and 0.1 seconds
///   otherwise. Without an answer it would have to be sent again.
/// - If nothing can be stored on disk, the drop waits for delivery for [`WAIT_WITHOUT_DISK`](crate::WAIT_WITHOUT_DISK) at most.
///
/// `std::process::exit` and signals that kill the process (SIGTERM, SIGINT, SIGKILL) do not drop the handle. The events of the last tenth
/// of a second are then lost, and cannot be counted. Return an [`ExitCode`](std::process::ExitCode) from `main`, and handle SIGTERM by
/// returning from `main`. A forked child may call `record`, but its events are not delivered.
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

/// Why a flush failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushError {
    /// Time ran out before everything was delivered; delivery goes on.
    Timeout,
    /// The worker thread has stopped.
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

    /// Records `event` for later delivery. It never allocates, blocks, fails or panics. When telemetry is off, it is one branch.
    /// If the queue is full, the event is dropped and counted, and the count is delivered.
    // A call would cost a third of the whole.
    #[inline(always)]
    pub fn record<E>(&self, event: E)
    where
        S: Includes<E>,
    {
        // Off, it is one load and one branch.
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        if let Some(running) = self.handle.running.get() {
            let time = Coarse::from_unix_seconds(clock::unix_seconds(), S::RESOLUTION);
            running.recorder.push(Record::new(&S::include(event), time));
        }
    }

    /// Returns whether events are recorded now. This reads some thirty variables and four files.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
            && matches!(self.handle.person.standing(), Standing::Agreed | Standing::Unclear)
    }

    /// Returns the user's decision, and which signal decides. This reads some thirty variables and four files.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.handle.person.decision()
    }

    /// Returns what users can see, change, export and delete, for a settings window.
    #[must_use]
    pub fn rights(&self) -> Rights<S> {
        let person = &self.handle.person;
        Rights::new(person.environment().clone(), person.options().opt_out)
    }

    /// Stores a yes, and starts recording now unless another signal says no. See
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
    /// If the answer cannot be stored. It counts for this run all the same.
    pub fn turn_on(&self) -> Result<PathBuf, RightsError> {
        self.handle.person.answer(true);
        let kept = self.rights().turn_on();
        self.follow();
        kept
    }

    /// Stores a no, stops recording now, and deletes the waiting events. See [`Rights::turn_off`].
    ///
    /// # Errors
    ///
    /// If the answer cannot be stored, or something cannot be deleted. It counts for this run all the same.
    pub fn turn_off(&self) -> Result<(PathBuf, usize), RightsError> {
        self.on.store(false, Ordering::Relaxed);
        self.handle.person.answer(false);
        let kept = self.rights().turn_off();
        self.follow();
        kept
    }

    /// Follows the user's decision as of now: starts recording if they said yes elsewhere, and stops if they said no. Once on, a handle
    /// does this by itself, once a second. Before that it costs nothing, so call this. If telemetry cannot start, it stays off.
    pub fn follow(&self) -> Decision {
        let decision = self.decision();
        let _ = self.begin(decision);
        if let Some(running) = self.handle.running.get() {
            let mut store = running.store.lock().unwrap_or_else(PoisonError::into_inner);
            store.standing();
            if store.is_withdrawn() {
                // What was recorded before the no is dropped now: the worker may not get to it before the next yes.
                store.take_in(&running.recorder);
            }
        }
        decision
    }

    /// Waits until everything recorded before this call has been delivered, for `timeout` at most. When telemetry is off, it returns at
    /// once.
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
