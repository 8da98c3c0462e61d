//! Turns places and crashes into functions, files and lines, for who has the program's file.
//!
//! ```text
//!  a folder ──► builds: by id ──► frames: addr2line ─────────────────────────────┐
//!                   └► program: the anchor ──► + distance ──► { file, line } ────┼──► backtrace ──► text, JSON
//!  a request, an export, rows ──► crashes ───────────────────────────────────────┘
//! ```
//!
//! A [`CodeLocation`](automagik_telemetry_core::CodeLocation) is how far a `core::panic::Location` lies from an anchor in the program's own file, which is there in one
//! that is stripped too; a return address needs debug information or symbols, in the file or in a debug file beside it. Paths are cut to the crate.
//!
//! This library is what the program `telemetry-symbolize` is made of; it promises no interface.

pub mod backtrace;
pub mod builds;
pub mod crashes;
mod fixups;
pub mod frames;
pub mod program;
pub mod source;
