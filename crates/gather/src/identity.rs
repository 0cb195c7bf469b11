//! The certificate and key that are shown to a server which asks for them.

use std::fmt;
use std::io;
use std::path::Path;

use tlswhy_wire::{ProtocolVersion, SignatureScheme};

use crate::certificates::{Item, items, private_key};
use crate::der;
use crate::file::{self, invalid};
use crate::key::PrivateKey;

/// The most that is sent as a chain, in bytes; OpenSSL's servers read a tenth of it.
const LARGEST_CHAIN: usize = 1 << 20;

/// A client certificate with its chain, and the private key to it. The key is used in memory to sign CertificateVerify; nothing
/// shows it, and evidence never holds it.
pub struct ClientIdentity {
    source: String,
    certificates: Vec<Vec<u8>>,
    key: PrivateKey,
}

impl ClientIdentity {
    /// Reads a certificate with its chain (PEM or DER), and the key (PKCS#8, PKCS#1 or SEC1, not encrypted) from its own file or,
    /// where none is named, from the same one. The error says which file it is about.
    pub fn load(certificate: &Path, key: Option<&Path>) -> io::Result<ClientIdentity> {
        let about = |path: &Path| {
            let path = path.display().to_string();
            move |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"))
        };
        let key_path = key.unwrap_or(certificate);
        let (found, damaged) = read(certificate).map_err(about(certificate))?;
        let (certificates, keys): (Vec<_>, Vec<_>) = found.into_iter().partition(|item| matches!(item, Item::Certificate(_)));
        let certificates = certificates.into_iter().filter_map(|item| match item {
            Item::Certificate(der) => Some(der),
            _ => None,
        });
        let certificates: Vec<_> = certificates.collect();
        if certificates.is_empty() {
            let damage = damaged.first().map_or_else(|| "there is no certificate in it".to_owned(), ToString::to_string);
            return Err(about(certificate)(invalid(damage)));
        }
        if certificates.iter().map(Vec::len).sum::<usize>() > LARGEST_CHAIN {
            return Err(about(certificate)(invalid("its certificates are too many to be shown to a server")));
        }
        let (keys, damaged) = match key {
            Some(path) => read(path).map_err(about(path))?,
            None => (keys, damaged),
        };
        let private = keys.into_iter().find(|item| !matches!(item, Item::Certificate(_) | Item::PublicKey(_)));
        let key = private_key(private, &damaged, key_path).map_err(about(key_path))?;
        Ok(ClientIdentity { source: certificate.display().to_string(), certificates, key })
    }

    /// Where the certificate comes from: a path.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The certificates in DER, as they are in the file; the first is the client's own.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// Whether the key belongs to the first certificate.
    pub fn key_matches(&self) -> bool {
        let certified = self.certificates.first().and_then(|der| der::public_key(der::public_key_info(der)?));
        certified
            .is_some_and(|(_, certified)| der::public_key(self.key.public_half()).is_some_and(|(_, ours)| ours == certified))
    }

    /// A signature with the first scheme that suits version and key.
    pub(crate) fn sign(
        &self,
        version: ProtocolVersion,
        schemes: &[SignatureScheme],
        message: &[u8],
    ) -> Option<(SignatureScheme, Vec<u8>)> {
        self.key.sign(version, schemes, message)
    }

    /// A signature of TLS 1.0 and 1.1.
    pub(crate) fn sign_without_scheme(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.key.sign_without_scheme(message)
    }
}

/// Shows no key.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ClientIdentity");
        shown.field("source", &self.source).field("certificates", &self.certificates.len()).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> io::Result<(Vec<Item>, Vec<crate::certificates::DamagedBlock>)> {
    let bytes = file::read(path)?;
    if matches!(crate::certificates::form(&bytes), crate::certificates::Form::Pkcs12) {
        let path = path.display();
        return Err(invalid(format!("it is PKCS#12; `openssl pkcs12 -in {path} -nodes -out both.pem` writes it as PEM")));
    }
    items(&bytes)
}
