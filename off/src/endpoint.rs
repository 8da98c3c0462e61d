//! Where data would go: nowhere.

use automagik_telemetry_core::otlp::Signal;
use core::convert::Infallible;
use core::fmt;

automagik_telemetry_core::interface!(endpoint);

/// No address.
pub const DEFAULT: &str = "";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}

/// A collector's address: it has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Infallible);

impl Endpoint {
    /// No endpoint.
    ///
    /// # Errors
    ///
    /// [`Error::NotAUrl`], always.
    pub fn parse(_text: &str) -> Result<Self, Error> {
        Err(Error::NotAUrl)
    }

    /// No endpoint.
    ///
    /// # Errors
    ///
    /// [`Error::NotAUrl`], always.
    pub fn parse_whole(_text: &str) -> Result<Self, Error> {
        Err(Error::NotAUrl)
    }

    /// Can't be called.
    #[must_use]
    pub fn url(&self, _signal: Signal) -> String {
        match self.0 {}
    }

    /// Can't be called.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.0 {}
    }

    /// Can't be called.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        match self.0 {}
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl fmt::Display for SetBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}
