//! TLS of the server, from two files: the chain of certificates and the key, in PEM.

use super::settings::Settings;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What accepts connections with the files of `settings`; nothing where there are none.
///
/// # Errors
///
/// Which file is wrong, and what belongs there.
pub fn acceptor(settings: &Settings) -> Result<Option<TlsAcceptor>, String> {
    let (Some(certificates), Some(key)) = (&settings.tls_certificates, &settings.tls_key) else {
        return Ok(None);
    };
    let fails = |path: &Path, error: Error| format!("{}: is no such file of PEM ({error:?})", path.display());
    let chain = CertificateDer::pem_file_iter(certificates).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| fails(certificates, error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| fails(key, error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| format!("{} and {}: {error}", certificates.display(), key.display()))?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
