//! Certificates of the user and of this machine: whom to trust, what may stand in for a missing intermediate, who the client is.

use std::path::{Path, PathBuf};

use tlswhy_core::TrustStore;
use tlswhy_gather::load_trust_store;
use tlswhy_model::{Bytes, KnownCertificate};

use crate::exit::Failure;

/// The trust anchors in a file or a directory that the user names with --ca.
pub(super) fn named_trust_store(path: &Path) -> Result<TrustStore, Failure> {
    let store = load_trust_store(path).map_err(|error| Failure::new(format!("--ca {}: {error}", path.display())))?;
    Ok(TrustStore { source: store.source, certificates: store.certificates })
}

/// The intermediates in the files and directories that the user names with --known.
pub(super) fn known_certificates(paths: &[PathBuf]) -> Result<Vec<KnownCertificate>, Failure> {
    let mut known = Vec::new();
    for path in paths {
        let pool = load_trust_store(path).map_err(|error| Failure::new(format!("--known {}: {error}", path.display())))?;
        let named = |der| KnownCertificate { certificate: Bytes(der), source: pool.source.clone() };
        known.extend(pool.certificates.into_iter().map(named));
    }
    Ok(known)
}
