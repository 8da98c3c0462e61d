//! How requests would go out.

use core::fmt;
use core::time::Duration;

/// Time for one request and its answer, were there any.
pub const TIMEOUT: Duration = Duration::from_secs(10);

automagik_telemetry_core::interface!(settings);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}
