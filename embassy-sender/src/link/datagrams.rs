//! Frames as datagrams of UDP, over embassy-net.

use super::{Broken, Link};
use embassy_net::udp::UdpSocket;
use embassy_net::{IpAddress, IpEndpoint};

/// A link to a gateway at an address. Whoever knows the session may answer from anywhere: an acknowledgement is sealed.
pub struct Datagrams<'a> {
    socket: UdpSocket<'a>,
    gateway: IpEndpoint,
}

impl<'a> Datagrams<'a> {
    /// A link over `socket`, which is bound, to the gateway at `address` and `port`.
    #[must_use]
    pub fn new(socket: UdpSocket<'a>, address: impl Into<IpAddress>, port: u16) -> Self {
        Self { socket, gateway: IpEndpoint::new(address.into(), port) }
    }
}

impl Link for Datagrams<'_> {
    async fn send(&mut self, frame: &[u8]) -> Result<(), Broken> {
        self.socket.send_to(frame, self.gateway).await.map_err(|_| Broken)
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        self.socket.recv_from(buffer).await.map(|(len, _)| len).map_err(|_| Broken)
    }
}

impl core::fmt::Debug for Datagrams<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Datagrams").field("gateway", &self.gateway).finish_non_exhaustive()
    }
}
