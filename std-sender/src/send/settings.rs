//! How requests go out: the person's variables, as the OTLP exporter specification lists them. Their names are the organization's, here
//! `acme`.
//!
//! | variable | value | unless set |
//! |---|---|---|
//! | `ACME_TELEMETRY_TIMEOUT` | seconds for one request and its answer, 0 for no limit | 10 |
//! | `ACME_TELEMETRY_COMPRESSION` | `gzip`, `none` | `gzip` |
//! | `ACME_TELEMETRY_HEADERS` | `key=value,key=value`, values percent-encoded: a collector's API key | none |
//! | `ACME_TELEMETRY_CERTIFICATE` | PEM file of the authorities to trust, or of the server's own certificate | the platform's |
//! | `ACME_TELEMETRY_CLIENT_CERTIFICATE` | PEM file of this machine's certificate, for a collector that asks for one | none |
//! | `ACME_TELEMETRY_CLIENT_KEY` | PEM file of that certificate's key | none |
//!
//! Proxies are those of the system: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` (http, https, socks4, socks5, socks5h) and `NO_PROXY`;
//! never for a collector on this machine.
//!
//! Each has a form for one signal, which beats it: `ACME_TELEMETRY_LOGS_TIMEOUT`,
//! `ACME_TELEMETRY_METRICS_TIMEOUT`. An empty one counts as not set. Headers and certificates have no form in code:
//! a header is a string, and an application could put a person into it.
//!
//! `OTEL_*` variables are not read: they belong to the application's own observability, and would send a person's data
//! where nobody meant to.

use crate::person::environment::Environment;
use crate::send::trust;
use automagik_telemetry_core::otlp::Signal;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use std::time::Duration;

/// Time for one request and its answer (OTLP exporter specification: 10 seconds).
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Longest timeout that a variable can set, in seconds: a day.
const TIMEOUT_SECONDS_MAX: f64 = 86_400.0;

automagik_telemetry_core::interface!(settings);

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::HeaderOfRequest(name) => {
                return write!(f, "sets {name}, which every request sets itself: leave it out");
            }
            Self::Headers => "is no list of headers: write it as in api-key=secret,x-tenant=a%20b",
            Self::Certificate => "is no readable file with a certificate in PEM: name one",
            Self::Key => "is no readable file with a private key in PEM: name one",
            Self::Pair => "needs the private key of the client certificate: set both, of one pair",
        })
    }
}

/// How the requests of one signal go out.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) timeout: Option<Duration>,
    pub(crate) gzip: bool,
    pub(crate) headers: HeaderMap,
    /// Whether no proxy is used, whatever the system says.
    pub(crate) no_proxy: bool,
    /// `None`: the platform's authorities, which take milliseconds to read.
    pub(crate) tls: Option<ClientConfig>,
}

/// Headers that frame a request, name its receiver, or say what its body or the answer's is: with another value, what arrives is
/// something else than what was sent.
const HEADERS_OF_REQUESTS: [&str; 15] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A setting, for both signals and for each.
struct Variable {
    both: &'static str,
    logs: &'static str,
    metrics: &'static str,
}

macro_rules! variable {
    ($name:literal) => {
        Variable { both: $name, logs: concat!("LOGS_", $name), metrics: concat!("METRICS_", $name) }
    };
}

const TIMEOUT_VARIABLE: Variable = variable!("TIMEOUT");
const COMPRESSION: Variable = variable!("COMPRESSION");
const HEADERS: Variable = variable!("HEADERS");
const CERTIFICATE: Variable = variable!("CERTIFICATE");
const CLIENT_CERTIFICATE: Variable = variable!("CLIENT_CERTIFICATE");
const CLIENT_KEY: Variable = variable!("CLIENT_KEY");

impl Variable {
    /// The variable's name and the value that count for `signal`.
    fn of(&self, environment: &Environment, signal: Signal) -> Option<(String, String)> {
        let own = match signal {
            Signal::Logs => self.logs,
            Signal::Metrics => self.metrics,
        };
        [own, self.both].into_iter().find_map(|setting| {
            Some((environment.organization().variable(setting), environment.setting_text(setting)?))
        })
    }

    /// The variable's name, for both signals.
    fn name(&self, environment: &Environment) -> String {
        environment.organization().variable(self.both)
    }
}

