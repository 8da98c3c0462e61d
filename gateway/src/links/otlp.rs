//! OTLP over HTTP, as headers and statuses: which form a body has, whether it is packed, and an answer in the same form.

use super::accepting::PATIENCE;
use crate::intake::programs::request::{self, BYTES_MAX, Error, Form};
use automagik_telemetry_core::otlp::Signal;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

/// An answer that is no 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    status: StatusCode,
    message: &'static str,
    retry_seconds: Option<u32>,
}

impl Refused {
    pub(crate) const fn new(status: StatusCode, message: &'static str) -> Self {
        Self { status, message, retry_seconds: None }
    }

    pub(crate) const fn later(message: &'static str, seconds: u32) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, message, retry_seconds: Some(seconds) }
    }

    /// The same, with another status that says to come back.
    pub(crate) const fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

const TOO_LARGE: Refused =
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "send at most 1 MiB a request, unpacked");

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::TooLarge => TOO_LARGE,
            Error::Malformed => Self::new(StatusCode::BAD_REQUEST, "the body is no such request"),
        }
    }
}

/// What a request is answered with: how many of its records never will be taken, and why.
pub(crate) type Answered = Result<(u64, &'static str), Refused>;

/// Answers `request` with what `take` makes of its form, its headers and its body.
pub(crate) async fn answer<F: Future<Output = Answered>>(
    signal: Signal,
    request: Request,
    take: impl FnOnce(Form, HeaderMap, Body) -> F,
) -> Response {
    let (head, body) = request.into_parts();
    match form(&head.headers) {
        Ok(form) => response(signal, form, take(form, head.headers, body).await),
        Err(refused) => response(signal, Form::Json, Err(refused)),
    }
}

/// The form of the body.
fn form(headers: &HeaderMap) -> Result<Form, Refused> {
    let named = headers.get(CONTENT_TYPE).and_then(|value| Form::of(value.to_str().ok()?));
    named.ok_or(Refused::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "send application/x-protobuf or application/json",
    ))
}

/// Whether the body is packed.
pub(crate) fn is_gzip(headers: &HeaderMap) -> Result<bool, Refused> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send gzip, or no content-encoding")),
    }
}

/// The whole body.
pub(crate) async fn body(body: Body) -> Result<Bytes, Refused> {
    let body = tokio::time::timeout(PATIENCE, to_bytes(body, BYTES_MAX)).await;
    let body = body.map_err(|_| Refused::new(StatusCode::REQUEST_TIMEOUT, "the body took too long"))?;
    body.map_err(|_| TOO_LARGE)
}

fn response(signal: Signal, form: Form, answered: Answered) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    match answered {
        Ok(refused) => *response.body_mut() = request::answer(signal, form, refused).into(),
        Err(refused) => {
            if let Some(seconds) = refused.retry_seconds {
                headers.insert(RETRY_AFTER, seconds.into());
            }
            *response.status_mut() = refused.status;
            *response.body_mut() = request::error(form, refused.message).into();
        }
    }
    response
}
