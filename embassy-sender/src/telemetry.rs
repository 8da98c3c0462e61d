//! The front door of a firmware: a static that anybody may record to, and the task that sends.

#[cfg(feature = "frames")]
mod frames;
mod upload;

#[cfg(feature = "frames")]
pub use frames::Frames;

use crate::clock;
use automagik_telemetry_core::record;
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{
    Consent, Includes, IncludesLibrary, Library, Queue, Record, Schema, aggregate,
};
use core::marker::PhantomData;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal as Wake;
use embassy_time::Duration;
use portable_atomic::{AtomicBool, AtomicU32, Ordering};

/// Most records of one request.
pub const BATCH_RECORDS_MAX: u32 = 100;

/// The default of [`Settings::interval`].
pub const INTERVAL: Duration = Duration::from_secs(60);

/// Records the events of the schema `S`, in a queue of `N` bytes: a record takes 6 to 8. Put it in a `static`, for tasks and interrupts.
///
/// Without consent [`record`](Telemetry::record) is one load and one branch.
///
/// ```
/// # use automagik_telemetry_core::{Count, Event, Schema};
/// # use automagik_telemetry_derive::{Event, Schema};
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// # use critical_section as _;
/// use automagik_telemetry_embassy::Telemetry;
///
/// #[derive(Event, Clone, Copy)]
/// #[event(name = "pump.started")]
/// struct PumpStarted {
///     attempts: Count<15>,
/// }
///
/// #[derive(Schema)]
/// #[schema(organization = "automagik", project = "pump")]
/// enum Pump {
///     Started(PumpStarted),
/// }
///
/// static TELEMETRY: Telemetry<Pump, 2048> = Telemetry::new();
///
/// // Anywhere, an interrupt included:
/// TELEMETRY.record(PumpStarted { attempts: Count::new(2) });
/// ```
pub struct Telemetry<S, const N: usize> {
    queue: Queue<N>,
    wake: Wake<CriticalSectionRawMutex, ()>,
    on: AtomicBool,
    /// Events that said what they may not.
    out_of_domain: AtomicU32,
    /// How often consent was withdrawn: what was sealed before must not leave after a later yes.
    #[cfg(feature = "frames")]
    withdrawn: AtomicU32,
    schema: PhantomData<fn(S)>,
}

/// How the task sends.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a record may wait for others, to be sent with them in one request. A queue that is half full is sent at once.
    pub interval: Duration,
    /// A random number of the device's own. It spreads the retries of devices that failed together.
    pub seed: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { interval: INTERVAL, seed: 1 }
    }
}

impl<S: Schema, const N: usize> Telemetry<S, N> {
    /// Records at which about half of the queue is full, or a request is: then they are sent.
    const HALF: u32 = {
        let half = N / 16;
        if half < BATCH_RECORDS_MAX as usize { half as u32 } else { BATCH_RECORDS_MAX }
    };

    /// Returns an empty queue that is off.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            queue: Queue::new(),
            wake: Wake::new(),
            on: AtomicBool::new(false),
            out_of_domain: AtomicU32::new(0),
            #[cfg(feature = "frames")]
            withdrawn: AtomicU32::new(0),
            schema: PhantomData,
        }
    }

    /// Records `event`, from a task or an interrupt. It never allocates, blocks, fails or panics. If the queue is full, the event is
    /// dropped and counted, and the count is delivered.
    ///
    /// On one core, the queue's critical section turns interrupts off for about fifty instructions. On several cores it is a spin lock, as
    /// the HAL implements `critical-section`.
    #[inline]
    pub fn record<E>(&self, event: E)
    where
        S: Includes<E>,
    {
        if self.on.load(Ordering::Relaxed) {
            self.push_result(Record::new(&S::include(event), self.now()));
        }
    }

    /// Records `event` of a library that the schema includes, as [`record`](Telemetry::record) does. A driver takes a
    /// `fn(Driver)`, and is given `|event| TELEMETRY.record_library(event)`.
    #[inline]
    pub fn record_library<L: Library>(&self, event: L)
    where
        S: IncludesLibrary<L>,
    {
        if self.on.load(Ordering::Relaxed) {
            let schema = Checked::<S>::DESCRIPTOR;
            self.push_result(Record::of_library(&event, S::FIRST, schema, self.now()));
        }
    }

    #[inline]
    fn push_result(&self, record: Result<Record, record::Error>) {
        match record {
            Ok(record) => self.push(&record),
            // Only a hand-written event does this.
            Err(_) => drop(self.out_of_domain.fetch_add(1, Ordering::Relaxed)),
        }
    }

    fn push(&self, record: &Record) {
        // A full queue counts what it drops.
        let is_full = self.queue.push(record).is_err();
        if is_full || self.queue.len() >= Self::HALF {
            self.wake.signal(());
        }
    }

    /// Sets the time, in seconds since 1970, from SNTP, a clock chip or a gateway. Without it, records carry the time since the start, as
    /// if the device had started in 1970.
    pub fn set_unix_time(&self, seconds: u32) {
        clock::set(seconds);
    }

    fn now(&self) -> Coarse {
        Coarse::from_unix_seconds(clock::seconds(), S::RESOLUTION)
    }

    /// Returns whether the queue is empty. Counters are moved to the queue once per step of the schema's resolution.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns whether events are recorded.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Starts recording. Counters are reset first: what they counted before was without consent.
    pub fn start(&self, _: Consent) {
        aggregate::drain::<S>(self.now(), self.now(), |_| true);
        self.on.store(true, Ordering::Relaxed);
    }

    /// Stops recording after a no, and deletes the waiting records. [`run`](Telemetry::run) sends no further request, and
    /// [`run_with`](Telemetry::run_with) erases its backlog. To erase the secret, call
    /// [`Provision::answer`](crate::Provision::answer).
    pub fn withdraw(&self) {
        self.on.store(false, Ordering::Relaxed);
        #[cfg(feature = "frames")]
        self.withdrawn.fetch_add(1, Ordering::Relaxed);
        self.queue.clear();
        aggregate::drain::<S>(self.now(), self.now(), |_| true);
        // Somebody may have flash to erase.
        self.wake.signal(());
    }
}

impl<S: Schema, const N: usize> Default for Telemetry<S, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, const N: usize> core::fmt::Debug for Telemetry<S, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Telemetry").field("on", &self.on).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
