//! OTLP over HTTP: one POST a batch, through reqwest and rustls.
//!
//! Redirects are refused, since they would carry data to a place that nobody chose. An answer is read up to
//! [`ANSWER_BYTES_MAX`], and only for its count of refused records; what it says is never shown or kept.

use crate::files::clock;
use crate::send::body;
use crate::send::endpoint::Endpoint;
use crate::send::failure::Failure;
use crate::send::flight::Flight;
use crate::send::health::HealthLog;
use crate::send::sent::SentLog;
use crate::send::settings::Settings;
use crate::send::verbose::Explains;
use automagik_telemetry_core::answer::{self, Success};
use automagik_telemetry_core::otlp::{Body, Signal};
use automagik_telemetry_core::resource::SDK_VERSION;
use automagik_telemetry_core::{Outcome, Sender};
use bytes::Bytes;
use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll};
use http_body::{Frame, SizeHint};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::SystemTime;

/// Most of an answer that is read, in bytes (OTLP 1.x: 4 MiB).
pub const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Largest body that is sent, in bytes (OTLP 1.x: 64 MiB).
const BODY_BYTES_MAX: usize = 64 << 20;

/// Largest body that is not compressed, in bytes: below, the gain is less than a packet.
const GZIP_BYTES_MIN: usize = 1 << 10;

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Posts requests to a collector.
pub(crate) struct Http {
    /// Notes what was sent.
    pub(crate) log: Option<SentLog>,
    /// Notes what became of it.
    pub(crate) health: Option<HealthLog>,
    /// Why the last request was not taken.
    pub(crate) failure: Option<Failure>,
    pub(crate) logs: Route,
    pub(crate) metrics: Route,
    /// Whether a request has left.
    pub(crate) flight: Arc<Flight>,
}

/// A request's body, which says when it leaves.
struct Leaving {
    bytes: Option<Bytes>,
    flight: Arc<Flight>,
}

impl http_body::Body for Leaving {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // Where the program ends the request is never finished: it is dropped in a moment.
        if self.bytes.is_some() && !self.flight.leave() {
            return Poll::Pending;
        }
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// The way to the collector of one signal.
pub(crate) struct Route {
    endpoint: Endpoint,
    settings: Settings,
    /// Made for the first request: the platform's certificates take milliseconds to read.
    client: Option<reqwest::Client>,
    body_bytes_max: usize,
}

impl Route {
    pub(crate) fn new(endpoint: Endpoint, settings: Settings) -> Self {
        Self { endpoint, settings, client: None, body_bytes_max: BODY_BYTES_MAX }
    }

    /// Where it leads.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The client, or `None` if the platform's certificates can't be had.
    fn client(&mut self) -> Option<&reqwest::Client> {
        if self.client.is_none() {
            self.client = client(&self.endpoint, &self.settings);
        }
        self.client.as_ref()
    }
}

fn client(endpoint: &Endpoint, settings: &Settings) -> Option<reqwest::Client> {
    let tls = tls_of(endpoint, settings)?;
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // Retries are the worker's: reqwest would repeat a request on its own where a kept connection was closed.
        .retry(reqwest::retry::never())
        .user_agent(format!("automagik-telemetry-rust/{SDK_VERSION}"));
    if let Some(timeout) = settings.timeout {
        builder = builder.timeout(timeout);
    }
    if endpoint.is_loopback() || settings.no_proxy {
        // A proxy would look for the collector on its own machine.
        builder = builder.no_proxy();
    }
    builder.build().ok()
}

/// TLS as the person set it, or with the platform's authorities; `None` if there are none.
pub(crate) fn tls_of(endpoint: &Endpoint, settings: &Settings) -> Option<rustls::ClientConfig> {
    settings.tls.clone().map_or_else(|| tls(endpoint), Some)
}

/// TLS with the platform's authorities.
fn tls(endpoint: &Endpoint) -> Option<rustls::ClientConfig> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    Some(if endpoint.is_encrypted() {
        tls.with_platform_verifier().ok()?.with_no_client_auth()
    } else {
        // Never used: redirects, the only way to TLS from here, are refused.
        tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
    })
}

impl Sender for Http {
    async fn send(&mut self, signal: Signal, body: &mut dyn Body) -> Outcome {
        let (outcome, failure) = self.post(signal, body).await;
        self.failure = failure;
        if let Some(health) = &self.health {
            health.note(failure, clock::unix_seconds());
        }
        outcome
    }
}

impl Explains for Http {
    fn failure(&self) -> Option<Failure> {
        self.failure
    }
}

const AGAIN: Outcome = Outcome::Retry { after_seconds: None };

impl Http {
    /// What became of `body`, and why it was not taken.
    pub(crate) async fn post(&mut self, signal: Signal, body: &mut dyn Body) -> (Outcome, Option<Failure>) {
        let route = match signal {
            Signal::Logs => &mut self.logs,
            Signal::Metrics => &mut self.metrics,
        };
        if body.len() > route.body_bytes_max {
            return (Outcome::TooLarge, Some(Failure::TooLarge));
        }
        let Ok(bytes) = body::to_vec(body) else { return (Outcome::Refused, Some(Failure::TooLarge)) };
        let url = route.endpoint.address(signal);
        let (headers, gzip) = (route.settings.headers.clone(), route.settings.gzip);
        let Some(client) = route.client() else { return (AGAIN, Some(Failure::NoCertificates)) };
        let mut request = client.post(url).headers(headers).header(CONTENT_TYPE, PROTOBUF);
        let smaller = if gzip && bytes.len() > GZIP_BYTES_MIN { compressed(&bytes).ok() } else { None };
        if smaller.is_some() {
            request = request.header(CONTENT_ENCODING, GZIP);
        }
        let body = smaller.unwrap_or_else(|| bytes.clone());
        let body =
            reqwest::Body::wrap(Leaving { bytes: Some(body.into()), flight: Arc::clone(&self.flight) });
        let sent = request.body(body).send().await;
        let is_answered = sent.is_ok();
        let (outcome, failure) = match sent {
            Ok(answer) => {
                let status = answer.status().as_u16();
                match Outcome::from_status(status, retry_after(answer.headers(), SystemTime::now())) {
                    Outcome::Accepted => read(answer).await,
                    outcome => (outcome, Some(Failure::Status(status))),
                }
            }
            Err(error) => (AGAIN, Some(Failure::of(&error))),
        };
        let has_left = self.flight.has_left();
        self.flight.answer(is_answered);
        if !has_left && !is_answered {
            // Nothing left this machine.
            return (outcome, failure);
        }
        if let Some(log) = &mut self.log {
            log.note(signal, &bytes, outcome, clock::unix_seconds());
        }
        (outcome, failure)
    }
}

