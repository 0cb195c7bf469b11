//! Trust anchors, where programs find them: files of the user's own, OpenSSL's place, Java's, p11-kit's.

mod java;
pub(crate) mod jks;
mod openssl;
mod p11_kit;
pub(crate) mod pkcs12;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

pub use java::java_trust_store;
pub use openssl::{openssl_trust_store, system_trust_store};
pub use p11_kit::p11_kit_trust_store;

use crate::certificates::{Form, form};
use crate::der::{self, CONTEXT_0, OBJECT_IDENTIFIER, SEQUENCE, elements, expect};
use crate::file::{self, invalid};
use crate::pem::{self, Block};

/// The passwords that key stores of certificates usually have.
pub(crate) const USUAL_PASSWORDS: [&str; 2] = ["changeit", ""];

/// Certificates that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustCertificates {
    /// Where they come from.
    pub source: String,
    /// DER, each once, in the order in which they were found.
    pub certificates: Vec<Vec<u8>>,
}

/// Reads trust anchors from a file (PEM, DER, a Java key store, PKCS#12 with the usual password), or from every such file in a
/// directory. No certificate at all is an error.
pub fn load_trust_store(path: &Path) -> io::Result<TrustCertificates> {
    let mut collection = Collection::default();
    if path.is_dir() {
        collection.add_directory(path, |_| true)?;
    } else {
        collection.add_all(read_file(path)?);
    }
    if collection.certificates.is_empty() {
        return Err(invalid("there is no certificate in it"));
    }
    Ok(TrustCertificates { source: path.display().to_string(), certificates: collection.certificates })
}

/// Certificates, each once.
#[derive(Default)]
struct Collection {
    certificates: Vec<Vec<u8>>,
    known: HashSet<Vec<u8>>,
}

impl Collection {
    fn add_all(&mut self, certificates: Vec<Vec<u8>>) {
        for certificate in certificates {
            if !self.known.contains(&certificate) {
                self.known.insert(certificate.clone());
                self.certificates.push(certificate);
            }
        }
    }

    /// Adds what the files of a directory hold whose names are wanted. Other files than certificates lie in such directories too.
    fn add_directory(&mut self, path: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<()> {
        let mut paths = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted) && path.is_file());
        paths.sort();
        paths.iter().filter_map(|path| read_file(path).ok()).for_each(|found| self.add_all(found));
        Ok(())
    }
}

/// The trusted certificates of one file.
fn read_file(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let bytes = file::read(path)?;
    match form(&bytes) {
        Form::JavaKeyStore => jks::certificates(&bytes),
        Form::Pkcs12 => {
            let found = pkcs12::certificates(&bytes, &USUAL_PASSWORDS)?;
            // Where some are marked as trusted, the others belong to keys.
            let marked = found.iter().any(|found| found.trusted);
            Ok(found.into_iter().filter(|found| found.trusted == marked).map(|found| found.der).collect())
        }
        Form::Certificate if der::whole(&bytes).is_some_and(|(_, rest)| rest.is_empty()) => Ok(vec![bytes]),
        Form::Text => read_pem(&bytes),
        Form::Certificate | Form::Key | Form::Pkcs7 => Ok(Vec::new()),
    }
}

/// The trusted certificates of a PEM file. OpenSSL takes all blocks or, where one is damaged, none; so does this.
fn read_pem(text: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let mut certificates = Vec::new();
    for Block { label, line, content, .. } in pem::blocks(text) {
        let is_settled = match label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => false,
            "TRUSTED CERTIFICATE" => true,
            _ => continue,
        };
        let content = content.map_err(|_| invalid(format!("its PEM is damaged (line {line})")))?;
        match is_settled {
            true => certificates.extend(trusted_for_servers(&content).map(<[u8]>::to_vec)),
            false => certificates.push(content),
        }
    }
    Ok(certificates)
}

/// Extended key usages: id-kp-serverAuth and anyExtendedKeyUsage (RFC 5280 §4.2.1.12).
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const ANY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0];

/// The certificate of a block `TRUSTED CERTIFICATE`, if the settings behind it (OpenSSL's X509_CERT_AUX: purposes trusted, and in
/// `[0]` purposes rejected) trust it to sign servers.
fn trusted_for_servers(block: &[u8]) -> Option<&[u8]> {
    let (certificate, settings) = der::whole(block)?;
    let Some((settings, _)) = expect(settings, SEQUENCE) else {
        return Some(certificate);
    };
    let has_servers = |purposes: &[u8]| {
        elements(purposes).any(|(tag, purpose)| tag == OBJECT_IDENTIFIER && [SERVER_AUTH, ANY_USAGE].contains(&purpose))
    };
    let list = |wanted| elements(settings).find(|(tag, _)| *tag == wanted).is_some_and(|(_, purposes)| has_servers(purposes));
    (list(SEQUENCE) && !list(CONTEXT_0)).then_some(certificate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_empty_or_damaged_is_one_clear_error() {
        let directory = std::env::temp_dir().join(format!("tlswhy-trust-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let error = |name: &str| load_trust_store(&directory.join(name)).unwrap_err();
        assert_eq!(error("missing").kind(), io::ErrorKind::NotFound);
        fs::write(directory.join("empty"), b"").unwrap();
        assert_eq!(error("empty").to_string(), "there is no certificate in it");
        fs::write(directory.join("text"), b"hello\n").unwrap();
        assert_eq!(error("text").to_string(), "there is no certificate in it");
        let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        fs::write(directory.join("twice.pem"), pem.repeat(2)).unwrap();
        fs::write(directory.join("cut"), &pem[..40]).unwrap();
        assert_eq!(error("cut").to_string(), "its PEM is damaged (line 1)");
        fs::write(directory.join("one.der"), [0x30, 2, 0x30, 0]).unwrap();
        fs::write(directory.join("two.der"), [0x30, 3, 0x30, 1, 0]).unwrap();
        let store = load_trust_store(&directory).unwrap();
        assert_eq!(store.certificates, [vec![0x30, 2, 0x30, 0], vec![0x30, 0], vec![0x30, 3, 0x30, 1, 0]]);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn settings_of_openssl_decide() {
        let certificate = [0x30, 2, 0x30, 0];
        let purposes = |tag, purpose: &[u8]| der::encode(tag, &der::encode(OBJECT_IDENTIFIER, purpose));
        let with = |settings: &[Vec<u8>]| [&certificate[..], &der::encode(SEQUENCE, &settings.concat())].concat();
        let is_trusted = |block: &[u8]| trusted_for_servers(block) == Some(&certificate[..]);
        assert!(is_trusted(&certificate));
        assert!(is_trusted(&with(&[purposes(SEQUENCE, SERVER_AUTH)])));
        assert!(is_trusted(&with(&[purposes(SEQUENCE, ANY_USAGE), purposes(CONTEXT_0, &[1])])));
        // As `openssl verify -purpose sslserver` has it, an alias alone is no trust.
        assert!(!is_trusted(&with(&[])));
        assert!(!is_trusted(&with(&[purposes(CONTEXT_0, SERVER_AUTH)])));
        assert!(!is_trusted(&with(&[purposes(SEQUENCE, SERVER_AUTH), purposes(CONTEXT_0, SERVER_AUTH)])));
    }
}
