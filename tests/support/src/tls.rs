//! Certificates made for a test, and a collector behind TLS 1.3 that has them.

use crate::sockets::{Sockets, read_request, write};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, Mutex, PoisonError};

/// Somebody who signs certificates, on P-256.
pub type Issuer = CertifiedIssuer<'static, KeyPair>;

/// An authority of a new key.
///
/// # Panics
///
/// Where there are no random numbers.
#[must_use]
pub fn authority() -> Issuer {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// What a certificate for the host `name` says.
///
/// # Panics
///
/// Where that is no name.
#[must_use]
pub fn named(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).expect("a name")
}

/// What a collector was sent, request by request, head and body.
#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<Mutex<Vec<Vec<u8>>>>);

impl Requests {
    /// Those so far.
    #[must_use]
    pub fn all(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A collector with these certificates, its own first, that answers 200 to everything.
///
/// # Panics
///
/// Where `key` is not that of the first certificate.
#[must_use]
pub fn collector(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> (Sockets, Requests) {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key in DER");
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("the certificate's key");
    serve(config)
}

/// A collector behind TLS as `config` says, that answers 200 to everything.
///
/// # Panics
///
/// Where there is no loopback.
#[must_use]
pub fn serve(config: rustls::ServerConfig) -> (Sockets, Requests) {
    let (config, requests) = (Arc::new(config), Requests::default());
    let kept = requests.clone();
    let sockets = Sockets::start(move |_, connection| {
        let session = rustls::ServerConnection::new(Arc::clone(&config)).expect("a session");
        let mut stream = rustls::StreamOwned::new(session, connection);
        let request = read_request(&mut stream);
        if !request.is_empty() {
            kept.0.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            write(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    });
    (sockets, requests)
}

/// A collector whose certificate for the host `name` is by `issuer`.
///
/// # Panics
///
/// Where there are no random numbers.
#[must_use]
pub fn collector_of(name: &str, issuer: &Issuer) -> (Sockets, Requests) {
    let key = KeyPair::generate().expect("a key");
    let certificate = named(name).signed_by(&key, issuer).expect("a certificate");
    collector(vec![certificate.der().clone()], &key)
}
