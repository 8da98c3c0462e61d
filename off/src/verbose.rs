//! Showing what is sent: nothing is.

/// A setting that has no effect.
pub const VERBOSE: &str = "VERBOSE";
