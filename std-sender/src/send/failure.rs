//! Why a request was not taken: a name for each way, what it means and what to do about it. None of them holds a string of the
//! network, an address or a credential.

use crate::person::organization::Organization;
use rustls::CertificateError;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

automagik_telemetry_core::interface! {
    /// Why a request failed.
    ///
    /// ```
    /// # use automagik_telemetry_core::{FeatureUsed, Label};
    /// # use automagik_telemetry_derive::{Label, Schema};
    /// # extern crate automagik_telemetry_core as automagik_telemetry;
    /// # #[derive(Label, Clone, Copy)]
    /// # enum Feature { ListContacts }
    /// # #[derive(Schema)]
    /// # #[schema(organization = "acme", project = "omni", endpoint = "https://telemetry.acme.example")]
    /// # enum Omni { FeatureUsed(FeatureUsed<Feature>) }
    /// use automagik_telemetry_std::{Failure, Organization};
    /// let failure = Failure::Status(401);
    /// assert_eq!(failure.to_string(), "the collector answered 401");
    /// assert_eq!(failure.remedy(Organization::of::<Omni>()), "check the key in ACME_TELEMETRY_HEADERS");
    /// ```
    failure
}

impl Failure {
    /// Returns what the user can do about it. It names the variables of `organization`.
    #[must_use]
    pub fn remedy(self, organization: Organization) -> String {
        organization.named(self.text())
    }

    /// The same, with settings in braces.
    const fn text(self) -> &'static str {
        match self {
            Self::NoCertificates => {
                "install your system's certificates (Debian, Alpine: the package ca-certificates), or name a file of them in \
                 {CERTIFICATE}"
            }
            Self::Resolve => "check the name in the endpoint, and that this machine has a network",
            Self::Refused => {
                "check the port in the endpoint (OTLP over HTTP: 4318), and that the collector runs"
            }
            Self::Unreachable => "check the address in the endpoint, the network and its firewalls",
            Self::Proxy => "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or add the collector to NO_PROXY",
            Self::Tls(tls) => tls.text(),
            Self::Timeout => {
                "check that the collector answers at that address; {TIMEOUT} gives it more seconds"
            }
            Self::Broken => "check that the endpoint speaks OTLP over HTTP, not gRPC (port 4318, not 4317)",
            Self::Status(401 | 403) => "check the key in {HEADERS}",
            Self::Status(407) => "give the proxy a user and a password in HTTPS_PROXY or HTTP_PROXY",
            Self::Status(404 | 405) => {
                "check the path in the endpoint: it is the collector's base, to which /v1/logs and /v1/metrics are added"
            }
            Self::Status(413) => "nothing: smaller requests are sent",
            Self::Status(429) => "nothing: the collector wants fewer requests, and is asked again later",
            Self::Status(300..=399 | 511) => {
                "log in to the network, or set the endpoint to where the redirect leads: redirects are not followed"
            }
            Self::Status(500..=599) => {
                "look into the collector's own log; it is asked again later where that may help"
            }
            Self::Status(_) => "look into the collector's own log for what it does not like",
            Self::Page => {
                "log in to the network, or check that the endpoint is a collector and not a web site"
            }
            Self::PartlyRefused(_) => "look into the collector's own log for what it does not like",
            Self::TooLarge => "nothing: smaller requests are sent",
        }
    }

    /// That of a request that ended with `error`.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        let tls = chain(error).find_map(|error| error.downcast_ref::<rustls::Error>());
        if let Some(tls) = tls {
            return Self::Tls(TlsFailure::of(tls));
        }
        // The client gives these no type of their own.
        let is_said =
            |text: &str| chain(error).any(|error| error.to_string().to_ascii_lowercase().contains(text));
        let kind =
            chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).last();
        if is_said("tunnel error") || is_said("socks") {
            Self::Proxy
        } else if error.is_timeout() {
            Self::Timeout
        } else if is_said("dns error") {
            Self::Resolve
        } else {
            match kind {
                Some(ErrorKind::ConnectionRefused) => Self::Refused,
                Some(ErrorKind::TimedOut) => Self::Timeout,
                _ if error.is_connect() => Self::Unreachable,
                _ => Self::Broken,
            }
        }
    }

    /// As two numbers, for a file.
    pub(crate) const fn numbers(self) -> (u32, u32) {
        match self {
            Self::NoCertificates => (0, 0),
            Self::Resolve => (1, 0),
            Self::Refused => (2, 0),
            Self::Unreachable => (3, 0),
            Self::Proxy => (4, 0),
            Self::Tls(tls) => (5, tls as u32),
            Self::Timeout => (6, 0),
            Self::Broken => (7, 0),
            Self::Status(status) => (8, status as u32),
            Self::Page => (9, 0),
            Self::PartlyRefused(count) => (10, count),
            Self::TooLarge => (11, 0),
        }
    }

    /// That of two numbers.
    pub(crate) fn from_numbers(kind: u32, detail: u32) -> Option<Self> {
        Some(match kind {
            0 => Self::NoCertificates,
            1 => Self::Resolve,
            2 => Self::Refused,
            3 => Self::Unreachable,
            4 => Self::Proxy,
            5 => Self::Tls(TlsFailure::ALL.into_iter().find(|tls| *tls as u32 == detail)?),
            6 => Self::Timeout,
            7 => Self::Broken,
            8 => Self::Status(u16::try_from(detail).ok()?),
            9 => Self::Page,
            10 => Self::PartlyRefused(detail),
            11 => Self::TooLarge,
            _ => return None,
        })
    }
}