impl Settings {
    /// Those of `signal`, with the application's `timeout` and `gzip`, and what to warn of: numbers and words that mean nothing
    /// count as not set.
    pub(crate) fn of(
        environment: &Environment,
        signal: Signal,
        timeout: Option<Duration>,
        gzip: bool,
    ) -> Result<(Self, Vec<String>), (String, Error)> {
        let mut warnings = Vec::new();
        let tls = tls(environment, signal)?;
        let no_proxy = ["NO_PROXY", "no_proxy"].into_iter().filter_map(|name| environment.text(name));
        // For all hosts; that of names and networks is the client's business.
        let no_proxy = no_proxy.into_iter().any(|list| list.split(',').any(|host| host.trim() == "*"));
        let mut settings = Self { timeout, gzip, headers: HeaderMap::new(), no_proxy, tls };
        if let Some((name, value)) = TIMEOUT_VARIABLE.of(environment, signal) {
            match value.parse::<f64>() {
                Ok(seconds) if (0.0..=TIMEOUT_SECONDS_MAX).contains(&seconds) => {
                    settings.timeout = (seconds > 0.0).then(|| Duration::from_secs_f64(seconds));
                }
                _ => warnings.push(format!("{name} is no number of seconds from 0 to 86400: it is ignored")),
            }
        }
        if let Some((name, value)) = COMPRESSION.of(environment, signal) {
            match value.to_ascii_lowercase().as_str() {
                "gzip" => settings.gzip = true,
                "none" => settings.gzip = false,
                _ => warnings.push(format!("{name} is neither gzip nor none: it is ignored")),
            }
        }
        if let Some((name, value)) = HEADERS.of(environment, signal) {
            settings.headers = headers(&value).ok_or_else(|| (name.clone(), Error::Headers))?;
            if let Some(header) =
                HEADERS_OF_REQUESTS.into_iter().find(|header| settings.headers.contains_key(*header))
            {
                return Err((name, Error::HeaderOfRequest(header)));
            }
        }
        Ok((settings, warnings))
    }
}

/// Headers in the form of W3C Baggage: `key=value,key=value`, keys and values percent-encoded.
fn headers(text: &str) -> Option<HeaderMap> {
    let decoded = |part: &str| -> Option<Vec<u8>> { percent_decoded(part.trim()) };
    let mut headers = HeaderMap::new();
    for member in text.split(',').filter(|member| !member.trim().is_empty()) {
        // What follows a semicolon are properties of Baggage, which headers have no place for.
        let (key, value) = member.split(';').next()?.split_once('=')?;
        let key = HeaderName::from_bytes(&decoded(key)?).ok()?;
        let mut value = HeaderValue::from_bytes(&decoded(value)?).ok()?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Some(headers)
}

/// RFC 3986, section 2.1; `None` if a `%` is not followed by two hexadecimal digits.
fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    Some(bytes)
}

/// TLS with the given authorities or certificate; `None` if neither is given.
fn tls(environment: &Environment, signal: Signal) -> Result<Option<ClientConfig>, (String, Error)> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let authorities = CERTIFICATE.of(environment, signal);
    let certificate = CLIENT_CERTIFICATE.of(environment, signal);
    let key = CLIENT_KEY.of(environment, signal);
    if authorities.is_none() && certificate.is_none() && key.is_none() {
        return Ok(None);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|_| (CERTIFICATE.name(environment), Error::Certificate))?;
    let builder = match authorities {
        Some((name, path)) => {
            let verifier = certificates(&path).and_then(|named| trust::in_named(named, provider));
            let verifier = verifier.ok_or((name, Error::Certificate))?;
            builder.dangerous().with_custom_certificate_verifier(verifier)
        }
        None => builder
            .with_platform_verifier()
            .map_err(|_| (CERTIFICATE.name(environment), Error::Certificate))?,
    };
    Ok(Some(match (certificate, key) {
        (None, None) => builder.with_no_client_auth(),
        (Some((name, certificate)), Some((key_name, key))) => {
            let chain = certificates(&certificate).ok_or((name, Error::Certificate))?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|_| (key_name.clone(), Error::Key))?;
            builder.with_client_auth_cert(chain, key).map_err(|_| (key_name, Error::Pair))?
        }
        (Some((name, _)), None) | (None, Some((name, _))) => return Err((name, Error::Pair)),
    }))
}

