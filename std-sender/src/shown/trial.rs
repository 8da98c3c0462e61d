//! One request to the collector, now, step by step: for whoever sets one up. It holds constants alone: that this program lost no
//! events, and no installation's pseudonym.

use crate::files::checksum::sha256;
use crate::kept::spool::Batch;
use crate::person::environment::Environment;
use crate::person::organization::Organization;
use crate::run::start_error::StartError;
use crate::send::body::{self, Encoded};
use crate::send::endpoint::{self, Endpoint};
use crate::send::failure::{Failure, TlsFailure};
use crate::send::flight::Flight;
use crate::send::http::{Http, Route};
use crate::send::settings::{Settings, TIMEOUT};
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::SchemaDescriptor;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Outcome, Pseudonym, Record, Sender};
use rustls::pki_types::{CertificateDer, ServerName};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest wait for a connection and for its encryption, each.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Variables that lead requests to a proxy.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Why a trial did not end with a request that was taken.
#[derive(Debug)]
pub(crate) enum TrialError {
    /// A setting is wrong.
    Setting(StartError),
    /// The collector did not take it.
    Failure(Failure, Organization),
}

impl core::fmt::Display for TrialError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Setting(error) => error.fmt(f),
            Self::Failure(failure, organization) => {
                write!(f, "{failure}.\nWhat to do: {}.", failure.remedy(*organization))
            }
        }
    }
}

/// Sends the one request that a person asked for, and says on `tell`, a line a step, what happens.
pub(crate) fn run(
    environment: &Environment,
    schema: &'static SchemaDescriptor,
    tell: &mut dyn FnMut(String),
) -> Result<(), TrialError> {
    let failed = |failure| TrialError::Failure(failure, environment.organization());
    let (endpoint, set_by) = endpoint::choose(environment, schema.endpoint(), Signal::Logs)
        .map_err(|(error, set_by)| TrialError::Setting(StartError::Endpoint { error, set_by }))?;
    let (settings, warnings) = Settings::of(environment, Signal::Logs, Some(TIMEOUT), true)
        .map_err(|(variable, error)| TrialError::Setting(StartError::Setting { variable, error }))?;
    warnings.into_iter().for_each(&mut *tell);
    tell(format!("Address: {} ({set_by})", endpoint.shown(Signal::Logs)));
    let proxy = PROXIES.into_iter().find(|name| environment.text(name).is_some());
    match proxy.filter(|_| !endpoint.is_loopback() && !settings.no_proxy) {
        // What lies behind it is the proxy's to find.
        Some(name) => tell(format!("Proxy: {name} is set; the way to the collector is not looked at")),
        None => connect(&endpoint, &settings, tell).map_err(failed)?,
    }
    let started = Instant::now();
    let (outcome, failure) = send(endpoint, settings, schema);
    let took = started.elapsed().as_millis();
    match (outcome, failure) {
        (Outcome::Accepted, None) => {
            tell(format!("Request: taken, in {took} ms"));
            Ok(())
        }
        (_, failure) => {
            tell(format!("Request: not taken, in {took} ms"));
            Err(failed(failure.unwrap_or(Failure::Broken)))
        }
    }
}

