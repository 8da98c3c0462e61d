//! What programs post: who may, how much, what it says, and the answer once it is on disk.

use super::access::{credentials, is_equal};
use super::server::Server;
use crate::forward::request::Devices;
use crate::intake::programs::request::{self, Form};
use crate::intake::programs::{crash, logs, metrics};
use crate::links::otlp::{self, Answered, Refused};
use crate::serve::days::now;
use crate::serve::said::Request;
use crate::serve::writer;
use automagik_telemetry_core::otlp::Signal;
use axum::body::Body;
use axum::extract::{self, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use std::time::SystemTime;

/// When a program should come back, in seconds.
const RETRY_SECONDS: u32 = 10;

/// Takes what a program posts.
pub(super) async fn take(
    State(server): State<Arc<Server>>,
    signal: Signal,
    request: extract::Request,
) -> Response {
    let keep = |form, headers, body| async move { server.keep(signal, form, &headers, body).await };
    otlp::answer(signal, request, keep).await
}

impl Server {
    async fn keep(&self, signal: Signal, form: Form, headers: &HeaderMap, body: Body) -> Answered {
        let given = credentials(headers, "Bearer ").unwrap_or_default();
        let write = &self.secrets.write;
        if !write.is_empty() && !write.iter().any(|token| is_equal(given.as_bytes(), token)) {
            let message = "send the server's token: authorization: Bearer ...";
            return Err(Refused::new(StatusCode::UNAUTHORIZED, message));
        }
        let is_gzip = otlp::is_gzip(headers)?;
        let stopping = Refused::later("the server is stopping", RETRY_SECONDS);
        let Ok(_place) = self.taken.acquire().await else { return Err(stopping) };
        // Read whole first: whoever is told to come again while it still sends may not hear it.
        let body = otlp::body(body).await?;
        if !self.rate.admits(now()) {
            let many = Refused::later("more requests a second than this server takes (--rate-max)", 1);
            return Err(many.with_status(StatusCode::TOO_MANY_REQUESTS));
        }
        let request = self.said(signal, form, is_gzip, &body)?;
        if !request.said.is_empty() {
            self.writer.keep(request.said).await.map_err(|refused| match refused {
                writer::Refused::Full => {
                    Refused::later("the server's disk is full (--disk-max)", RETRY_SECONDS)
                }
                writer::Refused::TooManyWords => Refused::new(
                    StatusCode::BAD_REQUEST,
                    "too many different words: the server needs manifests",
                ),
                writer::Refused::Failed => {
                    Refused::later("the server can't write to its disk", RETRY_SECONDS)
                }
            })?;
        }
        if request.refused > 0 {
            self.writer.note(request.why, request.refused).await;
        }
        Ok((request.refused, request.why))
    }

    /// What `body` says: with manifests, what they let through.
    fn said(&self, signal: Signal, form: Form, is_gzip: bool, body: &[u8]) -> Result<Request, Refused> {
        let body = request::unpacked(body, is_gzip)?;
        let known = self.known();
        let Some(manifests) = &known.manifests else { return Ok(Request::read(signal, form, &body)?) };
        let now = SystemTime::now().into();
        let (taken, crashes) = match signal {
            Signal::Logs => {
                let mut logs = form.read(&body)?;
                let crashes = Request::of_logs(&crash::take_out(&mut logs, manifests));
                (logs::take(&logs, manifests, now), crashes)
            }
            Signal::Metrics => (metrics::take(&form.read(&body)?, manifests, now), Request::default()),
        };
        let request = Devices::of_program(&taken.held, manifests).request(signal);
        let mut read = Request::read(signal, Form::Protobuf, &request)?;
        read.said.extend(crashes.said);
        let (refused, why) = taken.refused();
        if refused > 0 {
            (read.refused, read.why) = (read.refused + refused, why);
        }
        Ok(read)
    }
}
