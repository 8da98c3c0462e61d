//! What a gateway says of itself, on loopback: `/metrics` for Prometheus, `/healthz` (it runs), `/readyz` (it takes frames).

use crate::counts::Counts;
use crate::kept::Kept;
use crate::links::udp::dropped_by_kernel;
use axum::Router;
use axum::extract;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;

/// What answers are made of.
#[derive(Clone, Debug)]
pub struct State {
    /// What was counted.
    pub counts: Arc<Counts>,
    /// What is kept.
    pub kept: Arc<Kept>,
    /// Most bytes that may wait.
    pub bytes_max: u64,
    /// Where datagrams arrive.
    pub udp: Vec<SocketAddr>,
}

/// Answers until the runtime ends.
pub async fn serve(listener: TcpListener, state: State) {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "it runs\n" }))
        .route("/readyz", get(ready))
        .with_state(state);
    let _ = axum::serve(listener, router).await;
}

async fn metrics(extract::State(state): extract::State<State>) -> impl IntoResponse {
    let dropped = state.udp.iter().map(|address| dropped_by_kernel(*address)).sum();
    state.counts.kernel_drops.fetch_max(dropped, Ordering::Relaxed);
    let mut text = state.counts.to_prometheus();
    for (name, what, value) in [
        (
            "telemetry_gateway_store_bytes",
            "Bytes of frames that wait for the collector.",
            state.kept.waiting(),
        ),
        ("telemetry_gateway_store_bytes_max", "Most of them.", state.bytes_max),
        ("telemetry_gateway_boots", "Boots that are remembered.", state.kept.boots().unwrap_or(0)),
    ] {
        let _ = writeln!(text, "# HELP {name} {what}\n# TYPE {name} gauge\n{name} {value}");
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

async fn ready(extract::State(state): extract::State<State>) -> impl IntoResponse {
    if state.kept.waiting() < state.bytes_max {
        (StatusCode::OK, "it takes frames\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the store is full: the collector has been away for too long\n")
    }
}
