//! The trust anchors that p11-kit hands to GnuTLS, NSS and others: files in folders, some of which trust and some distrust.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Collection, TrustCertificates};
use crate::certificates::{Item, items};
use crate::file;
use crate::pem;

/// The places that distributions build p11-kit with: Red Hat and SUSE, Arch, and at last Debian, whose place is a single file.
/// Each group is one distribution's; the first that is there counts.
const PLACES: [&[&str]; 4] = [
    &["/etc/pki/ca-trust/source", "/usr/share/pki/ca-trust-source"],
    &["/etc/pki/trust", "/usr/share/pki/trust"],
    &["/etc/ca-certificates/trust-source", "/usr/share/ca-certificates/trust-source"],
    &["/etc/ssl/certs/ca-certificates.crt"],
];
/// Where the module says so if it is configured otherwise.
const MODULE: &str = "/usr/share/p11-kit/modules/p11-kit-trust.module";

/// The trust anchors of p11-kit's trust module, as far as they lie in simple files: certificates in PEM or DER, and `.p11-kit` files
/// whose objects hold PEM. A certificate that is distrusted anywhere is left out; distrust by name and serial number alone, and
/// purposes, are not heeded. `None` where nothing is found.
pub fn p11_kit_trust_store() -> Option<TrustCertificates> {
    let configured = fs::read_to_string(MODULE).ok().and_then(|module| configured_paths(&module));
    let usual = || PLACES.iter().map(|group| group.iter().map(PathBuf::from).collect::<Vec<_>>());
    let paths = configured.or_else(|| usual().find(|group| group.iter().any(|path| path.exists())))?;
    of(&paths)
}

/// `x-init-reserved: paths='/a:/b' …` in the module's configuration.
fn configured_paths(module: &str) -> Option<Vec<PathBuf>> {
    let value = module.lines().find_map(|line| line.trim().strip_prefix("x-init-reserved:"))?;
    let (_, value) = value.split_once("paths=")?;
    let value = match value.strip_prefix(['\'', '"']) {
        Some(quoted) => quoted.split(['\'', '"']).next()?,
        None => value.split_whitespace().next()?,
    };
    Some(value.split(':').filter(|path| !path.is_empty()).map(PathBuf::from).collect())
}

fn of(paths: &[PathBuf]) -> Option<TrustCertificates> {
    let (mut collection, mut distrusted, mut sources) = (Collection::default(), HashSet::new(), Vec::new());
    for path in paths.iter().filter(|path| path.exists()) {
        sources.push(path.display().to_string());
        if path.is_file() {
            collection.add_all(super::read_file(path).unwrap_or_default());
            continue;
        }
        // Plain certificates count by the folder, `.p11-kit` files by what they say.
        collection.add_directory(&path.join("anchors"), |name| !name.ends_with(".p11-kit")).ok();
        for folder in ["blocklist", "blacklist"] {
            distrusted.extend(files(&path.join(folder)).flat_map(|file| certificates(&file)));
        }
        for folder in [path.clone(), path.join("anchors")] {
            for file in files(&folder).filter(|file| file.extension().is_some_and(|extension| extension == "p11-kit")) {
                for object in file::read(&file).map(|text| objects(&text)).unwrap_or_default() {
                    match object {
                        (certificate, Trust::Trusted) => collection.add_all(vec![certificate]),
                        (certificate, Trust::Distrusted) => distrusted.extend([certificate]),
                        (_, Trust::Unsaid) => {}
                    }
                }
            }
        }
    }
    let mut certificates = collection.certificates;
    certificates.retain(|certificate| !distrusted.contains(certificate));
    (!certificates.is_empty()).then(|| TrustCertificates { source: sources.join(", "), certificates })
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files.into_iter()
}

fn certificates(path: &Path) -> Vec<Vec<u8>> {
    let items = file::read(path).and_then(|bytes| items(&bytes)).map(|(items, _)| items).unwrap_or_default();
    items.into_iter().filter_map(|item| if let Item::Certificate(der) = item { Some(der) } else { None }).collect()
}

/// What an object says of its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    Trusted,
    Distrusted,
    Unsaid,
}

/// The certificates of a `.p11-kit` file, object by object. Each begins with `[p11-kit-object-v1]`.
fn objects(text: &[u8]) -> Vec<(Vec<u8>, Trust)> {
    let text = String::from_utf8_lossy(text);
    let mut found = Vec::new();
    for object in text.split("[p11-kit-object-v1]") {
        let says = |wanted: &str| {
            let mut lines = object.lines().filter_map(|line| line.split_once(':'));
            lines.any(|(key, value)| key.trim() == wanted && value.trim() == "true")
        };
        let trust = match (says("x-distrusted"), says("trusted")) {
            (true, _) => Trust::Distrusted,
            (_, true) => Trust::Trusted,
            _ => Trust::Unsaid,
        };
        for block in pem::blocks(object.as_bytes()) {
            if let ("CERTIFICATE", Ok(certificate)) = (block.label.as_str(), block.content) {
                found.push((certificate, trust));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(base64: &str) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn folders_and_flags_decide_who_is_trusted() {
        let place = std::env::temp_dir().join(format!("tlswhy-p11-{}", std::process::id()));
        for folder in ["anchors", "blocklist"] {
            fs::create_dir_all(place.join(folder)).unwrap();
        }
        let bundle = format!(
            "# comment\n[p11-kit-object-v1]\nlabel: \"One\"\ntrusted: true\n{}\n[p11-kit-object-v1]\nx-distrusted: true\n{}\n\
             [p11-kit-object-v1]\nclass: certificate\n{}",
            pem("MAIwAA=="),
            pem("MAQwADAA"),
            pem("MAYwADAAMAA=")
        );
        fs::write(place.join("bundle.p11-kit"), bundle).unwrap();
        fs::write(place.join("anchors/a.pem"), [pem("MAA="), pem("MAQwADAA"), pem("MAMwATA=")].concat()).unwrap();
        fs::write(place.join("blocklist/b.pem"), pem("MAMwATA=")).unwrap();
        // Neither trusted nor distrusted.
        fs::write(place.join("plain.pem"), pem("MAUwAzAA")).unwrap();
        let store = of(&[place.join("missing"), place.clone()]).unwrap();
        assert_eq!(store.certificates, [vec![0x30, 0], vec![0x30, 2, 0x30, 0]]);
        assert_eq!(store.source, place.display().to_string());
        assert_eq!(of(&[place.join("missing")]), None);
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn the_module_may_name_its_places() {
        let module = "module: p11-kit-trust.so\nx-init-reserved: paths='/a:/b' x\n";
        assert_eq!(configured_paths(module), Some(vec![PathBuf::from("/a"), PathBuf::from("/b")]));
        assert_eq!(configured_paths("module: p11-kit-trust.so\ntrust-policy: yes\n"), None);
    }
}
