//! What is left of a program that fell: where, never what.
//!
//! ```text
//!  a panic ──► exception: which kind, of a closed list ─┐
//!              stack: return addresses in its own file ─┼─► report: 16 addresses at most ──► CBOR ──► otlp: one log record
//!              build: whose file they lie in ───────────┘
//!  a device falls ──► fault: by what, at which instruction ──► retained: memory that outlives the reset ──► an event
//! ```
//!
//! A message, a path, an argument and a value of a variable have no place in a [`CrashReport`]. It is the one thing that leaves and is wider than the 64 bits
//! of an event: a bounded list of offsets in the program's own file, which the compiler chose and no person typed. So it is a type of its own beside
//! [`Record`](crate::Record), and the schema of a program that sends it says so with the event [`Crash`].

pub mod exception;
pub mod stack;
pub mod build;
pub mod report;
pub mod fault;
pub mod retained;

pub use build::Build;
pub use exception::Exception;
pub use fault::{DeviceCrash, DeviceRestarted, Fault, RestartReason};
pub use report::{Crash, CrashReport};
pub use retained::{LastLife, Retained};
pub use stack::Stack;
