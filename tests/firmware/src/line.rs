//! The way to the collector: in the clear, or over TLS where the command line names who vouches for it.

use automagik_telemetry::firmware::{Authority, Http, Https};
use automagik_telemetry::otlp::{Body, Signal};
use automagik_telemetry::{Outcome, Sender};
use board::flash;
use core::convert::Infallible;
use core::net::{IpAddr, Ipv4Addr};
use embassy_net::Stack;
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embedded_nal_async::{AddrType, Dns};
use static_cell::StaticCell;

/// The collector of these tests sends small records. Beside a buffer for the largest (16,640 bytes), 64 KiB leave too little stack.
const RECEIVED_LEN: usize = 4096;

type Tcp = TcpClient<'static, 1, 1024, 512>;

pub enum Line {
    Plain(Http<'static, Tcp, Names>),
    Encrypted(Https<'static, Tcp, Names, fn(&mut [u8])>),
}

impl Line {
    /// To the host's `port`; over TLS where `authority` is the path of a certificate.
    pub fn new(stack: Stack<'static>, port: u16, authority: Option<&str>) -> Self {
        static STATE: StaticCell<TcpClientState<1, 1024, 512>> = StaticCell::new();
        static TCP: StaticCell<Tcp> = StaticCell::new();
        let tcp = TCP.init(TcpClient::new(stack, STATE.init(TcpClientState::new())));
        let http = Http::new(&*tcp, &Names, "collector.test", port);
        let Some(path) = authority else { return Self::Plain(http) };
        static CERTIFICATE: StaticCell<[u8; 1024]> = StaticCell::new();
        static RECEIVED: StaticCell<[u8; RECEIVED_LEN]> = StaticCell::new();
        static SENT: StaticCell<[u8; 1024]> = StaticCell::new();
        let certificate = CERTIFICATE.init([0; 1024]);
        let len = flash::read_file(path, certificate).unwrap();
        let authority = Authority::from_der(&certificate[..len]);
        let (received, sent) = (RECEIVED.init([0; RECEIVED_LEN]), SENT.init([0; 1024]));
        Self::Encrypted(Https::new(http, authority, random, received, sent))
    }
}

impl Sender for Line {
    async fn send(&mut self, signal: Signal, body: &mut dyn Body) -> Outcome {
        match self {
            Self::Plain(http) => http.send(signal, body).await,
            Self::Encrypted(https) => https.send(signal, body).await,
        }
    }
}

/// Every name is the machine that runs QEMU.
pub struct Names;

impl Dns for Names {
    type Error = Infallible;

    async fn get_host_by_name(&self, _: &str, _: AddrType) -> Result<IpAddr, Infallible> {
        Ok(Ipv4Addr::new(10, 0, 2, 2).into())
    }

    async fn get_host_by_address(&self, _: IpAddr, _: &mut [u8]) -> Result<usize, Infallible> {
        Ok(0)
    }
}

/// Numbers that differ. This machine has no source of random ones, and no secrets.
fn random(bytes: &mut [u8]) {
    static STATE: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(1);
    for byte in bytes {
        let state = STATE.load(core::sync::atomic::Ordering::Relaxed);
        let next = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        STATE.store(next, core::sync::atomic::Ordering::Relaxed);
        *byte = (next >> 24) as u8;
    }
}
