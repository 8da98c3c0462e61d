//! Where data would go: nowhere.

use automagik_telemetry_core::otlp::Signal;
use core::convert::Infallible;
use core::fmt;

/// A setting that has no effect.
pub const ENDPOINT: &str = "ENDPOINT";

/// A setting that has no effect.
pub const LOGS_ENDPOINT: &str = "LOGS_ENDPOINT";

/// A setting that has no effect.
pub const METRICS_ENDPOINT: &str = "METRICS_ENDPOINT";

/// No address.
pub const DEFAULT: &str = "";

/// Why an endpoint is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// It is empty.
    Empty,
    /// It is not a URL: none is, in this build.
    NotAUrl,
    /// Its scheme is neither `http` nor `https`.
    Scheme,
    /// It has a query or a fragment.
    Query,
    /// It is on another machine.
    ElsewhereInATest,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}

impl core::error::Error for Error {}

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

/// Who set the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// The person, in this variable.
    Person(String),
    /// The application.
    Application,
    /// Nobody.
    Nobody,
}

impl fmt::Display for SetBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}
