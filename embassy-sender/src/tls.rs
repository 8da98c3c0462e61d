//! Feature `tls`: the same requests over TLS 1.3, by `embedded-tls`.

use crate::clock;
use crate::http::{AGAIN, Http, TIMEOUT};
use automagik_telemetry_core::otlp::{Body, Signal};
use automagik_telemetry_core::{Outcome, Sender};
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use embassy_time::with_timeout;
use embedded_nal_async::{Dns, TcpConnect};
use embedded_tls::pki::CertVerifier;
use embedded_tls::{
    Aes128GcmSha256, Certificate, CertificateRef, CertificateVerifyRef, CryptoProvider, CryptoRng,
    CryptoRngCore, TlsCipherSuite, TlsClock, TlsConfig, TlsConnection, TlsContext, TlsError, TlsVerifier,
};
use rand_core::{Error, RngCore};

/// Bytes of a buffer that holds any record a server may send (RFC 8446, section 5.2, and its head).
pub const RECORD_LEN_MAX: usize = 16_640;

/// Longest certificate that is taken, in bytes. Those on P-256 have 400 to 1,200.
const CERTIFICATE_LEN_MAX: usize = 1_280;

type Cipher = Aes128GcmSha256;

/// Who vouches for the collector: a certificate in DER, on P-256.
#[derive(Clone, Copy, Debug)]
pub struct Authority<'a>(&'a [u8]);

impl<'a> Authority<'a> {
    /// The one with this certificate; a wrong one vouches for nobody, and nothing is sent.
    #[must_use]
    pub const fn from_der(certificate: &'a [u8]) -> Self {
        Self(certificate)
    }
}

/// Posts requests to `https://<host>:<port><path>/v1/logs` and `/v1/metrics`. A redirect is a refusal.
///
/// What is verified, and what is not:
///
/// | | |
/// |---|---|
/// | the server has the key of its certificate | yes: ECDSA on P-256 |
/// | that certificate is signed by the [`Authority`] | yes, **directly**: what else the server sends of a chain is not looked at |
/// | it is for the host | yes: its names, `*` for one label included; an IP address is no name |
/// | it is valid today | where the device knows the time ([`Telemetry::set_unix_time`](crate::Telemetry::set_unix_time)); before that, not |
/// | it was revoked | no |
/// | RSA, Ed25519, P-384, TLS 1.2 | not spoken: the connection fails, and nothing is sent |
///
/// Verifying takes stack: 29 KB are too little, 43 KB were just enough. The server's certificate has 1,280 bytes at most.
///
/// So give the certificate that *issues* the server's: of your own authority, or the intermediate one of a public authority that
/// signs with ECDSA. Everybody whom that authority certifies for your host's name can read what is sent; nobody else can.
///
/// ```
/// use automagik_telemetry_embassy::{Authority, Http, Https, RECORD_LEN_MAX};
/// # fn sender<T: embedded_nal_async::TcpConnect, D: embedded_nal_async::Dns>(tcp: &T, dns: &D, fill: impl FnMut(&mut [u8]), der: &[u8]) {
/// let (mut received, mut sent) = ([0; RECORD_LEN_MAX], [0; 1024]); // statics, on a device
/// let http = Http::new(tcp, dns, "collector.example.org", 4318);
/// let sender = Https::new(http, Authority::from_der(der), fill, &mut received, &mut sent);
/// # }
/// ```
pub struct Https<'a, T, D, R> {
    http: Http<'a, T, D>,
    authority: Authority<'a>,
    random: R,
    received: &'a mut [u8],
    sent: &'a mut [u8],
}

