//! Certificates of the user and of this machine: whom to trust, what may stand in for a missing intermediate, who the client is.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tlswhy_core::TrustStore;
use tlswhy_core::chain::Certificate;
use tlswhy_gather::{
    ClientIdentity, java_trust_store, key_pin, load_trust_store, local_pool, p11_kit_trust_store, read_certificates,
    system_trust_store,
};
use tlswhy_model::{Attempt, Bytes, ClientProfile, Evidence, Identity, KnownCertificate, Opening};

use super::{asking, diagnose};
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

/// The keys of which the server must have one, as the user names them with --expect: pins, certificates, or evidence saved elsewhere.
pub(super) fn expected_keys(named: &[String]) -> Result<Vec<[u8; 32]>, Failure> {
    let mut keys = Vec::new();
    for name in named {
        if let Some(pin) = key_pin(name) {
            keys.push(pin);
            continue;
        }
        let path = Path::new(name);
        let shown: Vec<Vec<u8>> = if is_json(path) {
            let evidence = diagnose::read(path)?;
            let named = evidence.iter().flat_map(|one| one.attempts.iter().filter(|attempt| is_for_its_name(one, attempt)));
            named.filter_map(|attempt| asking::presented(attempt)?.certificates.into_iter().next()).collect()
        } else {
            let file = read_certificates(path).map_err(|error| {
                Failure::new(format!("--expect {name}: {error}"))
                    .tip("64 hexadecimal digits, sha256//BASE64, a certificate, or evidence saved with --save-evidence")
            })?;
            file.certificates.into_iter().take(1).collect()
        };
        let known = keys.len();
        for der in shown {
            let key = Certificate::read(&der).spki_sha256;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        if keys.len() == known {
            return Err(Failure::new(format!("--expect {name}: there is no certificate in it that was not named already")));
        }
    }
    Ok(keys)
}

/// Whether a file begins as evidence does.
fn is_json(path: &Path) -> bool {
    let mut first = [0; 64];
    let read = File::open(path).and_then(|mut file| file.read(&mut first));
    read.is_ok_and(|length| first.get(..length).unwrap_or_default().trim_ascii_start().starts_with(b"{"))
}

/// Whether an attempt asked for the name that was examined: to other names others may answer.
fn is_for_its_name(evidence: &Evidence, attempt: &Attempt) -> bool {
    let Opening::Hello { hello } = &attempt.probe.opening else { return true };
    hello.server_name() == evidence.subject.server_name.as_deref()
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
