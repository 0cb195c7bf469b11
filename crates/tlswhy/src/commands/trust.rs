//! Certificates of the user and of this machine: whom to trust, what may stand in for a missing intermediate, who the client is.

use std::path::{Path, PathBuf};

use tlswhy_core::TrustStore;
use tlswhy_gather::{ClientIdentity, java_trust_store, load_trust_store, local_pool, p11_kit_trust_store, system_trust_store};
use tlswhy_model::{Bytes, ClientProfile, Identity, KnownCertificate};

use crate::exit::Failure;

/// Name of Java's trust store.
pub(super) const JAVA: &str = "java";

/// The trust anchors in a file or a directory that the user names with --ca.
pub(super) fn named_trust_store(path: &Path) -> Result<TrustStore, Failure> {
    let store = load_trust_store(path).map_err(|error| Failure::new(format!("--ca {}: {error}", path.display())))?;
    Ok(TrustStore { source: store.source, certificates: store.certificates })
}

/// The trust stores of this machine, by the names that client profiles use. Java's is looked for where a judged client has it.
pub(super) fn machine_stores(clients: &[ClientProfile]) -> Vec<(String, TrustStore)> {
    let mut stores = Vec::new();
    // Where there is no bundle, programs ask p11-kit.
    let shared = || p11_kit_trust_store().map(|store| (store.source, store.certificates));
    if let Some((source, certificates)) = system_trust_store().or_else(shared) {
        stores.push(("system".to_owned(), TrustStore { source, certificates }));
    }
    if clients.iter().any(|client| client.policy.trust_store.as_deref() == Some(JAVA))
        && let Some(java) = java_trust_store()
    {
        stores.push((JAVA.to_owned(), TrustStore { source: java.source, certificates: java.certificates }));
    }
    stores
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