fn compressed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    // A batch repeats its names: level 1 takes it to a tenth, and higher ones cost more than they save.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// What an answer of success says of refused records. It stays a success whatever else it holds, unless it is a page.
async fn read(mut answer: reqwest::Response) -> (Outcome, Option<Failure>) {
    let mut bytes = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        bytes.extend_from_slice(&piece);
        if answer::is_page(&bytes) {
            break;
        }
        if bytes.len() > ANSWER_BYTES_MAX {
            return (Outcome::Accepted, None);
        }
    }
    let success = Success::read(&bytes);
    let failure = match success {
        Success::All => None,
        Success::But(count) => Some(Failure::PartlyRefused(count)),
        Success::Page => Some(Failure::Page),
    };
    (success.outcome(), failure)
}

/// Seconds that `Retry-After` asks for, as a number or as a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<u32> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(seconds) = answer::seconds(value) {
        return Some(seconds);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let wait = date.duration_since(now).unwrap_or_default();
    Some(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use prost::Message;

    /// `ExportLogsServiceResponse` and its kin: they have the same fields.
    #[derive(Clone, PartialEq, Message)]
    struct Answer {
        #[prost(message, optional, tag = "1")]
        partial_success: Option<PartialSuccess>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct PartialSuccess {
        #[prost(int64, tag = "1")]
        rejected: i64,
        #[prost(string, tag = "2")]
        error_message: String,
    }

    proptest! {
        #[test]
        fn an_answer_is_read_as_prost_reads_it(rejected: i64, text: String, is_there: bool) {
            let partial = PartialSuccess { rejected, error_message: text };
            let bytes = Answer { partial_success: is_there.then_some(partial) }.encode_to_vec();
            let expected = match rejected {
                1.. if is_there => Success::But(u32::try_from(rejected).unwrap_or(u32::MAX)),
                _ => Success::All,
            };
            prop_assert_eq!(Success::read(&bytes), expected);
        }
    }

    fn asked(value: &str, now: SystemTime) -> Option<u32> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        retry_after(&headers, now)
    }

    fn route(endpoint: &str) -> Route {
        let endpoint = Endpoint::parse(endpoint).unwrap();
        let nothing = crate::Environment::at("/nonexistent");
        let (settings, _) = Settings::of(&nothing, Signal::Logs, None, true).unwrap();
        Route::new(endpoint, settings)
    }

    struct Bytes(usize);

    impl Body for Bytes {
        fn len(&self) -> usize {
            self.0
        }

        fn read(&mut self, into: &mut [u8]) -> Result<usize, automagik_telemetry_core::otlp::Error> {
            let count = self.0.min(into.len());
            self.0 -= count;
            Ok(count)
        }

        fn rewind(&mut self) {}
    }

    async fn sent_to(endpoint: &str, len: usize) -> Outcome {
        let (logs, metrics) = (route(endpoint), route(endpoint));
        let mut http = Http { log: None, health: None, failure: None, logs, metrics, flight: Arc::default() };
        http.logs.body_bytes_max = 1 << 10;
        http.send(Signal::Logs, &mut Bytes(len)).await
    }

    #[tokio::test]
    async fn h7_a_body_above_the_limit_is_not_sent() {
        // Nobody is at that port: what is tried there is tried again.
        assert_eq!(sent_to("http://127.0.0.1:1", (1 << 10) + 1).await, Outcome::TooLarge);
        assert_eq!(sent_to("http://127.0.0.1:1", 1 << 10).await, Outcome::Retry { after_seconds: None });
    }

    #[tokio::test]
    async fn a_name_that_nobody_knows_is_tried_again() {
        assert_eq!(sent_to("http://collector.invalid", 1).await, Outcome::Retry { after_seconds: None });
    }

    #[test]
    fn a_page_is_no_answer_of_a_collector() {
        for (bytes, page) in [
            (&b"<!doctype html><title>Log in</title>"[..], true),
            (b"\xEF\xBB\xBF\r\n  <html>", true),
            (b"", false),
            (br#"{"partialSuccess":{}}"#, false),
            (b"\x0A\x02\x08\x07", false),
            (b"accepted", false),
        ] {
            assert_eq!(answer::is_page(bytes), page, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = httpdate::parse_http_date("Tue, 21 Oct 2025 12:00:00 GMT").unwrap();
        for (value, seconds) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("0", Some(0)),
            ("99999999999999", Some(u32::MAX)),
            ("99999999999999999999999999", Some(u32::MAX)),
            ("Tue, 21 Oct 2025 12:00:30 GMT", Some(30)),
            ("Tue, 21 Oct 2025 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(asked(value, now), seconds, "{value}");
        }
    }
}
