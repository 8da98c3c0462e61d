//! A collector that misbehaves below HTTP: what it does with a connection is up to the test.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A listener on loopback that hands every connection to a function, on a thread of its own. It ends when it is dropped.
pub struct Sockets {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    done: Arc<(Mutex<usize>, Condvar)>,
    connections: Arc<AtomicUsize>,
    listener: Option<JoinHandle<()>>,
}

impl Sockets {
    /// One that calls `behave(n, connection)` for the n-th connection, counted from 0.
    ///
    /// # Panics
    ///
    /// Where there is no loopback.
    #[must_use]
    pub fn start(behave: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
        let address = socket.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new((Mutex::new(0), Condvar::new()));
        let (behave, stopped, count) = (Arc::new(behave), Arc::clone(&stop), Arc::clone(&done));
        let connections = Arc::new(AtomicUsize::new(0));
        let number = Arc::clone(&connections);
        let listener = std::thread::spawn(move || {
            for connection in socket.incoming() {
                let Ok(mut connection) = connection else { continue };
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let n = number.fetch_add(1, Ordering::SeqCst);
                let (behave, count) = (Arc::clone(&behave), Arc::clone(&count));
                std::thread::spawn(move || {
                    behave(n, &mut connection);
                    *count.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                    count.1.notify_all();
                });
            }
        });
        Self { address, stop, done, connections, listener: Some(listener) }
    }

    /// The collector's base, `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until somebody has connected, or `patience` is at its end; says whether somebody has.
    pub fn wait_for_connection(&self, patience: Duration) -> bool {
        let until = std::time::Instant::now() + patience;
        while self.connections.load(Ordering::SeqCst) == 0 {
            if std::time::Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits until `count` connections are done with, or `patience` is at its end; says whether they are.
    #[must_use]
    pub fn wait(&self, patience: Duration, count: usize) -> bool {
        let guard = self.done.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.done.1.wait_timeout_while(guard, patience, |done| *done < count);
        *waited.unwrap_or_else(PoisonError::into_inner).0 >= count
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

/// Reads one request, head and body, and gives its bytes; what there is of it where it is cut.
pub fn read_request(connection: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            let body: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            let start = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
            if bytes.len() >= start + body {
                return bytes;
            }
        }
        match connection.read(&mut piece) {
            Ok(0) | Err(_) => return bytes,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// Writes `bytes`, as far as the other side takes them; says whether it took all.
pub fn write(connection: &mut impl Write, bytes: &[u8]) -> bool {
    connection.write_all(bytes).is_ok()
}

/// Lets the connection end with a reset when it is dropped.
pub fn reset(connection: &TcpStream) {
    let _ = socket2::SockRef::from(connection).set_linger(Some(Duration::ZERO));
}
