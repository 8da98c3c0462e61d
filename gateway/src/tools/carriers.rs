//! What carries the frames of simulated devices: each of the gateway's links, from its other end.

use crate::links::stream::{Splitter, encoded};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Which one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Over {
    /// Datagrams.
    #[default]
    Udp,
    /// A stream, each frame in COBS.
    Tcp,
    /// The same over a serial device, which is set already (`stty`).
    Serial,
    /// The same over standard output and input.
    Stdio,
    /// Messages of a broker.
    Mqtt,
}

/// Carries frames to a gateway, and answers back.
pub trait Carrier {
    /// Sends a frame of the device of this number. What can't be sent now is as a lost frame.
    fn send(&mut self, device: usize, frame: &[u8]);

    /// An answer that has come.
    fn receive(&mut self) -> Option<Vec<u8>>;
}

/// Opens the way to `to`: an address, or a serial device's path. `topic` is where devices publish, a `+` in it standing for their number.
///
/// # Errors
///
/// Where it can't be opened.
pub fn open(over: Over, to: &str, topic: &str) -> io::Result<Box<dyn Carrier>> {
    Ok(match over {
        Over::Udp => Box::new(Datagrams::to(address(to)?)?),
        Over::Tcp => {
            let stream = TcpStream::connect(to)?;
            Box::new(Stream::new(stream.try_clone()?, stream))
        }
        Over::Serial => {
            let line = File::options().read(true).write(true).open(to)?;
            Box::new(Stream::new(line.try_clone()?, line))
        }
        Over::Stdio => Box::new(Stream::new(io::stdin(), io::stdout())),
        Over::Mqtt => Box::new(Messages::at(address(to)?, topic)),
    })
}

fn address(to: &str) -> io::Result<SocketAddr> {
    to.to_socket_addrs()?.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// All devices behind one socket.
#[derive(Debug)]
pub struct Datagrams(UdpSocket);

impl Datagrams {
    /// To the gateway at `to`.
    ///
    /// # Errors
    ///
    /// Where there is no socket.
    pub fn to(to: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
        socket.connect(to)?;
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }
}

impl Carrier for Datagrams {
    fn send(&mut self, _: usize, frame: &[u8]) {
        let _ = self.0.send(frame);
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 64];
        let len = self.0.recv(&mut buffer).ok()?;
        Some(buffer[..len].to_vec())
    }
}

/// All devices on one stream.
struct Stream<W> {
    writer: W,
    answers: Receiver<Vec<u8>>,
}

impl<W: Write> Stream<W> {
    fn new(mut reader: impl Read + Send + 'static, writer: W) -> Self {
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            let (mut splitter, mut buffer) = (Splitter::default(), [0; 1 << 12]);
            while let Ok(len @ 1..) = reader.read(&mut buffer) {
                splitter.push(&buffer[..len], |frame| drop(sender.send(frame.to_vec())));
            }
        });
        Self { writer, answers }
    }
}

impl<W: Write> Carrier for Stream<W> {
    fn send(&mut self, _: usize, frame: &[u8]) {
        let _ = self.writer.write_all(&encoded(frame)).and_then(|()| self.writer.flush());
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        self.answers.try_recv().ok()
    }
}

/// All devices at one client of a broker, each at a topic of its own.
struct Messages {
    client: Client,
    topic: String,
    answers: Receiver<Vec<u8>>,
}

/// Messages that may wait to be published.
const WAITING_MAX: usize = 1 << 12;

impl Messages {
    fn at(broker: SocketAddr, topic: &str) -> Self {
        let name = format!("simulated-{}", std::process::id());
        let options = MqttOptions::new(name, broker.ip().to_string(), broker.port());
        let (client, mut connection) = Client::new(options, WAITING_MAX);
        let (sender, answers): (Sender<Vec<u8>>, _) = channel();
        let down = match topic.strip_suffix("/up") {
            Some(device) => format!("{device}/down"),
            None => topic.to_owned(),
        };
        let subscriber = client.clone();
        std::thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        let _ = subscriber.try_subscribe(&down, QoS::AtMostOnce);
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        if sender.send(publish.payload.to_vec()).is_err() {
                            return;
                        }
                    }
                    Ok(_) => {}
                    // It connects again.
                    Err(_) => std::thread::sleep(std::time::Duration::from_millis(200)),
                }
            }
        });
        Self { client, topic: topic.to_owned(), answers }
    }
}

impl Carrier for Messages {
    fn send(&mut self, device: usize, frame: &[u8]) {
        let topic = self.topic.replace('+', &device.to_string());
        let _ = self.client.try_publish(topic, QoS::AtLeastOnce, false, frame);
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        self.answers.try_recv().ok()
    }
}