/// `error`, and what it came from.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    core::iter::successors(Some(error), |error| {
        // An error of I/O that was made of another names that one's source as its own.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| (*error).source())
    })
}

impl TlsFailure {
    const ALL: [Self; 7] = [
        Self::UnknownAuthority,
        Self::Expired,
        Self::NotValidYet,
        Self::OtherName,
        Self::BadCertificate,
        Self::ClientCertificate,
        Self::NoTls,
    ];

    /// What a person can do about it, with settings in braces.
    const fn text(self) -> &'static str {
        match self {
            Self::UnknownAuthority => {
                "name the server's own certificate, or that of the authority which signed it, in \
                 {CERTIFICATE}; a server must send every certificate between the two"
            }
            Self::Expired => "renew the server's certificate, and check this machine's clock",
            Self::NotValidYet => "check this machine's clock, and the server's certificate",
            Self::OtherName => {
                "use a name in the endpoint that the certificate is for, or make one for this name \
                 (-addext subjectAltName=DNS:<name>)"
            }
            Self::BadCertificate => {
                "make the server another certificate, for servers (openssl: extendedKeyUsage=serverAuth)"
            }
            Self::ClientCertificate => {
                "set {CLIENT_CERTIFICATE} and {CLIENT_KEY} to a pair that the server takes"
            }
            Self::NoTls => {
                "write http:// in the endpoint where the server does not encrypt, or give it TLS 1.2 or 1.3"
            }
        }
    }

    pub(crate) fn of(error: &rustls::Error) -> Self {
        use rustls::AlertDescription as Alert;
        match error {
            rustls::Error::InvalidCertificate(certificate) => match certificate {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::NotValidYet
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Self::OtherName
                }
                CertificateError::UnknownIssuer => Self::UnknownAuthority,
                // A certificate of an authority that stands for itself is one that nobody else vouches for.
                CertificateError::Other(_) => Self::UnknownAuthority,
                _ => Self::BadCertificate,
            },
            rustls::Error::AlertReceived(
                Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnknownCA
                | Alert::CertificateUnknown
                | Alert::AccessDenied
                | Alert::CertificateExpired
                | Alert::CertificateRevoked,
            ) => Self::ClientCertificate,
            _ => Self::NoTls,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCertificates => "the system has no certificates to check the collector's with",
            Self::Resolve => "nobody knows the collector's name",
            Self::Refused => "nobody listens at the collector's port",
            Self::Unreachable => "the collector's machine can't be reached",
            Self::Proxy => "the proxy refused, or can't be reached",
            Self::Tls(tls) => return tls.fmt(f),
            Self::Timeout => "no answer came in time",
            Self::Broken => "the connection ended without an answer",
            Self::Status(status) => return write!(f, "the collector answered {status}"),
            Self::Page => "the answer is a web page and not a collector's",
            Self::PartlyRefused(count) => return write!(f, "the collector refused {count} of the records"),
            Self::TooLarge => "the request is too large to be sent",
        })
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => "nobody who is trusted vouches for the collector's certificate",
            Self::Expired => "the collector's certificate has expired",
            Self::NotValidYet => "the collector's certificate is not valid yet",
            Self::OtherName => "the collector's certificate is for another name",
            Self::BadCertificate => "the collector's certificate can't be used",
            Self::ClientCertificate => "the collector wants a certificate of this machine, or another one",
            Self::NoTls => "the collector does not speak TLS there",
        })
    }
}

impl Error for Failure {}

impl Error for TlsFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_read_again_from_its_numbers_and_has_something_to_do() {
        let tls = TlsFailure::ALL.map(Failure::Tls);
        let statuses = (100..600).map(Failure::Status);
        let others = [
            Failure::NoCertificates,
            Failure::Resolve,
            Failure::Refused,
            Failure::Unreachable,
            Failure::Proxy,
            Failure::Timeout,
            Failure::Broken,
            Failure::Page,
            Failure::PartlyRefused(7),
            Failure::TooLarge,
        ];
        for failure in tls.into_iter().chain(statuses).chain(others) {
            let (kind, detail) = failure.numbers();
            assert_eq!(Failure::from_numbers(kind, detail), Some(failure));
            assert!(!failure.text().is_empty() && !failure.to_string().is_empty());
        }
        assert_eq!(Failure::from_numbers(99, 0), None);
    }
}
