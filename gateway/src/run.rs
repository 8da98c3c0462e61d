//! A gateway that runs: links hand over what arrives, one thread takes it and writes it, another delivers.
//!
//! ```text
//!  links (tokio) ──► Inbox ──► the taking thread: Taker, then one step on disk ──► Forwarder's thread ──► collector
//!     ▲                          │ acknowledge = "disk"                              │ acknowledge = "collector"
//!     └────────── Back ◄─────────┴───────────────────────────────────────────────────┘
//! ```

pub mod acknowledging;
pub mod health;
pub mod settings;
pub mod taking;

use crate::counts::Counts;
use crate::forward::delivery::{Forwarder, Shared};
use crate::forward::through::Through;
use crate::kept::Kept;
use crate::links::accepting::accept;
use crate::links::http::{self, Programs};
use crate::links::udp::Udp;
use crate::links::{Inbox, stream};
use automagik_telemetry_std::Exporter;
use settings::{Ready, Settings};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError, RwLock};
use taking::{Order, Taking};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Pieces of what arrives that may wait to be taken.
const INBOX_LEN: usize = 256;

/// A gateway that runs.
pub struct Gateway {
    settings: Settings,
    kept: Arc<Kept>,
    manifests: Shared,
    counts: Arc<Counts>,
    orders: std::sync::mpsc::SyncSender<Order>,
    taking: Option<std::thread::JoinHandle<()>>,
    udp: Vec<SocketAddr>,
    tcp: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    health: Option<SocketAddr>,
}

impl Gateway {
    /// Starts one: afterwards its links listen. Call it in a tokio runtime of several threads.
    ///
    /// # Errors
    ///
    /// What can't be opened, and what to do.
    pub async fn start(ready: Ready) -> Result<Self, String> {
        let Ready { settings, known: (keys, known_manifests), exporter, through } = ready;
        let state = settings.state.clone().unwrap_or_else(|| PathBuf::from("."));
        let kept = Kept::open(&state).map_err(|error| {
            format!(
                "state {}: {error}: give this gateway a folder of its own that it may write",
                state.display()
            )
        })?;
        let kept = Arc::new(kept);
        let counts = Arc::new(Counts::default());
        let manifests: Shared = Arc::new(RwLock::new(Arc::new(remembered(&kept, known_manifests.clone())?)));
        let wake = Arc::new(Notify::new());
        let (delivered, deliveries) = tokio::sync::mpsc::unbounded_channel();
        let forwarder = Forwarder {
            kept: Arc::clone(&kept),
            exporter,
            manifests: Arc::clone(&manifests),
            counts: Arc::clone(&counts),
            wake: Arc::clone(&wake),
            delivered,
            names: settings.record_uid,
            seed: std::process::id(),
        };
        let thread = std::thread::Builder::new().name("delivery".to_owned());
        thread
            .spawn(move || {
                // A request's body is this thread's own.
                if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    runtime.block_on(forwarder.run());
                }
            })
            .map_err(|error| format!("no thread can be started ({error})"))?;

        let (inbox, arriving) = sync_channel(INBOX_LEN);
        let (orders, ordered) = sync_channel(INBOX_LEN);
        let known = (keys, known_manifests);
        let taking = Taking::new(&settings, known, Arc::clone(&kept), Arc::clone(&counts), wake)
            .map_err(|error| format!("state {}: {error}", state.display()))?;
        let thread = std::thread::Builder::new().name("taking".to_owned());
        let taking = thread
            .spawn(move || taking.run(&arriving, &ordered, deliveries))
            .map_err(|error| format!("no thread can be started ({error})"))?;

