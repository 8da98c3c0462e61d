//! A request by hand, as no client would send it.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

/// Posts `body` to `address` with these lines of headers, and returns the whole answer.
///
/// # Panics
///
/// Where nobody listens, or hangs up before the head is sent.
#[must_use]
pub fn post(address: impl ToSocketAddrs, path: &str, headers: &str, body: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    // A body that is too long may be answered before it is whole.
    let _ = connection.write_all(body);
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
