//! What is measured: an event of three attributes, and counting one of five words.

pub mod event;
pub mod message;
pub mod peers;
pub mod quick;
pub mod sdk;

use automagik_telemetry::{Counter, Histogram, Label, Milliseconds};
use std::sync::atomic::{AtomicU32, Ordering};

/// The words.
#[derive(Label, Clone, Copy, Debug)]
pub enum Command {
    /// A word.
    List,
    /// A word.
    Create,
    /// A word.
    Remove,
    /// A word.
    Start,
    /// A word.
    Stop,
}

/// The limit: an array of atomics.
pub static BARE: [AtomicU32; 5] = [const { AtomicU32::new(0) }; 5];
/// Ours.
pub static COUNTER: Counter<Command> = Counter::new();
/// Ours, with size classes.
pub static HISTOGRAM: Histogram<Command, Milliseconds> = Histogram::new();

/// A relaxed addition to an array's element, as anybody would write it.
#[inline]
pub fn bare(command: Command) {
    BARE[command as usize].fetch_add(1, Ordering::Relaxed);
}

/// An addition to a counter.
#[inline]
pub fn counter(command: Command) {
    COUNTER.add(command);
}

/// An addition to a histogram.
#[inline]
pub fn histogram(command: Command, milliseconds: u32) {
    HISTOGRAM.record(command, Milliseconds::new(milliseconds));
}
