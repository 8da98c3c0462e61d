//! OTLP over HTTP: one POST a batch, on a connection of its own, through any TCP stack of `embedded-nal-async`.
//!
//! The body is pulled from the records in pieces of [`PIECE_LEN`] bytes and handed to the socket: there is no buffer of the
//! body's size. The same piece of memory then takes the answer.

use crate::answer;
use automagik_telemetry_core::otlp::{Body, Signal};
use automagik_telemetry_core::resource::SDK_VERSION;
use automagik_telemetry_core::{Outcome, Sender};
use core::fmt::Write as _;
use core::net::{IpAddr, SocketAddr};
use embassy_time::{Duration, with_timeout};
use embedded_io_async::{Read, Write};
use embedded_nal_async::{AddrType, Dns, TcpConnect};

/// Bytes of the one buffer of a request.
pub const PIECE_LEN: usize = 512;

/// Longest that a request and its answer may take, the lookup of the name included.
pub const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) const AGAIN: Outcome = Outcome::Retry { after_seconds: None };

/// Posts requests to `http://<host>:<port><path>/v1/logs` and `/v1/metrics`.
///
/// It does not encrypt: use it for a collector on the device's own network, or behind a gateway there, and `Https` (feature `tls`)
/// otherwise. Redirects are not followed.
///
/// ```
/// use automagik_telemetry_embassy::Http;
/// # fn sender<T: embedded_nal_async::TcpConnect, D: embedded_nal_async::Dns>(tcp: &T, dns: &D) {
/// let sender = Http::new(tcp, dns, "collector.local", 4318); // http://collector.local:4318/v1/logs
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Http<'a, T, D> {
    tcp: &'a T,
    dns: &'a D,
    pub(crate) place: Place<'a>,
}

/// Where requests are posted to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) host: &'a str,
    port: u16,
    path: &'a str,
}

impl<'a, T: TcpConnect, D: Dns> Http<'a, T, D> {
    /// Returns a sender to `host`, a name or an address, at `port`.
    #[must_use]
    pub const fn new(tcp: &'a T, dns: &'a D, host: &'a str, port: u16) -> Self {
        Self { tcp, dns, place: Place { host, port, path: "" } }
    }

    /// Sets the path before `/v1/logs`, such as `/otlp`.
    #[must_use]
    pub const fn path(mut self, path: &'a str) -> Self {
        self.place.path = path;
        self
    }

    /// A connection to the place; `None` if there is none to be had.
    pub(crate) async fn connect(&self) -> Option<T::Connection<'a>> {
        let address = match self.place.host.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) => self.dns.get_host_by_name(self.place.host, AddrType::Either).await.ok()?,
        };
        self.tcp.connect(SocketAddr::new(address, self.place.port)).await.ok()
    }
}

impl Place<'_> {
    /// Sends one request over `connection`; `None` if that failed on the way.
    pub(crate) async fn post<C: Read + Write>(
        &self,
        connection: &mut C,
        signal: Signal,
        body: &mut dyn Body,
    ) -> Option<Outcome> {
        {
            let mut head = heapless::String::<PIECE_LEN>::new();
            let written = write!(
                head,
                "POST {}/{} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: automagik-telemetry-rust/{SDK_VERSION}\r\n\
                 Content-Type: application/x-protobuf\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                self.path,
                signal.path(),
                self.host,
                self.port,
                body.len()
            );
            // A host and a path that are longer than that are nobody's.
            if written.is_err() {
                return Some(Outcome::Refused);
            }
            connection.write_all(head.as_bytes()).await.ok()?;
        }
        // The head is on its way: its place in the task's memory is free for the body's pieces, and then for the answer.
        let mut buffer = [0; PIECE_LEN];
        loop {
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => connection.write_all(buffer.get(..len)?).await.ok()?,
                // The records changed under it, which those of a pinned batch can't: nothing that could be sent again.
                Err(_) => return Some(Outcome::Refused),
            }
        }
        connection.flush().await.ok()?;
        answer::read(connection, &mut buffer).await
    }
}

impl<T: TcpConnect, D: Dns> Sender for Http<'_, T, D> {
    async fn send(&mut self, signal: Signal, body: &mut dyn Body) -> Outcome {
        body.rewind();
        let posted = async { self.place.post(&mut self.connect().await?, signal, body).await };
        with_timeout(TIMEOUT, posted).await.ok().flatten().unwrap_or(AGAIN)
    }
}
