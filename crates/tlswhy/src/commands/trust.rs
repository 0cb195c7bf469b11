//! Certificates of the user and of this machine: whom to trust, what may stand in for a missing intermediate, who the client is.

use std::path::{Path, PathBuf};

use tlswhy_core::TrustStore;
use tlswhy_gather::{ClientIdentity, load_trust_store, local_pool};
use tlswhy_model::{Bytes, Identity, KnownCertificate};

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
        let pool = local_pool(path).map_err(|error| Failure::new(format!("--known {}: {error}", path.display())))?;
        known.extend(pool.into_iter().map(|(der, source)| KnownCertificate { certificate: Bytes(der), source }));
    }
    Ok(known)
}

/// The client certificate that the user gives with --cert and --key.
pub(super) fn client_identity(cert: Option<&Path>, key: Option<&Path>) -> Result<Option<ClientIdentity>, Failure> {
    let Some(cert) = cert else { return Ok(None) };
    let identity = ClientIdentity::load(cert, key).map_err(|error| Failure::new(format!("--cert: {error}")))?;
    Ok(Some(identity))
}

/// What evidence keeps of it: never the key.
pub(super) fn without_key(identity: &ClientIdentity) -> Identity {
    Identity {
        source: identity.source().to_owned(),
        certificates: identity.certificates().iter().cloned().map(Bytes).collect(),
        key_matches: identity.key_matches(),
    }
}
