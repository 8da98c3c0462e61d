//! `telemetry-gateway serve`: receives OTLP, keeps it in files of its own, and shows it. For whoever hosts their own telemetry on one machine.
//!
//! ```text
//!  POST /v1/logs, /v1/metrics ──► said: who, what, how often ──► writer: many requests, one step on disk ──► 200
//!                                                                   │
//!  GET / ◄── pages, CSV, JSON ◄── views: one question each ◄── store: a file a day, and what the days add up to
//!                                                                   ▲
//!                                                    retention: old files are deleted, old sums too
//! ```
//!
//! Nothing of a connection is kept: no address, no header. What is kept goes by the day of its **arrival**, whatever a device claims.

pub mod database;
pub mod days;
pub mod frames;
pub mod http;
pub mod page;
pub mod said;
pub mod settings;
pub mod store;
pub mod tls;
pub mod views;
pub mod writer;

use crate::known::keys;
use crate::links::accepting::{PATIENCE, accept, answer};
use crate::links::http::CONNECTIONS_MAX;
use crate::run::Gateway;
use axum::Router;
use http::server::Server;
use settings::Settings;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// A server that listens.
pub struct Serving {
    /// Where.
    pub address: SocketAddr,
    /// What takes frames of devices.
    pub frames: Option<Gateway>,
    server: Arc<Server>,
}

impl Serving {
    /// Reads manifests, builds and keys again. Where one is wrong, what was known of its kind stays.
    ///
    /// # Errors
    ///
    /// Which file is wrong.
    pub fn reload(&self) -> Result<(), String> {
        self.server.reload()?;
        self.frames.as_ref().map_or(Ok(()), Gateway::reload)
    }
}

/// Listens with `settings` until the runtime ends.
///
/// # Errors
///
/// What is wrong with a setting, the store or the address, and what to do.
pub async fn start(mut settings: Settings) -> Result<Serving, String> {
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| format!("{}: can't be listened at ({error}); set --listen", settings.listen))?;
    settings.listen = listener.local_addr().map_err(|error| format!("{}: {error}", settings.listen))?;
    let address = settings.listen;
    let mut secrets = settings.secrets()?;
    // The gateway for frames has a token of its own, and a way of its own that does not leave this machine.
    let is_guarded = settings.takes_frames() && !secrets.write.is_empty();
    let token = if is_guarded { Some(keys::random()?) } else { None };
    secrets.write.extend(token.clone());
    let tls = tls::acceptor(&settings)?;
    let server = Arc::new(Server::new(&settings, secrets)?);
    let router = http::router(Arc::clone(&server));
    let frames = if settings.takes_frames() {
        let inner = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| error.to_string())?;
        let address = inner.local_addr().map_err(|error| error.to_string())?;
        listen(inner, router.clone(), None);
        Some(frames::start(&settings, address, token.as_deref()).await?)
    } else {
        None
    };
    listen(listener, router, tls);
    Ok(Serving { address, frames, server })
}

fn listen(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>) {
    tokio::spawn(accept(listener, CONNECTIONS_MAX, move |connection| {
        let (router, tls) = (router.clone(), tls.clone());
        async move {
            match tls {
                None => answer(connection, router).await,
                // Whoever does not speak TLS, or is too slow, sees the connection end.
                Some(tls) => {
                    if let Ok(Ok(connection)) = timeout(PATIENCE, tls.accept(connection)).await {
                        answer(connection, router).await;
                    }
                }
            }
        }
    }));
}
