//! Connections, so many at once.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// How long a peer may take for the head of a request, for its body, and to agree on TLS.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Answers requests of one connection until it ends.
pub(crate) async fn answer(connection: impl AsyncRead + AsyncWrite + Unpin + Send, router: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // Whatever ends it, the peer sees.
    let _ = http.serve_connection(TokioIo::new(connection), TowerToHyperService::new(router)).await;
}

/// Serves each connection that comes to `listener`, `most` at once: others wait to be accepted.
pub async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    most: usize,
    serve: impl Fn(TcpStream) -> F,
) {
    let free = Arc::new(Semaphore::new(most));
    loop {
        let Ok(place) = Arc::clone(&free).acquire_owned().await else { return };
        // Where the system has no more of them, it is tried again in a moment.
        let Ok((connection, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let served = serve(connection);
        tokio::spawn(async move {
            served.await;
            drop(place);
        });
    }
}
