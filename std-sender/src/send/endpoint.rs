//! Where data go: a collector's address, parsed once and never guessed.
//!
//! The person's variables beat the application's constant, and that beats the policy's server. A setting that is there
//! but wrong, or empty, is an error: it never falls back to another server.

use crate::files::checksum::sha256;
use crate::kept::spool::Destinations;
use crate::person::environment::Environment;
use automagik_telemetry_core::otlp::Signal;
use reqwest::Url;

automagik_telemetry_core::interface!(endpoint);

/// Where data of `automagik` go unless somebody says otherwise; other organizations name theirs in the schema. Policy: "Data Storage & Security".
pub const DEFAULT: &str = "https://telemetry.namastex.ai";

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty: remove it, or set it to a collector such as http://localhost:4318",
            Self::NotAUrl => "is not a URL: write it as in http://localhost:4318",
            Self::Scheme => "has another scheme than http or https: write it as in http://localhost:4318",
            Self::ElsewhereInATest => {
                "is on another machine: what agreed is a test and no person, so data stay here (use 127.0.0.1)"
            }
            Self::Query => {
                "has a query or a fragment: give the collector's base, as in http://localhost:4318"
            }
        })
    }
}

/// A collector's address. `Display` and `Debug` leave out a user, a password and a query in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    base: Url,
    /// Whether it is a signal's whole address already.
    is_whole: bool,
}

impl Endpoint {
    /// The endpoint at `text`: a base such as `http://localhost:4318`, with or without a path. A signal's path
    /// (`/v1/traces`, `/v1/logs`, `/v1/metrics`) at its end is taken off, since other SDKs are given it that way.
    ///
    /// # Errors
    ///
    /// An [`Error`] that says what to write instead.
    ///
    /// ```
    /// use automagik_telemetry_std::endpoint::{Endpoint, Error};
    /// let endpoint = Endpoint::parse("https://user:password@example.org/otlp/v1/traces")?;
    /// assert_eq!(endpoint.to_string(), "https://example.org/otlp");
    /// assert_eq!(Endpoint::parse(""), Err(Error::Empty));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut base = http_url(text)?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(Error::Query);
        }
        let path = base.path().trim_end_matches('/');
        let path = ["/v1/traces", "/v1/logs", "/v1/metrics"]
            .into_iter()
            .find_map(|suffix| path.strip_suffix(suffix))
            .unwrap_or(path)
            .to_owned();
        base.set_path(&path);
        Ok(Self { base, is_whole: false })
    }

    /// The endpoint at `text`, the whole address of one signal: nothing is added to it and nothing taken off.
    ///
    /// # Errors
    ///
    /// An [`Error`] that says what to write instead.
    ///
    /// ```
    /// use automagik_telemetry_core::otlp::Signal;
    /// use automagik_telemetry_std::endpoint::Endpoint;
    /// let endpoint = Endpoint::parse_whole("https://example.org/in?key=1")?;
    /// assert_eq!(endpoint.url(Signal::Logs), "https://example.org/in?key=1");
    /// # Ok::<(), automagik_telemetry_std::endpoint::Error>(())
    /// ```
    pub fn parse_whole(text: &str) -> Result<Self, Error> {
        Ok(Self { base: http_url(text)?, is_whole: true })
    }

    /// Returns the address that `signal` is posted to, whole: with whatever credentials and keys stand in it.
    #[must_use]
    pub fn url(&self, signal: Signal) -> String {
        self.address(signal).into()
    }

    /// The same, parsed.
    pub(crate) fn address(&self, signal: Signal) -> Url {
        if self.is_whole {
            return self.base.clone();
        }
        let mut url = self.base.clone();
        let path = format!("{}/{}", self.base.path().trim_end_matches('/'), signal.path());
        url.set_path(&path);
        url
    }

    /// The address that `signal` is posted to, as it may be shown: without credentials and query.
    pub(crate) fn shown(&self, signal: Signal) -> String {
        Self { base: self.address(signal), is_whole: true }.to_string()
    }

    /// A number for where `signal` goes, the same for the same address. A key in it that changes leads to the same collector.
    pub(crate) fn number(&self, signal: Signal) -> u64 {
        let digest = sha256(self.shown(signal).as_bytes());
        digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// Returns whether the collector is on this machine: `localhost`, 127.0.0.0/8 or ::1.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.base.host_str() {
            Some("localhost") => true,
            Some(host) => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            None => false,
        }
    }

    /// Returns whether what is sent is encrypted on its way.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.base.scheme() == "https"
    }
}