impl<'a, T: TcpConnect, D: Dns, R: FnMut(&mut [u8])> Https<'a, T, D, R> {
    /// What `http` would send, encrypted for a server that `authority` vouches for.
    ///
    /// `random` fills a slice with random bytes, from a generator fit for keys. `received` holds a whole record of the server:
    /// [`RECORD_LEN_MAX`] is always enough; 4 KiB are where you know that your server sends small ones. `sent` takes a record of
    /// ours, 64 bytes more than what it can carry: 1 KiB will do.
    #[must_use]
    pub const fn new(
        http: Http<'a, T, D>,
        authority: Authority<'a>,
        random: R,
        received: &'a mut [u8],
        sent: &'a mut [u8],
    ) -> Self {
        Self { http, authority, random, received, sent }
    }

    async fn post(&mut self, signal: Signal, body: &mut dyn Body) -> Option<Outcome> {
        let place = self.http.place;
        let connection = self.http.connect().await?;
        let mut connection = TlsConnection::<_, Cipher>::new(connection, self.received, self.sent);
        let config = TlsConfig::new().with_server_name(place.host);
        let verifier = Verifier(CertVerifier::new(Certificate::X509(self.authority.0)));
        let provider = Provider { random: Random(&mut self.random), verifier };
        connection.open(TlsContext::new(&config, provider)).await.ok()?;
        place.post(&mut connection, signal, body).await
    }
}

impl<T: TcpConnect, D: Dns, R: FnMut(&mut [u8])> Sender for Https<'_, T, D, R> {
    async fn send(&mut self, signal: Signal, body: &mut dyn Body) -> Outcome {
        body.rewind();
        let mut posted = pin!(self.post(signal, body));
        let apart = poll_fn(|context| poll_apart(posted.as_mut(), context));
        with_timeout(TIMEOUT, apart).await.ok().flatten().unwrap_or(AGAIN)
    }
}

/// Polls `future` in a frame of its own, of 2 KB. In the task's, the compiler may move parts of it through the stack: 13 KB then.
#[inline(never)]
fn poll_apart<F: Future>(future: Pin<&mut F>, context: &mut Context<'_>) -> Poll<F::Output> {
    future.poll(context)
}

impl<T, D, R> core::fmt::Debug for Https<'_, T, D, R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Https").field("place", &self.http.place).finish_non_exhaustive()
    }
}

/// The device's clock, where it knows the time.
struct Clock;

impl TlsClock for Clock {
    fn now() -> Option<u64> {
        clock::unix_seconds()
    }
}

/// Looks at the server's own certificate alone: `embedded-tls` follows a chain without asking whether each member may sign
/// others, so anybody with a certificate could make one for any name.
struct Verifier<'a>(CertVerifier<'a, Cipher, Clock, CERTIFICATE_LEN_MAX>);

impl TlsVerifier<Cipher> for Verifier<'_> {
    fn set_hostname_verification(&mut self, host: &str) -> Result<(), TlsError> {
        self.0.set_hostname_verification(host)
    }

    fn verify_certificate(
        &mut self,
        transcript: &<Cipher as TlsCipherSuite>::Hash,
        mut certificate: CertificateRef<'_>,
    ) -> Result<(), TlsError> {
        certificate.entries.truncate(1);
        self.0.verify_certificate(transcript, certificate)
    }

    fn verify_signature(&mut self, verify: CertificateVerifyRef<'_>) -> Result<(), TlsError> {
        self.0.verify_signature(verify)
    }
}

struct Provider<'a, R> {
    random: Random<R>,
    verifier: Verifier<'a>,
}

impl<R: FnMut(&mut [u8])> CryptoProvider for Provider<'_, R> {
    type CipherSuite = Cipher;
    type Signature = [u8; 0];

    fn rng(&mut self) -> impl CryptoRngCore {
        &mut self.random
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Cipher>, TlsError> {
        Ok(&mut self.verifier)
    }
}

/// The caller's generator.
struct Random<R>(R);

impl<R: FnMut(&mut [u8])> RngCore for Random<R> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        (self.0)(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        (self.0)(bytes);
        Ok(())
    }
}

impl<R: FnMut(&mut [u8])> CryptoRng for Random<R> {}
