//! Certificates and keys in files: PEM with any number of blocks, DER, PKCS#7 and key stores that need no password.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::der::{self, CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, SET, element, elements, expect};
use crate::file::{self, invalid};
use crate::key::PrivateKey;
use crate::pem::{self, Block};
use crate::trust::{USUAL_PASSWORDS, jks, pkcs12};

/// The most keys of one file whose public half is computed.
const MOST_KEYS: usize = 100;
/// The most blocks of one file that are reported as damaged.
const MOST_DAMAGED: usize = 100;
/// The most files of a directory that are read.
const MOST_FILES: usize = 10_000;

/// What a file of certificates holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFile {
    /// Where it comes from: a path, or `standard input`.
    pub source: String,
    /// What the certificate blocks hold, in their order: DER, if the file is right.
    pub certificates: Vec<Vec<u8>>,
    /// How many private keys it holds.
    pub keys: usize,
    /// How many of those are encrypted, so that nothing is known of them.
    pub encrypted_keys: usize,
    /// SubjectPublicKeyInfo (DER) of its private and public keys, in their order, as far as it is known.
    pub public_halves: Vec<Vec<u8>>,
    /// What could not be read.
    pub damaged: Vec<DamagedBlock>,
}

/// A block of a PEM file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedBlock {
    /// The line where it begins, from 1.
    pub line: usize,
    /// Its label, safe to show.
    pub label: String,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for DamagedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: the block {} is damaged: {}", self.line, self.label, self.what)
    }
}

/// Reads certificates, and what there is of keys, from a file or from standard input (`-`). It is an error if nothing of either
/// can be read; blocks that are damaged beside good ones are listed.
pub fn read_certificates(path: &Path) -> io::Result<CertificateFile> {
    let source = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let (items, damaged) = items(&file::read_or_input(path)?)?;
    if items.is_empty() {
        let damage = damaged.first().map(ToString::to_string);
        return Err(invalid(damage.unwrap_or_else(|| "there is neither a certificate nor a key in it".to_owned())));
    }
    let mut content = CertificateFile { source, damaged, ..CertificateFile::default() };
    for item in items {
        content.keys += usize::from(matches!(item, Item::Key(_) | Item::EncryptedKey | Item::OtherKey));
        match item {
            Item::Certificate(der) => content.certificates.push(der),
            Item::Key(key) => content.public_halves.push(key.public_half().to_vec()),
            Item::PublicKey(info) => content.public_halves.push(info),
            Item::EncryptedKey => content.encrypted_keys += 1,
            Item::OtherKey => {}
        }
    }
    Ok(content)
}

/// The public half (SubjectPublicKeyInfo in DER) of the first key in a file. Of a private key nothing else is taken.
pub fn public_half(path: &Path) -> io::Result<Vec<u8>> {
    let (items, damaged) = items(&file::read_or_input(path)?)?;
    let key = items.into_iter().find(|item| !matches!(item, Item::Certificate(_)));
    match key {
        Some(Item::PublicKey(info)) => Ok(info),
        other => Ok(private_key(other, &damaged, path)?.public_half().to_vec()),
    }
}

/// The certificates of a file, or of every file in a directory, each once and with the path where it was found: intermediates
/// that the user has at hand. No certificate at all is an error.
pub fn local_pool(path: &Path) -> io::Result<Vec<(Vec<u8>, String)>> {
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        let entries = fs::read_dir(path)?.take(MOST_FILES).map(|entry| entry.map(|entry| entry.path()));
        paths = entries.collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| path.is_file());
        paths.sort();
    }
    let (mut pool, mut seen) = (Vec::new(), HashSet::new());
    for path in &paths {
        let content = match file::read(path).and_then(|bytes| items(&bytes)) {
            Ok((items, _)) => items,
            // Other files than certificates lie in such directories too.
            Err(_) if paths.len() > 1 => continue,
            Err(error) => return Err(error),
        };
        for item in content {
            if let Item::Certificate(der) = item
                && seen.insert(der.clone())
            {
                pool.push((der, path.display().to_string()));
            }
        }
    }
    if pool.is_empty() { Err(invalid("there is no certificate in it")) } else { Ok(pool) }
}

/// One thing in a file.
pub(crate) enum Item {
    Certificate(Vec<u8>),
    Key(PrivateKey),
    EncryptedKey,
    /// A private key that cannot be read.
    OtherKey,
    /// SubjectPublicKeyInfo.
    PublicKey(Vec<u8>),
}

