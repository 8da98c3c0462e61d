//! Panics of the program as crash reports: what kind, where, which calls led there. Never the message.
//!
//! ```text
//!  a thread panics ──► the hook that was there ──► ours: kind, place, stack ──► each telemetry that reports: a file, before it returns
//!                                                                                     └ or memory, where there is no disk
//! ```
//!
//! The process may be over when the hook returns, so nothing is left to another thread, nothing waits for a lock that another thread can hold for
//! long, and nothing needs memory but the stack's, as far as the system's calls don't. A process reports each stack once, and a few in all: what a server catches
//! a thousand times a second is counted.

use crate::files::clock;
use crate::kept::crash::{CrashFile, EncodedCrash};
use crate::kept::recorder::Recorder;
use crate::kept::spool::Spool;
use crate::run::executable::Executable;
use automagik_telemetry_core::crashes::{Build, CrashReport, Exception, Stack};
use automagik_telemetry_core::schema::SchemaDescriptor;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock, RwLockWriteGuard, TryLockError};
use std::time::Duration;

/// Most different crashes that one process reports; others are counted as dropped.
const PANICS_MAX: usize = 8;

/// Most calls that are looked at: a stack can be millions deep.
const CALLS_MAX: usize = 1_024;

/// How far above the hook's argument the payload of a panic lies, where it lies on the stack.
const NEAR: usize = 1 << 14;

/// How often, and after which pause, a list that a panicking thread reads is tried to be changed: a second in all.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// Who wants to hear of panics. Written where a telemetry starts, and read where a thread panics.
static REPORTERS: RwLock<Vec<Arc<Reporter>>> = RwLock::new(Vec::new());

/// Reports panics until it is dropped.
pub(crate) struct Reporting(Arc<Reporter>);

impl Drop for Reporting {
    fn drop(&mut self) {
        // One that stays is told a panic more.
        if let Some(mut reporters) = reporters() {
            let at = reporters.iter().position(|reporter| Arc::ptr_eq(reporter, &self.0));
            at.map(|at| reporters.swap_remove(at));
        }
    }
}

/// Those that want to hear, to be changed, once no thread panics. `None` where that takes long: in a forked child a thread that is not there may hold them for good.
fn reporters() -> Option<RwLockWriteGuard<'static, Vec<Arc<Reporter>>>> {
    for _ in 0..TRIES {
        match REPORTERS.try_write() {
            Ok(reporters) => return Some(reporters),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
    None
}

/// What reports the panics of a program while its telemetry runs.
struct Reporter {
    schema: &'static SchemaDescriptor,
    recorder: Arc<Recorder>,
    /// Whether anything is recorded: the person agrees.
    on: Arc<AtomicBool>,
    /// Where reports are left; nowhere if there is no disk.
    files: Vec<CrashFile>,
    /// How many reports were begun.
    begun: AtomicUsize,
    /// The fingerprints of those that were, 0 for none.
    seen: [AtomicU64; PANICS_MAX],
}

impl Reporting {
    /// Reports the panics of the program of `schema` from now on.
    pub(crate) fn start(
        schema: &'static SchemaDescriptor,
        recorder: &Arc<Recorder>,
        on: &Arc<AtomicBool>,
        spool: Option<&Spool>,
    ) -> Self {
        recorder.expect_crashes(PANICS_MAX);
        let files =
            spool.map(|spool| CrashFile::some(spool.folder(), spool.destinations().logs, PANICS_MAX as u8));
        let reporter = Arc::new(Reporter {
            schema,
            recorder: Arc::clone(recorder),
            on: Arc::clone(on),
            files: files.flatten().unwrap_or_default(),
            begun: AtomicUsize::new(0),
            seen: Default::default(),
        });
        if let Some(mut reporters) = reporters() {
            reporters.push(Arc::clone(&reporter));
        }
        install();
        Self(reporter)
    }
}

impl Reporter {
    fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Reports `report`, unless a panic with the same stack was; counts it where it can't be kept.
    fn report(&self, report: &CrashReport) {
        let fingerprint = report.fingerprint().max(1);
        let is_seen = self.seen.iter().any(|seen| seen.load(Ordering::SeqCst) == fingerprint);
        // Two threads that panic alike in one moment may both be told: better twice than never.
        let at = if is_seen { PANICS_MAX } else { self.begun.fetch_add(1, Ordering::SeqCst) };
        let Some(seen) = self.seen.get(at) else { return self.recorder.lose_crash() };
        seen.store(fingerprint, Ordering::SeqCst);
        let file = self.files.get(at);
        let is_on_disk = file.is_some_and(|file| file.write(&EncodedCrash::new(report)).is_ok());
        self.recorder.report((!is_on_disk).then_some(*report));
    }
}

/// Looks for what a hook needs, so that it finds it ready. For a thread that nobody waits for.
pub(crate) fn prepare() {
    let _ = Executable::get();
}

/// Adds our hook behind the one that is there, once in a process.
fn install() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if !INSTALLED.swap(true, Ordering::SeqCst) {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            before(panic);
            report(panic);
        }));
    }
}

/// Reports a panic to all who want to hear of it.
fn report(panic: &PanicHookInfo<'_>) {
    let reporters = match REPORTERS.try_read() {
        Ok(reporters) => reporters,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        // A telemetry starts in this moment.
        Err(TryLockError::WouldBlock) => return,
    };
    if !reporters.iter().any(|reporter| reporter.is_on()) {
        return;
    }
    let now = clock::unix_seconds();
    let exception = exception(panic);
    let executable = Executable::get();
    let stack = executable.map_or_else(Stack::new, |executable| stack(panic, executable));
    let build = executable.and_then(Executable::build).unwrap_or(Build::UNKNOWN);
    for reporter in reporters.iter() {
        // A program is told of a panic once.
        let is_told = |other: &&Arc<Reporter>| other.is_on() && std::ptr::eq(other.schema, reporter.schema);
        if reporters.iter().find(is_told).is_some_and(|first| Arc::ptr_eq(first, reporter)) {
            let location = panic.location();
            reporter.report(&CrashReport::new(reporter.schema, exception, location, stack, build, now));
        }
    }
}

fn exception(panic: &PanicHookInfo<'_>) -> Exception {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.map_or(Exception::Any, Exception::of_message)
}

/// The return addresses of this thread that lie in `executable`, from where it panicked.
fn stack(panic: &PanicHookInfo<'_>, executable: &Executable) -> Stack {
    let mut stack = Stack::new();
    // What panics has the hook's argument on its stack, and mostly the payload further up: the calls below them are the hook's and the runtime's.
    let argument = std::ptr::from_ref(panic).addr();
    let payload = std::ptr::from_ref(panic.payload()).cast::<()>().addr();
    let inner = if (argument..argument.saturating_add(NEAR)).contains(&payload) { payload } else { argument };
    let mut calls = 0;
    backtrace::trace(|frame| {
        let at = frame.sp().addr();
        if at != 0 && at <= inner {
            return true;
        }
        calls += 1;
        match executable.offset(frame.ip().addr()) {
            Some(offset) => stack.push(offset),
            None => stack.push_elsewhere(),
        }
        calls < CALLS_MAX
    });
    stack
}
