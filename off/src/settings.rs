//! How requests would go out.

use core::fmt;
use core::time::Duration;

/// Time for one request and its answer, were there any.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a setting is wrong: none is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// It is no list of headers.
    Headers,
    /// It sets this header, which frames the request.
    HeaderOfRequest(&'static str),
    /// It is no certificate.
    Certificate,
    /// It is no private key.
    Key,
    /// The key is not the certificate's.
    Pair,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::LEFT_OUT)
    }
}

impl core::error::Error for Error {}