/// What a file holds, whatever its form, in its order.
pub(crate) fn items(bytes: &[u8]) -> io::Result<(Vec<Item>, Vec<DamagedBlock>)> {
    let certificates = |found: Vec<Vec<u8>>| Ok((found.into_iter().map(Item::Certificate).collect(), Vec::new()));
    match form(bytes) {
        Form::JavaKeyStore => certificates(jks::certificates(bytes)?),
        Form::Pkcs12 => {
            certificates(pkcs12::certificates(bytes, &USUAL_PASSWORDS)?.into_iter().map(|found| found.der).collect())
        }
        Form::Pkcs7 => certificates(pkcs7(bytes).ok_or_else(|| invalid("its PKCS#7 holds no certificates"))?),
        Form::Certificate => certificates(vec![bytes.to_vec()]),
        Form::Key => Ok((vec![PrivateKey::from_der(bytes).map_or(Item::OtherKey, Item::Key)], Vec::new())),
        Form::Text => {
            let (mut items, mut damaged, mut keys) = (Vec::new(), Vec::new(), 0);
            for block in pem::blocks(bytes) {
                let (line, label) = (block.line, block.label.clone());
                match of_block(block, &mut keys) {
                    Ok(found) => items.extend(found),
                    Err(what) if damaged.len() < MOST_DAMAGED => damaged.push(DamagedBlock { line, label, what }),
                    Err(_) => {}
                }
            }
            Ok((items, damaged))
        }
    }
}

fn of_block(block: Block, keys: &mut usize) -> Result<Vec<Item>, &'static str> {
    let Block { label, encrypted, content, .. } = block;
    Ok(match label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" => vec![Item::Certificate(content?)],
        "TRUSTED CERTIFICATE" => {
            let content = content?;
            // OpenSSL's trust settings follow the certificate.
            let (certificate, _) = der::whole(&content).ok_or("its DER is damaged")?;
            vec![Item::Certificate(certificate.to_vec())]
        }
        "PKCS7" | "CMS" => {
            pkcs7(&content?).ok_or("its PKCS#7 holds no certificates")?.into_iter().map(Item::Certificate).collect()
        }
        "PUBLIC KEY" => vec![Item::PublicKey(content?)],
        label if label.ends_with("PRIVATE KEY") => {
            *keys += 1;
            vec![match content? {
                _ if encrypted || label.starts_with("ENCRYPTED") => Item::EncryptedKey,
                _ if *keys > MOST_KEYS => Item::OtherKey,
                der => PrivateKey::from_der(&der).map_or(Item::OtherKey, Item::Key),
            }]
        }
        _ => Vec::new(),
    })
}

/// The key that was found first, or why there is none to use.
pub(crate) fn private_key(found: Option<Item>, damaged: &[DamagedBlock], path: &Path) -> io::Result<PrivateKey> {
    match found {
        Some(Item::Key(key)) => Ok(key),
        Some(Item::EncryptedKey) => {
            let path = path.display();
            Err(invalid(format!("its key is encrypted; `openssl pkey -in {path} -out plain.key` writes it unencrypted")))
        }
        Some(_) => Err(invalid("its key is of a kind that cannot be used, or damaged")),
        None => Err(invalid(damaged.first().map_or_else(|| "there is no private key in it".to_owned(), ToString::to_string))),
    }
}

/// The forms that are told apart by their first bytes.
pub(crate) enum Form {
    JavaKeyStore,
    Pkcs12,
    Pkcs7,
    Certificate,
    Key,
    Text,
}

/// The form of a file.
pub(crate) fn form(bytes: &[u8]) -> Form {
    if jks::is_one(bytes) {
        return Form::JavaKeyStore;
    }
    let Some((SEQUENCE, content, _)) = element(bytes) else {
        return Form::Text;
    };
    match element(content) {
        Some((SEQUENCE, _, _)) => Form::Certificate,
        Some((OBJECT_IDENTIFIER, _, _)) => Form::Pkcs7,
        Some((INTEGER, [3], _)) => Form::Pkcs12,
        Some((INTEGER, _, _)) => Form::Key,
        _ => Form::Text,
    }
}

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];

/// The certificates of a SignedData (RFC 5652 §5.1), whose signatures matter to nobody here.
fn pkcs7(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (content, _) = expect(bytes, SEQUENCE)?;
    let (SIGNED_DATA, rest) = expect(content, OBJECT_IDENTIFIER)? else {
        return None;
    };
    let (content, _) = expect(expect(rest, CONTEXT_0)?.0, SEQUENCE)?;
    // version, digestAlgorithms, encapContentInfo.
    let (_, rest) = expect(content, INTEGER)?;
    let (_, rest) = expect(rest, SET)?;
    let (_, rest) = expect(rest, SEQUENCE)?;
    let (certificates, _) = expect(rest, CONTEXT_0)?;
    let found = elements(certificates).filter(|(tag, _)| *tag == SEQUENCE).map(|(tag, content)| der::encode(tag, content));
    let found: Vec<_> = found.collect();
    (!found.is_empty()).then_some(found)
}
