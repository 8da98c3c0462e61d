//! Where frames come from. A link hands over bytes and a way back, and knows nothing of what they say.

pub mod accepting;
pub mod http;
pub mod message;
pub mod mqtt;
pub(crate) mod otlp;
pub mod serial;
pub mod stream;
pub mod udp;

use message::Message;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;

/// Frames that arrived together.
#[derive(Debug, Default)]
pub struct Arrived {
    /// Their bytes, behind each other.
    pub bytes: Vec<u8>,
    /// Where each ends, and how to answer it.
    pub frames: Vec<(usize, Back)>,
    /// A program's records, ready to be kept, and who waits to hear whether they are on disk; there may be no room.
    pub request: Option<(Vec<u8>, oneshot::Sender<bool>)>,
}

/// The way back to whoever sent a frame. It lives in memory until the frame is acknowledged, and is written nowhere.
#[derive(Clone, Debug)]
pub enum Back {
    /// None.
    Nowhere,
    /// A datagram.
    Datagram(Arc<UdpSocket>, SocketAddr),
    /// A stream of bytes.
    Stream(Sender<Vec<u8>>),
    /// A message of a broker.
    Message(Arc<Message>),
}

impl Back {
    /// Sends `frame`, if there is room at once: who does not hear it repeats the question.
    fn send(&self, frame: &[u8]) {
        match self {
            Self::Nowhere => {}
            Self::Datagram(socket, address) => drop(socket.try_send_to(frame, *address)),
            Self::Stream(sender) => drop(sender.try_send(frame.to_vec())),
            Self::Message(message) => message.answer(frame),
        }
    }

    /// The frame is safe: sends its acknowledgement.
    pub fn acknowledge(&self, frame: &[u8]) {
        self.send(frame);
        self.refuse();
    }

    /// The frame is of nobody known: sends the question who that is.
    pub fn ask(&self, frame: &[u8]) {
        self.send(frame);
        self.later();
    }

    /// The frame will never be taken.
    pub fn refuse(&self) {
        if let Self::Message(message) = self {
            message.done();
        }
    }

    /// The frame can't be taken now.
    pub fn later(&self) {
        if let Self::Message(message) = self {
            message.later();
        }
    }
}

/// Where links hand over what arrives. It waits while the gateway is busy, so a stream is slowed down; datagrams then stay in the kernel, which drops
/// what does not fit and counts it.
pub type Inbox = SyncSender<Arrived>;
