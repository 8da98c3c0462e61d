//! Frames as datagrams, many a system call.

use super::{Arrived, Back, Inbox};
use automagik_telemetry_core::frames::MTU_MAX;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// What the kernel may hold of datagrams that were not read yet, in bytes. It gives what the system allows (`net.core.rmem_max`).
const KERNEL_BUFFER: usize = 8 << 20;

/// A socket that takes frames.
#[derive(Debug)]
pub struct Udp {
    socket: std::net::UdpSocket,
    state: UdpSocketState,
}

impl Udp {
    /// Listens at `address`.
    ///
    /// # Errors
    ///
    /// Where that can't be.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(address)?;
        let state = UdpSocketState::new((&socket).into())?;
        // As much as there is.
        let _ = state.set_recv_buffer_size((&socket).into(), KERNEL_BUFFER);
        Ok(Self { socket, state })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// Where the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes datagrams until the gateway is gone. It blocks while the gateway is busy, and so has a thread of its own: what arrives meanwhile stays in the
    /// kernel.
    ///
    /// # Errors
    ///
    /// Where there is no runtime for it.
    pub fn serve(self, inbox: &Inbox) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            self.socket.set_nonblocking(true)?;
            let socket = Arc::new(UdpSocket::from_std(self.socket)?);
            // The kernel may join datagrams of one sender.
            let len = MTU_MAX.max(2_048) * self.state.gro_segments();
            let mut buffers = vec![0; len * BATCH_SIZE];
            loop {
                let mut metas = [RecvMeta::default(); BATCH_SIZE];
                let mut pieces = buffers.chunks_mut(len);
                let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                    std::array::from_fn(|_| IoSliceMut::new(pieces.next().unwrap_or_default()));
                let received = socket
                    .async_io(Interest::READABLE, || {
                        self.state.recv((&socket).into(), &mut slices, &mut metas)
                    })
                    .await;
                // An answer that could not be delivered comes back as an error of the socket; the next reading is as good as any.
                let Ok(count) = received else { continue };
                let mut arrived = Arrived::default();
                for (meta, buffer) in metas.iter().zip(buffers.chunks(len)).take(count) {
                    for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                        arrived.bytes.extend_from_slice(datagram);
                        let back = Back::Datagram(Arc::clone(&socket), meta.addr);
                        arrived.frames.push((arrived.bytes.len(), back));
                    }
                }
                if inbox.send(arrived).is_err() {
                    return Ok(());
                }
            }
        })
    }
}

/// How many datagrams to the port of `address` the kernel has dropped, since a socket had no room: as it counts them itself.
#[must_use]
pub fn dropped_by_kernel(address: SocketAddr) -> u64 {
    let table = if address.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" };
    let text = std::fs::read_to_string(table).unwrap_or_default();
    let port = format!(":{:04X}", address.port());
    let of_port = text.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_whitespace();
        columns.nth(1)?.ends_with(&port).then_some(())?;
        columns.next_back()?.parse::<u64>().ok()
    });
    of_port.sum()
}
