//! Requests over TLS, to a real server on this machine: rustls, with certificates made for each test.

#![cfg(feature = "tls")]

extern crate automagik_telemetry_core as automagik_telemetry;

use automagik_telemetry_core::otlp::{Body, Error, Signal};
use automagik_telemetry_core::{FeatureUsed, Outcome, Sender};
use automagik_telemetry_derive::{Label, Schema};
use automagik_telemetry_embassy::{Authority, Http, Https, RECORD_LEN_MAX, Telemetry};
use automagik_telemetry_test_support::tls::{Issuer, authority, collector, collector_of, named};
use core::convert::Infallible;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use embassy_futures::block_on;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use embedded_nal_async::{AddrType, Dns, TcpConnect};
use rcgen::{CertifiedIssuer, KeyPair};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const AGAIN: Outcome = Outcome::Retry { after_seconds: None };

/// The network of this machine, where every name is this machine's.
struct Here;

struct Connection(TcpStream);

impl ErrorType for Connection {
    type Error = ErrorKind;
}

impl Read for Connection {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        self.0.read(buffer).map_err(|_| ErrorKind::Other)
    }
}

impl Write for Connection {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.0.write(bytes).map_err(|_| ErrorKind::Other)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        self.0.flush().map_err(|_| ErrorKind::Other)
    }
}

impl TcpConnect for Here {
    type Error = ErrorKind;
    type Connection<'a> = Connection;

    async fn connect(&self, remote: SocketAddr) -> Result<Connection, ErrorKind> {
        let stream = TcpStream::connect(remote).map_err(|_| ErrorKind::Other)?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(|_| ErrorKind::Other)?;
        Ok(Connection(stream))
    }
}

impl Dns for Here {
    type Error = Infallible;

    async fn get_host_by_name(&self, _: &str, _: AddrType) -> Result<IpAddr, Infallible> {
        Ok(Ipv4Addr::LOCALHOST.into())
    }

    async fn get_host_by_address(&self, _: IpAddr, _: &mut [u8]) -> Result<usize, Infallible> {
        Ok(0)
    }
}

/// A body of 4,000 bytes.
struct Letters(usize);

impl Body for Letters {
    fn len(&self) -> usize {
        4_000
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let len = self.0.min(buffer.len());
        buffer[..len].fill(b'a');
        self.0 -= len;
        Ok(len)
    }

    fn rewind(&mut self) {
        self.0 = 4_000;
    }
}

fn send(port: u16, host: &str, authority: &[u8]) -> Outcome {
    let (mut received, mut sent) = (vec![0; RECORD_LEN_MAX], vec![0; 1024]);
    let mut seed = 1_u8;
    // No secrets here, but numbers that differ.
    let random = move |bytes: &mut [u8]| {
        bytes.iter_mut().for_each(|byte| {
            seed = seed.wrapping_mul(5).wrapping_add(73);
            *byte = seed;
        });
    };
    let http = Http::new(&Here, &Here, host, port);
    let mut https = Https::new(http, Authority::from_der(authority), random, &mut received, &mut sent);
    block_on(https.send(Signal::Logs, &mut Letters(4_000)))
}

/// The outcome of a request to `localhost`, and what came of it, for a server with a certificate for `name` by `issuer`.
fn sent(name: &str, issuer: &Issuer, trusted: &[u8]) -> (Outcome, Vec<u8>) {
    let (sockets, requests) = collector_of(name, issuer);
    let outcome = send(sockets.port(), "localhost", trusted);
    (outcome, requests.all().concat())
}

#[test]
fn a_server_that_the_authority_vouches_for_gets_the_request() {
    let authority = authority();
    let (outcome, request) = sent("localhost", &authority, authority.der());
    assert_eq!(outcome, Outcome::Accepted);
    assert!(request.starts_with(b"POST /v1/logs HTTP/1.1\r\nHost: localhost:"));
    assert!(request.ends_with(&[b'a'; 4_000]));
}

#[test]
fn a_server_that_another_authority_vouches_for_gets_nothing() {
    assert_eq!(sent("localhost", &authority(), authority().der()), (AGAIN, Vec::new()));
}

#[test]
fn a_server_with_another_name_gets_nothing() {
    let authority = authority();
    assert_eq!(sent("elsewhere", &authority, authority.der()), (AGAIN, Vec::new()));
}

#[test]
fn who_has_a_certificate_can_not_make_one_for_another() {
    let authority = authority();
    // A certificate of the authority's for some other server, whose owner signs one for `localhost`.
    let owner = KeyPair::generate().unwrap();
    let theirs = CertifiedIssuer::signed_by(named("theirs"), owner, &authority).unwrap();
    let key = KeyPair::generate().unwrap();
    let forged = named("localhost").signed_by(&key, &theirs).unwrap();
    let (sockets, requests) = collector(vec![forged.der().clone(), theirs.der().clone()], &key);
    assert_eq!(send(sockets.port(), "localhost", authority.der()), AGAIN);
    assert!(requests.all().is_empty());
}

#[test]
fn a_certificate_that_is_none_vouches_for_nobody() {
    assert_eq!(sent("localhost", &authority(), b"no certificate"), (AGAIN, Vec::new()));
}

#[test]
fn a_server_whose_certificate_has_run_out_gets_nothing_from_a_device_that_knows_the_time() {
    #[derive(Label, Clone, Copy)]
    enum Feature {
        Pump,
    }

    #[derive(Schema)]
    #[schema(organization = "automagik", project = "pump")]
    enum Pump {
        Feature(FeatureUsed<Feature>),
    }

    static TELEMETRY: Telemetry<Pump, 256> = Telemetry::new();
    TELEMETRY.record(FeatureUsed { feature: Feature::Pump }); // off: nothing happens
    // 2026-11-25: all other tests' certificates are valid then.
    TELEMETRY.set_unix_time(1_795_000_000);
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let mut params = named("localhost");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2025, 1, 1);
    let certificate = params.signed_by(&key, &authority).unwrap();
    let (sockets, requests) = collector(vec![certificate.der().clone()], &key);
    assert_eq!(send(sockets.port(), "localhost", authority.der()), AGAIN);
    assert!(requests.all().is_empty());
}