/// Looks the collector up, connects to it, encrypts.
fn connect(endpoint: &Endpoint, settings: &Settings, tell: &mut dyn FnMut(String)) -> Result<(), Failure> {
    let url = endpoint.address(Signal::Logs);
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let started = Instant::now();
    let addresses: Vec<SocketAddr> =
        (host.as_str(), port).to_socket_addrs().map_err(|_| Failure::Resolve)?.collect();
    let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    tell(format!("Resolved: {}, in {} ms", shown.join(", "), started.elapsed().as_millis()));
    let started = Instant::now();
    let mut connected = Err(Failure::Resolve);
    for address in &addresses {
        connected = TcpStream::connect_timeout(address, STEP_TIMEOUT).map_err(|error| match error.kind() {
            ErrorKind::ConnectionRefused => Failure::Refused,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Failure::Timeout,
            _ => Failure::Unreachable,
        });
        if connected.is_ok() {
            break;
        }
    }
    let mut connection = connected?;
    tell(format!("Connected, in {} ms", started.elapsed().as_millis()));
    if !endpoint.is_encrypted() {
        tell("Not encrypted: the address is http".to_owned());
        return Ok(());
    }
    let _ = connection.set_read_timeout(Some(STEP_TIMEOUT));
    let _ = connection.set_write_timeout(Some(STEP_TIMEOUT));
    let started = Instant::now();
    let config = Arc::new(crate::send::http::tls_of(endpoint, settings).ok_or(Failure::NoCertificates)?);
    let name = ServerName::try_from(host).map_err(|_| Failure::Tls(TlsFailure::OtherName))?;
    let mut tls =
        rustls::ClientConnection::new(config, name).map_err(|error| Failure::Tls(TlsFailure::of(&error)))?;
    while tls.is_handshaking() {
        tls.complete_io(&mut connection).map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match (inner, error.kind()) {
                (Some(error), _) => Failure::Tls(TlsFailure::of(error)),
                (None, ErrorKind::TimedOut | ErrorKind::WouldBlock) => Failure::Timeout,
                _ => Failure::Tls(TlsFailure::NoTls),
            }
        })?;
    }
    let version = match tls.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS 1.3",
    };
    tell(format!("Encrypted: {version}, in {} ms", started.elapsed().as_millis()));
    if let Some(certificate) = tls.peer_certificates().and_then(<[_]>::first) {
        let digits: String = sha256(certificate).iter().map(|byte| format!("{byte:02x}")).collect();
        let by = if settings.tls.is_some() { "the file that you named" } else { "the system's authorities" };
        tell(format!("Certificate: {}, vouched for by {by}", whose(certificate)));
        tell(format!("Its SHA-256: {digits}"));
    }
    Ok(())
}

/// For whom a certificate is, and who issued it.
fn whose(certificate: &CertificateDer<'_>) -> String {
    let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else { return "unreadable".to_owned() };
    let names: Vec<String> = parsed.valid_dns_names().take(NAMES_MAX).map(printable).collect();
    let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
    let issuer = [COMMON_NAME, ORGANIZATION_NAME].into_iter().find_map(|kind| part(parsed.issuer(), kind));
    let issuer = issuer.map_or("somebody without a name".to_owned(), printable);
    format!("for {names}, issued by {issuer}")
}

/// Most names of a certificate that are shown.
const NAMES_MAX: usize = 4;

/// The object identifiers 2.5.4.3 and 2.5.4.10 in DER (RFC 5280, appendix A.1).
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
const ORGANIZATION_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x0A];

/// The part of a name in DER behind the identifier `kind`, where that is a short text.
fn part<'a>(name: &'a [u8], kind: &[u8]) -> Option<&'a str> {
    let at = name.windows(kind.len()).position(|window| window == kind)?;
    let [_tag, len @ 0..=0x7F, text @ ..] = name.get(at + kind.len()..)? else { return None };
    core::str::from_utf8(text.get(..usize::from(*len))?).ok()
}

/// A text of somebody else's that may stand in a terminal.
fn printable(text: &str) -> String {
    text.chars().take(64).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

/// The request itself, as any other is sent.
fn send(
    endpoint: Endpoint,
    settings: Settings,
    schema: &'static SchemaDescriptor,
) -> (Outcome, Option<Failure>) {
    let time = Coarse::from_unix_seconds(crate::files::clock::unix_seconds(), schema.resolution());
    let record = Record::dropped(Reason::Undeliverable, 0, time);
    let batch = Batch::in_memory(Signal::Logs, vec![record], None);
    let bytes = body::encode(&Resource::new(schema, Pseudonym::NOBODY), &batch);
    let route = || Route::new(endpoint.clone(), settings.clone());
    let (logs, metrics) = (route(), route());
    let mut http =
        Http { log: None, health: None, failure: None, logs, metrics, flight: Arc::new(Flight::default()) };
    // Whoever calls may be inside a runtime.
    let thread = std::thread::spawn(move || {
        let runtime = crate::run::pipeline::runtime().ok()?;
        let outcome = runtime.block_on(http.send(Signal::Logs, &mut Encoded::new(bytes)));
        Some((outcome, http.failure))
    });
    thread.join().ok().flatten().unwrap_or((Outcome::Refused, Some(Failure::Broken)))
}
