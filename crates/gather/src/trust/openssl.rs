//! The trust anchors of OpenSSL's own place. Its rules were seen on OpenSSL 3.0: `cert.pem` and the directory `certs` of its
//! OPENSSLDIR count together; `SSL_CERT_FILE` replaces the one and `SSL_CERT_DIR` the other, also where they are empty; the file
//! must be PEM; of the directory only files count that are named by the hash of a subject.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Collection, TrustCertificates, load_trust_store};

/// Where OpenSSL's OPENSSLDIR is, if it was not asked: Debian, Red Hat, then Alpine, Arch and SUSE, then Homebrew.
const DIRECTORIES: [&str; 5] =
    ["/usr/lib/ssl", "/etc/pki/tls", "/etc/ssl", "/opt/homebrew/etc/openssl@3", "/usr/local/etc/openssl@3"];
/// Where distributions keep a bundle that other programs are told of, for machines where OpenSSL itself finds nothing.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The system's trust anchors where OpenSSL finds them, and their place.
pub fn system_trust_store() -> Option<(String, Vec<Vec<u8>>)> {
    openssl_trust_store(None).map(|store| (store.source, store.certificates))
}

/// The trust anchors where this machine's OpenSSL finds them, `SSL_CERT_FILE` and `SSL_CERT_DIR` included. `version_text` is what
/// `openssl version -a` says of its directory; without it the usual places are tried. Where neither variable is set and that
/// place is empty, the distribution's bundle is taken.
pub fn openssl_trust_store(version_text: Option<&str>) -> Option<TrustCertificates> {
    let directory = version_text.and_then(openssl_directory);
    let mut usual = DIRECTORIES.iter().map(PathBuf::from);
    let directory = directory.or_else(|| usual.find(|place| place.join("cert.pem").exists() || place.join("certs").is_dir()));
    let (file, directories) = (env::var_os("SSL_CERT_FILE"), env::var_os("SSL_CERT_DIR"));
    let found = of(directory.as_deref(), file.as_deref(), directories.as_deref());
    if found.is_some() || file.is_some() || directories.is_some() {
        return found;
    }
    BUNDLES.iter().find_map(|place| load_trust_store(Path::new(place)).ok())
}

/// The value of `OPENSSLDIR: "/usr/lib/ssl"`.
fn openssl_directory(version_text: &str) -> Option<PathBuf> {
    let value = version_text.lines().find_map(|line| line.trim().strip_prefix("OPENSSLDIR:"))?;
    let value = value.trim().trim_matches('"');
    (!value.is_empty()).then(|| PathBuf::from(value))
}

fn of(directory: Option<&Path>, file: Option<&OsStr>, directories: Option<&OsStr>) -> Option<TrustCertificates> {
    let mut collection = Collection::default();
    let mut sources: Vec<String> = Vec::new();
    let file = file.map(PathBuf::from).or_else(|| Some(directory?.join("cert.pem")));
    if let Some(file) = file.filter(|file| file.is_file())
        && let Ok(certificates) = crate::file::read(&file).and_then(|bytes| super::read_pem(&bytes))
        && !certificates.is_empty()
    {
        collection.add_all(certificates);
        sources.push(file.display().to_string());
    }
    let directories: Vec<PathBuf> = match directories {
        Some(list) => env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => directory.map(|directory| directory.join("certs")).into_iter().collect(),
    };
    for directory in directories {
        let before = collection.certificates.len();
        let added = collection.add_directory(&directory, is_hash_name);
        if added.is_ok() && collection.certificates.len() > before {
            sources.push(directory.display().to_string());
        }
    }
    let certificates = collection.certificates;
    (!certificates.is_empty()).then(|| TrustCertificates { source: sources.join(", "), certificates })
}

/// `4042bcee.0`: the hash of a subject in eight digits and a running number, as `openssl rehash` names files.
fn is_hash_name(name: &str) -> bool {
    let Some((hash, number)) = name.split_once('.') else {
        return false;
    };
    hash.len() == 8
        && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const FIRST: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    const SECOND: &str = "-----BEGIN CERTIFICATE-----\nMAIwAA==\n-----END CERTIFICATE-----\n";

    #[test]
    fn file_and_directory_count_together_and_are_replaced_one_by_one() {
        let place = env::temp_dir().join(format!("tlswhy-openssl-{}", std::process::id()));
        fs::create_dir_all(place.join("certs")).unwrap();
        fs::create_dir_all(place.join("other")).unwrap();
        fs::write(place.join("cert.pem"), FIRST).unwrap();
        fs::write(place.join("certs/0123abcd.0"), FIRST).unwrap();
        fs::write(place.join("certs/0123abcd.1"), SECOND).unwrap();
        fs::write(place.join("other/named.pem"), SECOND).unwrap();
        let count = |file: Option<&str>, directory: Option<&str>| {
            let (file, directory) = (file.map(|name| place.join(name)), directory.map(|name| place.join(name)));
            let found = of(Some(&place), file.as_ref().map(|path| path.as_os_str()), directory.as_ref().map(|p| p.as_os_str()));
            found.map_or(0, |store| store.certificates.len())
        };
        assert_eq!(count(None, None), 2);
        assert_eq!(count(Some("missing"), None), 2);
        assert_eq!(count(None, Some("missing")), 1);
        // Without a name made of the hash, a file does not count.
        assert_eq!(count(Some("missing"), Some("other")), 0);
        assert_eq!(of(Some(&place), Some(OsStr::new("")), Some(OsStr::new(""))), None);
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn the_directory_is_read_from_what_openssl_says() {
        let text = "OpenSSL 3.0.19\nOPENSSLDIR: \"/usr/lib/ssl\"\nENGINESDIR: \"/x\"\n";
        assert_eq!(openssl_directory(text), Some(PathBuf::from("/usr/lib/ssl")));
        assert_eq!(openssl_directory("OPENSSLDIR: \"\""), None);
        assert!(is_hash_name("4042bcee.0") && is_hash_name("4042bcee.12"));
        for name in ["4042bcee", "4042bcee.", "4042bcee.r0", "4042BCEE.0", "4042bce.0", "é42bcee.0"] {
            assert!(!is_hash_name(name), "{name}");
        }
    }
}
