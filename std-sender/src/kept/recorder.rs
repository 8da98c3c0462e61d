//! Where callers leave their records, and how the worker hears of it.
//!
//! Queues without locks: a caller never waits, whatever another thread does, and not even in a child that was forked
//! while another thread recorded. It costs one compare-and-swap and two stores. There are several, so that threads rarely meet.

use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::record::Error;
use automagik_telemetry_core::{CrashReport, Record};
use crossbeam_queue::ArrayQueue;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How many queues there are. A thread always starts with the same one.
const QUEUES: usize = 8;

/// Records that fit in each of them, 24 bytes each. A program that records more than fit in all between two wake-ups of the
/// worker is told how many were lost.
const CAPACITY: usize = 512;

/// Threads that have recorded.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Which of [`THREADS`] this is, from 1; 0 before it records.
    static THREAD: Cell<usize> = const { Cell::new(0) };
}

/// Which queue this thread starts with.
#[inline]
fn position() -> usize {
    THREAD.with(|thread| {
        if thread.get() == 0 {
            thread.set(THREADS.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
        }
        thread.get() % QUEUES
    })
}

/// Records on their way from callers to the worker.
pub(crate) struct Recorder {
    queues: [ArrayQueue<Record>; QUEUES],
    full: AtomicU32,
    out_of_domain: AtomicU32,
    /// Whether the worker waits for a record. While it is at work, or waits for its interval to end, callers pay no system call.
    idle: AtomicBool,
    wake: Notify,
    stopping: AtomicBool,
    /// Whether the worker has ended: nobody answers any more.
    ended: AtomicBool,
    flushes: Mutex<Vec<Flush>>,
    /// Crashes that could not be put on disk when they happened.
    crashes: Mutex<Vec<CrashReport>>,
    /// Whether a crash was reported that the worker has not looked at.
    crashed: AtomicBool,
    /// The process of the worker. A forked child has this, but no worker.
    process: u32,
}

/// Somebody who waits until everything is delivered.
pub(crate) struct Flush {
    done: Sender<()>,
    until: Instant,
}

impl Flush {
    /// Whether anybody waits still.
    pub(crate) fn is_awaited(&self) -> bool {
        Instant::now() < self.until
    }

    /// Everything is delivered.
    pub(crate) fn answer(self) {
        // Who gave up waiting needs no answer.
        let _ = self.done.send(());
    }
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            process: std::process::id(),
            queues: std::array::from_fn(|_| ArrayQueue::new(CAPACITY)),
            full: AtomicU32::new(0),
            out_of_domain: AtomicU32::new(0),
            idle: AtomicBool::new(false),
            wake: Notify::new(),
            stopping: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            flushes: Mutex::new(Vec::new()),
            crashes: Mutex::new(Vec::new()),
            crashed: AtomicBool::new(false),
        }
    }

    /// Leaves a record for the worker, or counts that it is lost.
    #[inline]
    pub(crate) fn push(&self, record: Result<Record, Error>) {
        let Ok(record) = record else { return self.count_out_of_domain() };
        if self.queues[position()].push(record).is_err() {
            self.push_elsewhere(record);
        } else if self.idle.load(Ordering::SeqCst) {
            // Sequentially consistent, like the queue: either this sees that the worker waits, or the worker sees the record.
            self.wake();
        }
    }

    /// Makes room for crashes, so that none is made when one happens.
    #[cfg(feature = "panics")]
    pub(crate) fn expect_crashes(&self, most: usize) {
        self.crashes.lock().unwrap_or_else(PoisonError::into_inner).reserve(most);
    }

    /// Tells the worker of a crash, and hands it over where it is not on disk.
    #[cfg(feature = "panics")]
    pub(crate) fn report(&self, in_memory: Option<CrashReport>) {
        if let Some(report) = in_memory {
            // Not waited for: in a forked child a thread that is not there may hold it.
            match self.crashes.try_lock() {
                Ok(mut crashes) if crashes.len() < crashes.capacity() => crashes.push(report),
                _ => self.lose_crash(),
            }
        }
        self.crashed.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Counts a crash that is not reported.
    #[cfg(feature = "panics")]
    pub(crate) fn lose_crash(&self) {
        self.full.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a crash was reported since the last call, and those that are not on disk.
    pub(crate) fn take_crashes(&self) -> (bool, Vec<CrashReport>) {
        if !self.crashed.swap(false, Ordering::SeqCst) {
            return (false, Vec::new());
        }
        // What is left has the room that it had.
        (true, self.crashes.lock().unwrap_or_else(PoisonError::into_inner).split_off(0))
    }

    /// Leaves a record that does not fit where it belongs, and has the worker make room.
    #[cold]
    fn push_elsewhere(&self, record: Record) {
        if self.queues.iter().all(|queue| queue.push(record).is_err()) {
            self.full.fetch_add(1, Ordering::Relaxed);
        }
        self.wake();
    }

    #[cold]
    fn count_out_of_domain(&self) {
        self.out_of_domain.fetch_add(1, Ordering::Relaxed);
        self.wake();
    }

    #[cold]
    fn wake(&self) {
        self.idle.store(false, Ordering::SeqCst);
        // A forked child has no worker to wake, and may have a lock of it that nobody opens again.
        if self.is_of_this_process() {
            self.wake.notify_one();
        }
    }

    /// Whether this was made by this process, and not by one that it was forked from.
    pub(crate) fn is_of_this_process(&self) -> bool {
        std::process::id() == self.process
    }

    /// Asks the worker to deliver what was recorded so far; it answers on the channel when that is done, if it is within
    /// `timeout`.
    pub(crate) fn flush(&self, timeout: Duration) -> Receiver<()> {
        let (done, receiver) = channel();
        let now = Instant::now();
        // Where that is beyond all time, a day will do: the worker asks again then.
        let until = now.checked_add(timeout).unwrap_or(now + Duration::from_secs(86_400));
        if self.is_of_this_process() {
            let mut flushes = self.flushes.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.ended.load(Ordering::SeqCst) {
                flushes.push(Flush { done, until });
            }
            drop(flushes);
            self.wake();
        }
        receiver
    }

    /// Asks the worker to end at once.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Whether the worker was asked to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The worker has ended: who waits for it, or will, is told so.
    pub(crate) fn end(&self) {
        let mut flushes = self.flushes.lock().unwrap_or_else(PoisonError::into_inner);
        self.ended.store(true, Ordering::SeqCst);
        flushes.clear();
    }

    /// Waits for `most` at most, or until the worker is asked to end, without a runtime.
    pub(crate) fn wait_to_stop(&self, most: Duration) {
        let until = Instant::now() + most;
        while !self.is_stopping() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Takes what was recorded: what one thread recorded in its order, unless it was much.
    pub(crate) fn take(&self) -> impl Iterator<Item = Record> {
        self.queues.iter().flat_map(|queue| std::iter::from_fn(|| queue.pop()))
    }

    /// What was lost since the last call.
    pub(crate) fn losses(&self) -> Losses {
        let mut losses = Losses::new();
        losses.add(Reason::QueueFull, self.full.swap(0, Ordering::Relaxed));
        losses.add(Reason::OutOfDomain, self.out_of_domain.swap(0, Ordering::Relaxed));
        losses
    }

    /// Those who wait for a flush.
    pub(crate) fn take_flushes(&self) -> Vec<Flush> {
        std::mem::take(&mut *self.flushes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until there is something to do.
    pub(crate) async fn work(&self) {
        self.idle.store(true, Ordering::SeqCst);
        let is_idle = || self.queues.iter().all(ArrayQueue::is_empty) && !self.crashed.load(Ordering::SeqCst);
        self.wait_while(is_idle).await;
        self.idle.store(false, Ordering::SeqCst);
    }

    /// Waits until a queue is full, for a flush or a stop.
    pub(crate) async fn filled(&self) {
        self.wait_while(|| !self.queues.iter().any(ArrayQueue::is_full)).await;
    }

    async fn wait_while(&self, nothing_to_do: impl Fn() -> bool) {
        let nobody_flushes = self.flushes.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if nothing_to_do() && nobody_flushes && !self.is_stopping() {
            self.wake.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use automagik_telemetry_core::time::Coarse;
    use std::sync::Arc;

    fn record() -> Result<Record, Error> {
        Ok(Record::dropped(Reason::Refused, 1, Coarse::from_steps(1)))
    }

    #[test]
    fn what_finds_no_room_is_told_as_a_loss() {
        let recorder = Recorder::new();
        for _ in 0..QUEUES * CAPACITY + 3 {
            recorder.push(record());
        }
        recorder.push(Err(Error::OutOfDomain));
        let losses: Vec<_> = recorder.losses().take().collect();
        assert_eq!(losses, [(Reason::QueueFull, 3), (Reason::OutOfDomain, 1)]);
        assert!(recorder.losses().is_empty());
        assert_eq!(recorder.take().count(), QUEUES * CAPACITY);
    }

    #[test]
    fn a_worker_that_waits_is_always_woken() {
        let recorder = Arc::new(Recorder::new());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let pusher = Arc::clone(&recorder);
        let thread = std::thread::spawn(move || {
            for _ in 0..2_000 {
                pusher.push(record());
                std::thread::yield_now();
            }
        });
        let mut seen = 0;
        while seen < 2_000 {
            runtime.block_on(recorder.work()); // hangs where a wake-up is lost
            seen += recorder.take().count();
        }
        thread.join().unwrap();
    }
}
