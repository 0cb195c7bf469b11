//! The server that finishes handshakes with a certificate of the user.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::exit::Failure;

/// A server of TLS 1.2 and 1.3 with this certificate; none without one.
pub(super) fn config(certificate: Option<&Path>, key: Option<&Path>) -> Result<Option<Arc<ServerConfig>>, Failure> {
    let Some(path) = certificate else { return Ok(None) };
    let key_path = key.unwrap_or(path);
    let about = |option: &str, path: &Path, why: String| Failure::new(format!("{option} {}: {why}", path.display()));
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let chain = chain.map_err(|error| about("--certificate", path, error.to_string()))?;
    if chain.is_empty() {
        return Err(about("--certificate", path, "there is no certificate in it (PEM)".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key_path).map_err(|error| about("--key", key_path, error.to_string()))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = provider.key_provider.load_private_key(key).map_err(|error| about("--key", key_path, error.to_string()))?;
    let certified = CertifiedKey::new(chain, key);
    // What does not fit is refused here: no client could say why.
    certified.keys_match().map_err(|error| about("--key", key_path, format!("it is not the certificate's ({error})")))?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    Ok(Some(Arc::new(config)))
}
