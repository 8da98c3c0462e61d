//! Connections, so many at once.

use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

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