fn http_url(text: &str) -> Result<Url, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Empty);
    }
    let url = Url::parse(text).map_err(|_| Error::NotAUrl)?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(Error::Scheme) }
}

impl core::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut shown = self.base.clone();
        // These fail only for a URL without a host, which an http one has.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        // A key may stand there.
        shown.set_query(None);
        f.write_str(shown.as_str().trim_end_matches('/'))
    }
}

impl core::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

impl core::fmt::Display for SetBy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Person(variable) => write!(f, "set by {variable}"),
            Self::Application => f.write_str("set by the application"),
            Self::Nobody => f.write_str("the policy's"),
        }
    }
}

/// Where the records of both signals would go; `None` if an endpoint is wrong.
pub(crate) fn destinations(environment: &Environment, application: Option<&str>) -> Option<Destinations> {
    let (logs, _) = choose(environment, application, Signal::Logs).ok()?;
    let (metrics, _) = choose(environment, application, Signal::Metrics).ok()?;
    Some(Destinations { logs: logs.number(Signal::Logs), metrics: metrics.number(Signal::Metrics) })
}

/// The endpoint that counts for `signal`, and who set it.
pub(crate) fn choose(
    environment: &Environment,
    application: Option<&str>,
    signal: Signal,
) -> Result<(Endpoint, SetBy), (Error, SetBy)> {
    let whole = match signal {
        Signal::Logs => LOGS_ENDPOINT,
        Signal::Metrics => METRICS_ENDPOINT,
    };
    let text = |setting: &str| environment.setting(setting).map(|value| value.to_string_lossy().into_owned());
    let by = |setting| SetBy::Person(environment.organization().variable(setting));
    let (parsed, set_by) = if let Some(value) = text(whole) {
        (Endpoint::parse_whole(&value), by(whole))
    } else if let Some(value) = text(ENDPOINT) {
        (Endpoint::parse(&value), by(ENDPOINT))
    } else if let Some(value) = application {
        (Endpoint::parse(value), SetBy::Application)
    } else {
        // A schema of another organization without an endpoint does not compile.
        (Endpoint::parse(DEFAULT), SetBy::Nobody)
    };
    match parsed {
        // Signals that were handed over may overrule the person's: then nothing may leave the machine.
        Ok(endpoint) if environment.is_of_process() || endpoint.is_loopback() => Ok((endpoint, set_by)),
        Ok(_) => Err((Error::ElsewhereInATest, set_by)),
        Err(error) => Err((error, set_by)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person_in(setting: &str) -> SetBy {
        SetBy::Person(format!("AUTOMAGIK_TELEMETRY_{setting}"))
    }

    fn logs_url(text: &str) -> String {
        Endpoint::parse(text).unwrap().url(Signal::Logs)
    }

    #[test]
    fn the_signals_path_is_joined_to_the_base() {
        for (text, url) in [
            ("http://c:4318", "http://c:4318/v1/logs"),
            ("http://c:4318/", "http://c:4318/v1/logs"),
            (" http://c:4318 ", "http://c:4318/v1/logs"),
            ("http://c:4318/collector", "http://c:4318/collector/v1/logs"),
            ("http://c:4318/collector/", "http://c:4318/collector/v1/logs"),
            ("http://c:4318/v1/traces", "http://c:4318/v1/logs"),
            ("http://c:4318/v1/traces/", "http://c:4318/v1/logs"),
            ("https://c/otlp/v1/logs", "https://c/otlp/v1/logs"),
            ("https://c", "https://c/v1/logs"),
            ("http://c", "http://c/v1/logs"),
        ] {
            assert_eq!(logs_url(text), url, "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_an_error() {
        for (text, error) in [
            ("", Error::Empty),
            ("  ", Error::Empty),
            ("localhost", Error::NotAUrl),
            ("http://", Error::NotAUrl),
            ("http://c:99999", Error::NotAUrl),
            ("localhost:4318", Error::Scheme),
            ("ftp://c", Error::Scheme),
            ("file:///etc/passwd", Error::Scheme),
            ("http://c/?key=1", Error::Query),
            ("http://c/#x", Error::Query),
        ] {
            assert_eq!(Endpoint::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn the_person_beats_the_application_and_a_wrong_setting_is_never_passed_over() {
        let nothing = Environment::at("/nonexistent");
        let (mine, app) = ("http://127.0.0.1:1", "http://localhost:2");
        let chosen = |environment: &Environment, application| {
            choose(environment, application, Signal::Logs)
                .map(|(endpoint, set_by)| (endpoint.to_string(), set_by))
        };
        let person = nothing.clone().set(ENDPOINT, mine);
        let process = Environment::of_process();
        assert_eq!(chosen(&process, None), Ok((DEFAULT.to_owned(), SetBy::Nobody)));
        assert_eq!(chosen(&nothing, Some(app)), Ok((app.to_owned(), SetBy::Application)));
        assert_eq!(chosen(&person, Some(app)), Ok((mine.to_owned(), person_in(ENDPOINT))));
        let empty = nothing.clone().set(ENDPOINT, "");
        assert_eq!(chosen(&empty, Some(app)), Err((Error::Empty, person_in(ENDPOINT))));
        assert_eq!(chosen(&nothing, Some("")), Err((Error::Empty, SetBy::Application)));
    }

    #[test]
    fn signals_that_were_handed_over_send_nothing_to_another_machine() {
        let handed = Environment::at("/nonexistent");
        for elsewhere in
            [DEFAULT, "http://10.0.0.1", "http://localhost.example.org", "http://[2001:db8::1]:4318"]
        {
            let environment = handed.clone().set(ENDPOINT, elsewhere);
            assert_eq!(
                choose(&environment, None, Signal::Logs),
                Err((Error::ElsewhereInATest, person_in(ENDPOINT))),
                "{elsewhere}"
            );
        }
        for here in ["http://localhost:4318", "http://127.1.2.3", "http://[::1]:4318"] {
            assert!(choose(&handed.clone().set(ENDPOINT, here), None, Signal::Logs).is_ok(), "{here}");
        }
    }

    #[test]
    fn a_signals_own_endpoint_is_used_as_it_is() {
        for (text, url) in [
            ("http://c:4318", "http://c:4318/"),
            ("http://c:4318/x/", "http://c:4318/x/"),
            ("http://c:4318/v1/traces", "http://c:4318/v1/traces"),
            ("https://c/in?key=1", "https://c/in?key=1"),
        ] {
            let chosen = Endpoint::parse_whole(text).unwrap();
            assert_eq!(chosen.url(Signal::Logs), url);
        }
        let environment = Environment::at("/nonexistent")
            .set(ENDPOINT, "http://127.0.0.1/base")
            .set(LOGS_ENDPOINT, "http://127.0.0.1/logs");
        let chosen =
            |signal| choose(&environment, None, signal).map(|(endpoint, by)| (endpoint.url(signal), by));
        let (logs, metrics) = ("http://127.0.0.1/logs", "http://127.0.0.1/base/v1/metrics");
        assert_eq!(chosen(Signal::Logs), Ok((logs.to_owned(), person_in(LOGS_ENDPOINT))));
        assert_eq!(chosen(Signal::Metrics), Ok((metrics.to_owned(), person_in(ENDPOINT))));
    }

    #[test]
    fn a_password_and_a_key_are_not_shown() {
        let endpoint = Endpoint::parse_whole("https://alice:hunter2@c/x?key=hunter2").unwrap();
        assert_eq!(endpoint.to_string(), "https://c/x");
        assert!(!format!("{endpoint:?}").contains("hunter2"));
    }
}