        let mut gateway = Self {
            settings,
            kept,
            manifests,
            counts,
            orders,
            taking: Some(taking),
            udp: Vec::new(),
            tcp: Vec::new(),
            http: Vec::new(),
            health: None,
        };
        gateway.listen(inbox, through).await?;
        Ok(gateway)
    }

    async fn listen(&mut self, inbox: Inbox, through: Option<Exporter>) -> Result<(), String> {
        let fails = |what: &str, address: SocketAddr, error: io::Error| {
            format!("{what} {address}: {error}: name an address of this machine that is free")
        };
        for address in self.settings.udp.clone() {
            let udp = Udp::bind(address).map_err(|error| fails("udp", address, error))?;
            self.udp.push(udp.address().map_err(|error| fails("udp", address, error))?);
            let (thread, inbox) = (std::thread::Builder::new().name("udp".to_owned()), inbox.clone());
            let serve = move || {
                if let Err(error) = udp.serve(&inbox) {
                    eprintln!("telemetry-gateway: udp {error}");
                }
            };
            thread.spawn(serve).map_err(|error| format!("no thread can be started ({error})"))?;
        }
        for address in self.settings.tcp.clone() {
            let listener = TcpListener::bind(address).await.map_err(|error| fails("tcp", address, error))?;
            self.tcp.push(listener.local_addr().map_err(|error| fails("tcp", address, error))?);
            let inbox = inbox.clone();
            tokio::spawn(accept(listener, stream::STREAMS_MAX, move |connection| {
                let (reader, writer) = connection.into_split();
                stream::serve(reader, writer, inbox.clone())
            }));
        }
        let (manifests, counts) = (Arc::clone(&self.manifests), Arc::clone(&self.counts));
        let through = through.map(Through::start).transpose();
        let through = through.map_err(|error| format!("no thread can be started ({error})"))?;
        let programs = Arc::new(Programs::new(manifests, counts, inbox.clone(), through));
        for address in self.settings.http.clone() {
            let listener = TcpListener::bind(address).await.map_err(|error| fails("http", address, error))?;
            self.http.push(listener.local_addr().map_err(|error| fails("http", address, error))?);
            let programs = Arc::clone(&programs);
            tokio::spawn(accept(listener, http::CONNECTIONS_MAX, move |connection| {
                Arc::clone(&programs).serve(connection)
            }));
        }
        for mqtt in self.settings.mqtt.clone() {
            let options = mqtt.options()?;
            tokio::spawn(mqtt.serve(options, inbox.clone()));
        }
        for serial in self.settings.serial.clone() {
            tokio::spawn(serial.serve(inbox.clone()));
        }
        if self.settings.stdin {
            tokio::spawn(stream::serve(tokio::io::stdin(), tokio::io::stdout(), inbox.clone()));
        }
        if let Some(address) = self.settings.health {
            let listener =
                TcpListener::bind(address).await.map_err(|error| fails("health", address, error))?;
            self.health = Some(listener.local_addr().map_err(|error| fails("health", address, error))?);
            let state = health::State {
                counts: Arc::clone(&self.counts),
                kept: Arc::clone(&self.kept),
                bytes_max: self.settings.store.bytes,
                udp: self.udp.clone(),
            };
            tokio::spawn(health::serve(listener, state));
        }
        Ok(())
    }

    /// Where it takes datagrams, as it was given.
    #[must_use]
    pub fn udp(&self) -> &[SocketAddr] {
        &self.udp
    }

    /// Where it takes streams.
    #[must_use]
    pub fn tcp(&self) -> &[SocketAddr] {
        &self.tcp
    }

    /// Where it takes OTLP from programs.
    #[must_use]
    pub fn http(&self) -> &[SocketAddr] {
        &self.http
    }

    /// Where it answers questions about itself.
    #[must_use]
    pub const fn health(&self) -> Option<SocketAddr> {
        self.health
    }

    /// What it has counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many bytes of frames wait for the collector.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.kept.waiting()
    }

    /// Reads keys and manifests again. Where one is wrong, what was known stays.
    ///
    /// # Errors
    ///
    /// Which file is wrong.
    pub fn reload(&self) -> Result<(), String> {
        let (keys, manifests) = self.settings.known()?;
        let all = remembered(&self.kept, manifests.clone())?;
        *self.manifests.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
        self.orders
            .send(Order::Learn(Box::new((keys, manifests))))
            .map_err(|_| "the gateway has stopped".to_owned())
    }

    /// Writes what has arrived, and ends.
    pub fn stop(mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(taking) = self.taking.take() {
            let _ = taking.join();
        }
    }
}

/// `manifests`, and those of frames that may still wait: they are kept beside them.
fn remembered(
    kept: &Kept,
    manifests: crate::known::manifests::Manifests,
) -> Result<crate::known::manifests::Manifests, String> {
    kept.remember_manifests(manifests).map_err(|error| format!("the store can't be written: {error}"))
}