/// The certificates of a PEM file, of which there is one at least.
fn certificates(path: &str) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path).ok()?.collect::<Result<_, _>>().ok()?;
    (!certificates.is_empty()).then_some(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<(Settings, Vec<String>), (String, Error)> {
        let nothing = Environment::at("/nonexistent");
        let environment = variables.iter().fold(nothing, |all, (name, value)| all.with(name, value));
        Settings::of(&environment, Signal::Logs, Some(TIMEOUT), true)
    }

    fn header_pairs(text: &str) -> Option<Vec<(String, String)>> {
        let pair = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut pairs: Vec<_> = headers(text)?.iter().map(pair).collect();
        pairs.sort();
        Some(pairs)
    }

    #[test]
    fn h18_the_timeout_is_ten_seconds_or_what_the_variable_says() {
        for (value, timeout) in [
            ("", Some(TIMEOUT)),
            ("5", Some(Duration::from_secs(5))),
            (" 0.2 ", Some(Duration::from_millis(200))),
            ("0", None),
        ] {
            let (settings, warnings) = settings(&[("AUTOMAGIK_TELEMETRY_TIMEOUT", value)]).unwrap();
            assert_eq!((settings.timeout, warnings.len()), (timeout, 0), "{value:?}");
        }
    }

    #[test]
    fn h20_headers_are_percent_decoded() {
        let pairs = |list: &[(&str, &str)]| {
            Some(list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        for (text, expected) in [
            ("api-key=secret", pairs(&[("api-key", "secret")])),
            (" API-Key = a%20b ,x-tenant=1,", pairs(&[("api-key", "a b"), ("x-tenant", "1")])),
            ("k=a=b%3D", pairs(&[("k", "a=b=")])),
            ("k=1,k=2", pairs(&[("k", "2")])),
            ("k=", pairs(&[("k", "")])),
            ("k=1;metadata", pairs(&[("k", "1")])),
            ("", pairs(&[])),
            ("no value", None),
            ("=v", None),
            ("k=%2", None),
            ("k=%zz", None),
            ("k=%0d%0aevil: 1", None),
            ("ke y=1", None),
        ] {
            assert_eq!(header_pairs(text), expected, "{text:?}");
        }
    }

    #[test]
    fn h22_compression_is_gzip_or_none_in_any_case() {
        for (value, gzip) in [("gzip", true), ("GZIP", true), ("none", false), ("None", false), ("", true)] {
            let (settings, warnings) = settings(&[("AUTOMAGIK_TELEMETRY_COMPRESSION", value)]).unwrap();
            assert_eq!((settings.gzip, warnings.len()), (gzip, 0), "{value:?}");
        }
    }

    #[test]
    fn h23_a_signals_own_variable_beats_that_of_both() {
        let both = [("AUTOMAGIK_TELEMETRY_TIMEOUT", "5"), ("AUTOMAGIK_TELEMETRY_COMPRESSION", "none")];
        let own =
            [("AUTOMAGIK_TELEMETRY_LOGS_TIMEOUT", "7"), ("AUTOMAGIK_TELEMETRY_LOGS_COMPRESSION", "gzip")];
        let (settings, _) = settings(&[both, own].concat()).unwrap();
        assert_eq!((settings.timeout, settings.gzip), (Some(Duration::from_secs(7)), true));
    }

    #[test]
    fn v1_an_empty_variable_is_not_set() {
        for variable in
            [&TIMEOUT_VARIABLE, &COMPRESSION, &HEADERS, &CERTIFICATE, &CLIENT_CERTIFICATE, &CLIENT_KEY]
        {
            let (settings, warnings) = settings(&[(variable.both, ""), (variable.logs, "  ")]).unwrap();
            let default = (settings.timeout, settings.gzip, settings.headers.len(), settings.tls.is_none());
            assert_eq!((default, warnings.len()), ((Some(TIMEOUT), true, 0, true), 0), "{}", variable.both);
        }
    }

    #[test]
    fn v3_a_wrong_number_or_word_is_warned_of_and_ignored() {
        for (name, value) in [
            ("AUTOMAGIK_TELEMETRY_TIMEOUT", "soon"),
            ("AUTOMAGIK_TELEMETRY_TIMEOUT", "-1"),
            ("AUTOMAGIK_TELEMETRY_TIMEOUT", "NaN"),
            ("AUTOMAGIK_TELEMETRY_TIMEOUT", "inf"),
            ("AUTOMAGIK_TELEMETRY_COMPRESSION", "zstd"),
        ] {
            let (settings, warnings) = settings(&[(name, value)]).unwrap();
            assert_eq!((settings.timeout, settings.gzip), (Some(TIMEOUT), true), "{name}={value}");
            assert!(warnings[0].starts_with(name), "{warnings:?}");
        }
    }

    #[test]
    fn a_certificate_that_is_none_is_an_error_that_names_the_variable() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let empty = file.path().to_str().unwrap();
        for (name, value, error) in [
            ("AUTOMAGIK_TELEMETRY_CERTIFICATE", "/nonexistent", Error::Certificate),
            ("AUTOMAGIK_TELEMETRY_CERTIFICATE", empty, Error::Certificate),
            ("AUTOMAGIK_TELEMETRY_LOGS_CLIENT_KEY", empty, Error::Pair),
            ("AUTOMAGIK_TELEMETRY_HEADERS", "api-key", Error::Headers),
            (
                "AUTOMAGIK_TELEMETRY_HEADERS",
                "api-key=1,Content-Length=1,Host=evil",
                Error::HeaderOfRequest("content-length"),
            ),
            ("AUTOMAGIK_TELEMETRY_LOGS_HEADERS", "HOST=evil", Error::HeaderOfRequest("host")),
        ] {
            assert_eq!(settings(&[(name, value)]).err(), Some((name.to_owned(), error)), "{name}={value}");
        }
    }

    #[test]
    fn no_proxy_for_all_is_no_proxy() {
        for (value, no_proxy) in [("*", true), ("localhost, *", true), ("*.example", false), ("", false)] {
            assert_eq!(settings(&[("NO_PROXY", value)]).unwrap().0.no_proxy, no_proxy, "{value}");
            assert_eq!(settings(&[("no_proxy", value)]).unwrap().0.no_proxy, no_proxy, "{value}");
        }
    }

    #[test]
    fn a_header_is_not_shown() {
        assert!(!format!("{:?}", headers("api-key=hunter2").unwrap()).contains("hunter2"));
    }
}
