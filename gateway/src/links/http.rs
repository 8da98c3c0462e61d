//! OTLP over HTTP from programs on the gateway's own network: what stands between them and the collector, which never hears of their address.

use super::accepting;
use super::otlp::{self, Answered, Refused};
use super::{Arrived, Inbox};
use crate::counts::{Counts, add};
use crate::forward::delivery::{Shared, current};
use crate::forward::request::Devices;
use crate::forward::through::Through;
use crate::intake::programs::request::{self, Form};
use crate::intake::programs::taken::Taken;
use automagik_telemetry_core::Outcome;
use automagik_telemetry_core::otlp::Signal;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};

/// Most connections at once: others wait to be accepted.
pub const CONNECTIONS_MAX: usize = 1_024;

/// Bodies that are read at once, 1 MiB each at most; others wait.
const BODIES_MAX: usize = 32;

/// Requests that are taken apart at once: a message can take a hundred times its bytes in memory.
const TAKEN_APART_MAX: usize = 2;

/// When a program should come back, in seconds, where nobody says better.
const RETRY_SECONDS: u32 = 10;

/// What requests are answered with.
pub struct Programs {
    /// What programs can say.
    pub manifests: Shared,
    /// What is counted.
    pub counts: Arc<Counts>,
    /// Where records are handed over, to be kept until the collector has them.
    pub inbox: Inbox,
    /// Where a request goes before it is answered, instead: the operator chose that nothing is acknowledged that the collector does not have.
    pub through: Option<Through>,
    bodies: Semaphore,
    taken_apart: Semaphore,
}

const STORE_FULL: Refused =
    Refused::later("the gateway's store is full: the collector has been away", RETRY_SECONDS);

impl Programs {
    /// What answers with these.
    #[must_use]
    pub fn new(manifests: Shared, counts: Arc<Counts>, inbox: Inbox, through: Option<Through>) -> Self {
        let (bodies, taken_apart) = (Semaphore::new(BODIES_MAX), Semaphore::new(TAKEN_APART_MAX));
        Self { manifests, counts, inbox, through, bodies, taken_apart }
    }

    /// Serves one connection until it ends.
    pub async fn serve(self: Arc<Self>, connection: TcpStream) {
        let router = Router::new()
            .route(
                "/v1/logs",
                post(|state: State<Arc<Self>>, request: Request| state.0.answer(Signal::Logs, request)),
            )
            .route(
                "/v1/metrics",
                post(|state: State<Arc<Self>>, request: Request| state.0.answer(Signal::Metrics, request)),
            )
            .with_state(self);
        accepting::answer(connection, router).await;
    }

    async fn answer(self: Arc<Self>, signal: Signal, request: Request) -> Response {
        add(&self.counts.requests, 1);
        let take = |form, headers, body| async move { self.take(signal, form, &headers, body).await };
        otlp::answer(signal, request, take).await
    }

    /// Takes a request, and says how many records of it never will be, and why.
    async fn take(&self, signal: Signal, form: Form, headers: &HeaderMap, body: Body) -> Answered {
        let is_gzip = otlp::is_gzip(headers)?;
        let Ok(_place) = self.bodies.acquire().await else { return Err(STORE_FULL) };
        let body = otlp::body(body).await?;
        let mut taken = {
            let Ok(_turn) = self.taken_apart.acquire().await else { return Err(STORE_FULL) };
            let (manifests, now) = (current(&self.manifests), SystemTime::now().into());
            request::take(signal, form, is_gzip, &body, &manifests, now)?
        };
        let (refused, why) = taken.refused();
        let more = match &self.through {
            _ if taken.held.is_empty() => 0,
            Some(through) => self.pass_through(signal, through, &taken).await?,
            None => self.keep(std::mem::take(&mut taken.held)).await.map(|()| 0)?,
        };
        self.counts.refuse_of_programs(&taken.refused);
        add(&self.counts.records, taken.records);
        let why = if refused > 0 { why } else { "the collector refused them" };
        Ok((refused + u64::from(more), why))
    }

    /// Hands the records over, and waits until they are on disk.
    async fn keep(&self, held: Vec<u8>) -> Result<(), Refused> {
        let (sender, safe) = oneshot::channel();
        let arrived = Arrived { request: Some((held, sender)), ..Arrived::default() };
        let inbox = self.inbox.clone();
        let is_sent = tokio::task::spawn_blocking(move || inbox.send(arrived).is_ok()).await;
        let stopping = Refused::later("the gateway is stopping", 1);
        if !is_sent.unwrap_or(false) {
            return Err(stopping);
        }
        match safe.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(STORE_FULL),
            Err(_) => Err(stopping),
        }
    }

    /// Posts the records to the collector, and says how many it refused.
    async fn pass_through(&self, signal: Signal, through: &Through, taken: &Taken) -> Result<u32, Refused> {
        let devices = Devices::of_program(&taken.held, &current(&self.manifests));
        add(&self.counts.moved, devices.moved.into());
        let refused = match through.post(signal, devices.request(signal)).await {
            Outcome::Accepted => 0,
            Outcome::PartlyRefused(refused) => refused,
            Outcome::Retry { after_seconds } => {
                let seconds = after_seconds.unwrap_or(RETRY_SECONDS);
                return Err(Refused::later("the collector does not take it now", seconds));
            }
            Outcome::TooLarge => {
                let message = "it is too large for the collector: send less at once";
                return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, message));
            }
            Outcome::Refused => {
                return Err(Refused::new(StatusCode::BAD_REQUEST, "the collector refused it"));
            }
        };
        add(&self.counts.delivered, taken.records.saturating_sub(refused.into()));
        add(&self.counts.refused_by_collector, refused.into());
        Ok(refused)
    }
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Programs(..)")
    }
}
