//! Turns places into files and lines: a [`CodeLocation`](automagik_telemetry_core::CodeLocation) is how far a `core::panic::Location` lies from an anchor in the
//! program's own file.
//!
//! ```text
//!  the program's file ──► Program: the anchor, by its bytes ──► + distance ──► { file, line, column } ──► cut to the crate
//!                            └ relocations: in a position-independent file a pointer is often zero until it is loaded
//! ```
//!
//! This library is what the program `telemetry-symbolize` is made of; it promises no interface.

pub mod program;
pub mod source;
