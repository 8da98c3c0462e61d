//! Failures of requests, of which there are none.

use crate::Organization;
use core::fmt;

/// Why a request would fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The system has no root certificates.
    NoCertificates,
    /// The collector's name could not be resolved.
    Resolve,
    /// The connection was refused: nothing listens at that port.
    Refused,
    /// There is no route to the collector.
    Unreachable,
    /// The proxy refused.
    Proxy,
    /// The TLS handshake failed.
    Tls(TlsFailure),
    /// The collector did not answer in time.
    Timeout,
    /// The connection ended before an answer.
    Broken,
    /// The collector answered with this status.
    Status(u16),
    /// The answer is a web page.
    Page,
    /// The collector accepted the request except for this many records.
    PartlyRefused(u32),
    /// The request is too large.
    TooLarge,
}

/// Why a TLS handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFailure {
    /// No trusted authority issued the server's certificate.
    UnknownAuthority,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotValidYet,
    /// The certificate is for another name.
    OtherName,
    /// The certificate is not meant for servers.
    BadCertificate,
    /// The server requires a client certificate.
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
