//! A server on tokio. `AUTOMAGIK_TELEMETRY_ENABLED=true cargo run --example server -- 8080`, then
//! `curl localhost:8080/contacts/7`. Ctrl-C or SIGTERM ends it, and what was counted is sent or kept.

use automagik_telemetry::{
    HealthStatus, Histogram, Label, Metrics, Milliseconds, Schema, ServiceHealth, Telemetry, Timer,
};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Templates of addresses. The address itself has no place to go.
#[derive(Label, Clone, Copy)]
enum Route {
    #[label("GET /contacts")]
    Contacts,
    #[label("GET /contacts/{id}")]
    Contact,
    Unknown,
}

#[derive(Label, Clone, Copy)]
enum Service {
    Contacts,
}

/// A request is counted, which is one addition in memory; an event for each would be many.
#[derive(Metrics)]
struct Counted {
    #[metric(name = "automagik.contacts.request.duration", by = "route")]
    requests: Histogram<Route, Milliseconds>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "contacts", metrics = Counted)]
enum Contacts {
    Health(ServiceHealth<Service>),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8080);
    // The sender has a thread of its own: nothing runs in your runtime, and nothing waits in it but the end of `main`.
    let telemetry = Telemetry::<Contacts>::builder().wait_at_exit(Duration::from_secs(2)).start();
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on port {}", listener.local_addr()?.port());
    telemetry.record(ServiceHealth { service: Service::Contacts, status: HealthStatus::Healthy });
    tokio::select! {
        end = serve(listener) => end,
        () = asked_to_end() => Ok(()), // returns from `main`, which drops the handle
    }
}

async fn serve(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (connection, _) = listener.accept().await?;
        tokio::spawn(respond(connection));
    }
}

async fn respond(mut connection: TcpStream) -> std::io::Result<()> {
    let mut request = [0; 1024];
    let len = connection.read(&mut request).await?;
    let route = match request[..len].split(|byte| *byte == b' ').nth(1) {
        Some(b"/contacts") => Route::Contacts,
        Some(path) if path.starts_with(b"/contacts/") => Route::Contact,
        _ => Route::Unknown,
    };
    let _timer = Timer::start(&Counted::global().requests, route); // recorded when it drops
    connection.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await
}

async fn asked_to_end() {
    #[cfg(unix)]
    if let Ok(mut sent) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! { _ = sent.recv() => return, _ = tokio::signal::ctrl_c() => return }
    }
    let _ = tokio::signal::ctrl_c().await;
}
