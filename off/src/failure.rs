//! Failures of requests, of which there are none.

use crate::Organization;
use core::fmt;

/// Why a collector would not take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The system has no certificates.
    NoCertificates,
    /// Nobody knows the collector's name.
    Resolve,
    /// Nobody listens at that port.
    Refused,
    /// There is no way to that machine.
    Unreachable,
    /// A proxy refuses.
    Proxy,
    /// No encrypted connection could be made.
    Tls(TlsFailure),
    /// No answer came in time.
    Timeout,
    /// The connection ended before an answer.
    Broken,
    /// The collector answered with this status.
    Status(u16),
    /// The answer is a page.
    Page,
    /// The collector took the request, but for so many records.
    PartlyRefused(u32),
    /// The request is too large.
    TooLarge,
}

/// Why no encrypted connection could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFailure {
    /// Nobody who is trusted vouches for the server's certificate.
    UnknownAuthority,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotValidYet,
    /// The certificate is for another name.
    OtherName,
    /// The certificate can't be used for that.
    BadCertificate,
    /// The server wants a certificate of ours.
    ClientCertificate,
    /// The server does not speak TLS.
    NoTls,
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
