//! OTLP over HTTP: one POST a batch, through reqwest and rustls.
//!
//! Redirects are refused, since they would carry data to a place that nobody chose. An answer is read up to
//! [`ANSWER_BYTES_MAX`], and only for its count of refused records; what it says is never shown or kept.

use crate::endpoint::Endpoint;
use automagik_telemetry_core::otlp::{self, Body, Signal};
use automagik_telemetry_core::resource::SDK_VERSION;
use automagik_telemetry_core::{Outcome, Sender};
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Most of an answer that is read, in bytes (OTLP 1.x: 4 MiB).
pub const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Time for one request and its answer (OTLP exporter specification: 10 seconds).
pub const TIMEOUT: Duration = Duration::from_secs(10);

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

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
}

/// Posts requests to a collector.
pub(crate) struct Http {
    endpoint: Endpoint,
    /// Made for the first request: the platform's certificates take milliseconds to read.
    client: Option<reqwest::Client>,
}

impl Http {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, client: None }
    }

    /// The client, or `None` where the platform's certificates can't be had.
    fn client(&mut self) -> Option<&reqwest::Client> {
        if self.client.is_none() {
            self.client = client(&self.endpoint);
        }
        self.client.as_ref()
    }
}

fn client(endpoint: &Endpoint) -> Option<reqwest::Client> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let tls = if endpoint.is_encrypted() {
        tls.with_platform_verifier().ok()?.with_no_client_auth()
    } else {
        // Never used: redirects, the only way to TLS from here, are refused.
        tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .user_agent(format!("automagik-telemetry-rust/{SDK_VERSION}"))
        .timeout(TIMEOUT)
        .build()
        .ok()
}

impl Sender for Http {
    async fn send(&mut self, signal: Signal, body: &mut dyn Body) -> Outcome {
        const AGAIN: Outcome = Outcome::Retry { after_seconds: None };
        let url = self.endpoint.url(signal);
        let mut bytes = vec![0; body.len()];
        if otlp::to_slice(body, &mut bytes).is_err() {
            return Outcome::Refused;
        }
        let Some(client) = self.client() else { return AGAIN };
        let request = client.post(url).header(CONTENT_TYPE, PROTOBUF).body(bytes);
        let Ok(answer) = request.send().await else { return AGAIN };
        let status = answer.status().as_u16();
        match Outcome::from_status(status, retry_after(answer.headers(), SystemTime::now())) {
            Outcome::Accepted => refused(answer).await,
            outcome => outcome,
        }
    }
}

/// What an answer of success says of refused records. It stays a success whatever else it holds.
async fn refused(mut answer: reqwest::Response) -> Outcome {
    let mut bytes = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        if bytes.len() + piece.len() > ANSWER_BYTES_MAX {
            return Outcome::Accepted;
        }
        bytes.extend_from_slice(&piece);
    }
    let rejected = Answer::decode(bytes.as_slice()).ok().and_then(|answer| answer.partial_success);
    match rejected.map(|partial| u32::try_from(partial.rejected)) {
        Some(Ok(count)) if count > 0 => Outcome::PartlyRefused(count),
        _ => Outcome::Accepted,
    }
}

/// Seconds that `Retry-After` asks for, as a number or as a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<u32> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(u32::try_from(seconds).unwrap_or(u32::MAX));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let wait = date.duration_since(now).unwrap_or_default();
    Some(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str, now: SystemTime) -> Option<u32> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        retry_after(&headers, now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = httpdate::parse_http_date("Tue, 21 Oct 2025 12:00:00 GMT").unwrap();
        for (value, seconds) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("0", Some(0)),
            ("99999999999999", Some(u32::MAX)),
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
