//! Failures of requests, of which there are none.

use crate::Organization;
use core::fmt;

automagik_telemetry_core::interface! {
    /// Why a request would fail.
    failure
}

impl Failure {
    /// There is nothing to do.
    #[must_use]
    pub fn remedy(self, _organization: Organization) -> String {
        crate::LEFT_OUT.to_owned()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}

impl core::error::Error for Failure {}

impl core::error::Error for TlsFailure {}
