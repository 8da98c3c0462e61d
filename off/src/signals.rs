//! Names of signals that nobody reads.

/// A setting that has no effect.
pub const ENABLED: &str = "ENABLED";

/// A file that nobody looks for.
pub const GENERAL_OPT_OUT_FILE: &str = ".no-telemetry";

/// A file that nobody looks for.
pub const MACHINE_OPT_OUT_FILE: &str = "no-telemetry";

/// A variable that nobody reads.
pub const DO_NOT_TRACK: &str = "DO_NOT_TRACK";

/// A variable that nobody reads.
pub const ENVIRONMENT: &str = "ENVIRONMENT";

/// Variables that nobody reads: none.
pub const CI: &[&str] = &[];

/// A variable that nobody reads.
pub const NEXTEST: &str = "NEXTEST";
