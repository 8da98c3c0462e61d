//! What is answered over HTTP: programs post, readers get.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/logs`, `/v1/metrics` | OTLP's, once it is on disk |
//! | `GET /` | the projects |
//! | `GET /project?project=...` | all questions about one, for the days, version and system that are asked for |
//! | `GET /view/words.csv?project=...`, `.json` | one of them, for other programs |
//! | `GET /live?project=...` | events as they arrive (server-sent events) |
//! | `GET /healthz` | that it runs |

mod access;
mod rate;
mod reading;
pub mod server;
mod taking;

use super::page;
use automagik_telemetry_core::otlp::Signal;
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::routing::{get, post};
use server::Server;
use std::sync::Arc;

/// What answers requests of `server`.
pub fn router(server: Arc<Server>) -> Router {
    let readers = Router::new()
        .route("/", get(reading::front))
        .route("/project", get(reading::project))
        .route("/view/{file}", get(reading::view))
        .route("/live", get(reading::live))
        .route("/style.css", get(|| async { ([(CONTENT_TYPE, "text/css")], page::STYLE) }))
        .route("/live.js", get(|| async { ([(CONTENT_TYPE, "text/javascript")], page::SCRIPT) }))
        .layer(middleware::from_fn_with_state(Arc::clone(&server), access::guard));
    Router::new()
        .route(
            "/v1/logs",
            post(|server: State<Arc<Server>>, request| taking::take(server, Signal::Logs, request)),
        )
        .route(
            "/v1/metrics",
            post(|server: State<Arc<Server>>, request| taking::take(server, Signal::Metrics, request)),
        )
        .route("/healthz", get(|| async { "it runs\n" }))
        .merge(readers)
        .with_state(server)
}
