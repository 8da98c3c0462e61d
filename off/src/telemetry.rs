//! Handles that record nothing.

use crate::endpoint::{self, SetBy};
use crate::{Ask, Environment, Rights, RightsError, settings};
use automagik_telemetry_core::aggregate::Labels;
use automagik_telemetry_core::consent::{Decision, Signals, decide};
use automagik_telemetry_core::{Crash, Histogram, Includes, IncludesLibrary, Library, Milliseconds, Schema};
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;
use std::io;
use std::path::PathBuf;

/// How long records would wait for others to leave with.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// How long the end of a program would wait for delivery where nothing can be kept.
pub const WAIT_WITHOUT_DISK: Duration = Duration::from_secs(2);

/// That this build has no telemetry in it.
pub(crate) fn decision() -> Decision {
    decide(&Signals { left_out: true, ..Signals::default() })
}

/// A handle that records nothing.
pub struct Telemetry<S>(PhantomData<fn(S)>);

/// Makes a [`Telemetry`]; whatever it is told changes nothing.
#[derive(Debug)]
pub struct Builder<S>(PhantomData<fn(S)>);

automagik_telemetry_core::interface!(start_error);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}

impl core::error::Error for StartError {}

/// Why a flush did not end well: there is nothing to flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushError {
    /// Time ran out.
    Timeout,
    /// There is no worker.
    Stopped,
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}

impl core::error::Error for FlushError {}

impl<S: Schema> Builder<S> {
    /// Changes nothing.
    #[must_use]
    pub fn opt_out(self, _opted_out: bool) -> Self {
        self
    }

    /// Changes nothing.
    #[must_use]
    pub fn verbose(self, _verbose: bool) -> Self {
        self
    }

    /// Changes nothing.
    #[must_use]
    pub fn interval(self, _interval: Duration) -> Self {
        self
    }

    /// Changes nothing.
    #[must_use]
    pub fn timeout(self, _timeout: Duration) -> Self {
        self
    }

    /// Changes nothing.
    #[must_use]
    pub fn compression(self, _gzip: bool) -> Self {
        self
    }

    /// Changes nothing.
    #[must_use]
    pub fn wait_at_exit(self, _most: Duration) -> Self {
        self
    }

    /// Changes nothing.
    #[must_use]
    pub fn upload_in_background(self, _upload: bool) -> Self {
        self
    }

    /// Changes nothing.
    #[must_use]
    pub fn report_panics(self, _report: bool) -> Self
    where
        S: Includes<Crash>,
    {
        self
    }

    /// Nobody is asked.
    #[must_use]
    pub fn ask(self, _dialog: impl Ask + 'static) -> Self {
        self
    }

    /// Returns what a person may see and change: nothing.
    #[must_use]
    pub fn rights(self) -> Rights<S> {
        Rights::new()
    }

    /// Changes nothing.
    #[must_use]
    pub fn environment(self, _environment: Environment) -> Self {
        self
    }

    /// A handle that is off.
    ///
    /// # Errors
    ///
    /// None.
    pub fn build(self) -> Result<Telemetry<S>, StartError> {
        Ok(self.start())
    }

    /// A handle that is off.
    #[must_use]
    pub fn start(self) -> Telemetry<S> {
        Telemetry(PhantomData)
    }
}

impl<S> Telemetry<S> {
    /// Returns a builder.
    #[must_use]
    pub fn builder() -> Builder<S>
    where
        S: Schema,
    {
        Builder(PhantomData)
    }
}

impl<S: Schema> Telemetry<S> {
    /// Records nothing.
    #[inline(always)]
    pub fn record<E>(&self, _event: E)
    where
        S: Includes<E>,
    {
    }

    /// Returns what the library `L` records to: nothing.
    #[must_use]
    pub fn library<L: Library>(&self) -> LibraryTelemetry<L>
    where
        S: IncludesLibrary<L>,
    {
        LibraryTelemetry::off()
    }

    /// It is off.
    #[must_use]
    pub fn is_on(&self) -> bool {
        false
    }

    /// It is off: this build has no telemetry in it.
    #[must_use]
    pub fn decision(&self) -> Decision {
        decision()
    }

    /// Returns what the person may see and change: nothing.
    #[must_use]
    pub fn rights(&self) -> Rights<S> {
        Rights::new()
    }

    /// Turns nothing on.
    ///
    /// # Errors
    ///
    /// Always: this build has no telemetry in it.
    pub fn turn_on(&self) -> Result<PathBuf, RightsError> {
        self.rights().turn_on()
    }

    /// It is off already: no answer is kept, and nothing waited.
    ///
    /// # Errors
    ///
    /// None.
    pub fn turn_off(&self) -> Result<(PathBuf, usize), RightsError> {
        self.rights().turn_off()
    }

    /// It stays off.
    pub fn follow(&self) -> Decision {
        decision()
    }

    /// There is nothing to wait for.
    ///
    /// # Errors
    ///
    /// None.
    pub fn flush(&self, _timeout: Duration) -> Result<(), FlushError> {
        Ok(())
    }
}

// As with telemetry it may be dropped at a chosen moment, so lints say the same of both.
impl<S> Drop for Telemetry<S> {
    fn drop(&mut self) {}
}

impl<S> Clone for Telemetry<S> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<S> fmt::Debug for Telemetry<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry")
    }
}

/// What a library records to: nothing.
pub struct LibraryTelemetry<L>(PhantomData<fn(L)>);

impl<L: Library> LibraryTelemetry<L> {
    /// One that records nothing, as all of them.
    #[must_use]
    pub const fn off() -> Self {
        Self(PhantomData)
    }

    /// Records nothing.
    #[inline(always)]
    pub fn record<E>(&self, _event: E)
    where
        L: Includes<E>,
    {
    }
}

impl<L> Drop for LibraryTelemetry<L> {
    fn drop(&mut self) {}
}

impl<L> Clone for LibraryTelemetry<L> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<L> fmt::Debug for LibraryTelemetry<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LibraryTelemetry")
    }
}

/// Measures nothing, and reads no clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(());

impl Stopwatch {
    /// Reads no clock.
    #[must_use]
    pub fn start() -> Self {
        Self(())
    }

    /// No time.
    #[must_use]
    pub fn elapsed(&self) -> Milliseconds {
        Milliseconds::new(0)
    }
}

/// A guard that measures nothing.
#[must_use = "as where there is telemetry, it is held until the end"]
pub struct Timer<L: Labels>(PhantomData<L>);

impl<L: Labels> Timer<L> {
    /// Measures nothing.
    pub fn start(_histogram: &'static Histogram<L, Milliseconds>, _labels: L) -> Self {
        Self(PhantomData)
    }

    /// Changes nothing.
    pub fn set(&mut self, _labels: L) {}

    /// Records nothing, as without it.
    pub fn discard(self) {}
}

// With telemetry it has one: what a program may do with its borrows is the same.
impl<L: Labels> Drop for Timer<L> {
    fn drop(&mut self) {}
}

impl<L: Labels> fmt::Debug for Timer<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timer")
    }
}
