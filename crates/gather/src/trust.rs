//! Trust anchors from files.

use std::env;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// The largest file that is read, in bytes; the usual bundles have a quarter of a megabyte.
const LARGEST_FILE: u64 = 32 * 1024 * 1024;

/// Where distributions keep their bundle, and OpenSSL its `cert.pem`.
const BUNDLES: [&str; 9] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/lib/ssl/cert.pem",
    "/etc/pki/tls/cert.pem",
    "/usr/local/etc/openssl/cert.pem",
    "/opt/homebrew/etc/openssl@3/cert.pem",
];
/// Where they keep the certificates one by one.
const DIRECTORIES: [&str; 3] = ["/etc/ssl/certs", "/usr/lib/ssl/certs", "/etc/pki/tls/certs"];

/// Certificates that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustCertificates {
    /// Where they come from.
    pub source: String,
    /// DER, each once, in the order in which they were found.
    pub certificates: Vec<Vec<u8>>,
}

/// Reads trust anchors from a PEM or DER file, or from every such file in a directory. No certificate at all is an error.
pub fn load_trust_store(path: &Path) -> io::Result<TrustCertificates> {
    let certificates = if path.is_dir() { read_directory(path)? } else { read_file(path)? };
    if certificates.is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidData, "there is no certificate in it"));
    }
    Ok(TrustCertificates { source: path.display().to_string(), certificates })
}

/// The system's trust anchors where OpenSSL finds them, and their place: `SSL_CERT_FILE` and `SSL_CERT_DIR` if they are set,
/// else the bundle or directory of the distribution.
pub fn system_trust_store() -> Option<(String, Vec<Vec<u8>>)> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let (file, directories) = (set("SSL_CERT_FILE"), set("SSL_CERT_DIR"));
    let mut named: Vec<PathBuf> = file.into_iter().map(PathBuf::from).collect();
    named.extend(directories.iter().flat_map(env::split_paths));
    if !named.is_empty() {
        let mut store = TrustCertificates::default();
        for found in named.iter().filter_map(|path| load_trust_store(path).ok()) {
            store.source = if store.source.is_empty() { found.source } else { format!("{}, {}", store.source, found.source) };
            found.certificates.into_iter().for_each(|certificate| add(&mut store.certificates, certificate));
        }
        return (!store.certificates.is_empty()).then_some((store.source, store.certificates));
    }
    let places = BUNDLES.iter().chain(&DIRECTORIES);
    let store = places.filter_map(|place| load_trust_store(Path::new(place)).ok()).next()?;
    Some((store.source, store.certificates))
}

fn read_directory(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut paths = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    let mut certificates = Vec::new();
    // Other files than certificates lie in such directories too.
    for found in paths.iter().filter(|path| path.is_file()).filter_map(|path| read_file(path).ok()) {
        found.into_iter().for_each(|certificate| add(&mut certificates, certificate));
    }
    Ok(certificates)
}

fn read_file(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let invalid = |why: &str| io::Error::new(ErrorKind::InvalidData, why);
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(invalid("it is too large for a list of certificates"));
    }
    if is_der_certificate(&bytes) {
        return Ok(vec![bytes]);
    }
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|_| invalid("its PEM is damaged"))?;
        add(&mut certificates, certificate.as_ref().to_vec());
    }
    Ok(certificates)
}

/// One DER sequence that begins with a sequence, as certificates do and key stores do not.
fn is_der_certificate(bytes: &[u8]) -> bool {
    let content = match bytes {
        [0x30, length @ ..=0x7f, content @ ..] if content.len() == usize::from(*length) => content,
        [0x30, 0x81, length, content @ ..] if content.len() == usize::from(*length) => content,
        [0x30, 0x82, high, low, content @ ..] if content.len() == usize::from(u16::from_be_bytes([*high, *low])) => content,
        _ => return false,
    };
    content.first() == Some(&0x30)
}

fn add(certificates: &mut Vec<Vec<u8>>, certificate: Vec<u8>) {
    if !certificates.contains(&certificate) {
        certificates.push(certificate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_empty_or_damaged_is_one_clear_error() {
        let directory = env::temp_dir().join(format!("tlswhy-trust-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let error = |name: &str| load_trust_store(&directory.join(name)).unwrap_err();
        assert_eq!(error("missing").kind(), ErrorKind::NotFound);
        fs::write(directory.join("empty"), b"").unwrap();
        assert_eq!(error("empty").to_string(), "there is no certificate in it");
        fs::write(directory.join("text"), b"hello\n").unwrap();
        assert_eq!(error("text").to_string(), "there is no certificate in it");
        let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        fs::write(directory.join("twice.pem"), pem.repeat(2)).unwrap();
        fs::write(directory.join("cut"), &pem[..40]).unwrap();
        assert_eq!(error("cut").to_string(), "its PEM is damaged");
        fs::write(directory.join("one.der"), [0x30, 2, 0x30, 0]).unwrap();
        fs::write(directory.join("two.der"), [0x30, 3, 0x30, 1, 0]).unwrap();
        let store = load_trust_store(&directory).unwrap();
        assert_eq!(store.certificates, [vec![0x30, 2, 0x30, 0], vec![0x30, 0], vec![0x30, 3, 0x30, 1, 0]]);
        fs::remove_dir_all(&directory).unwrap();
    }
}
