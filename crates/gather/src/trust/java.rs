//! The trust anchors of Java, where its virtual machine finds them.

use std::collections::HashSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::{TrustCertificates, jks, pkcs12};
use crate::certificates::{Form, form};
use crate::file;

/// Where Debian and Red Hat keep the file that their Java packages link to.
const SYSTEM: [&str; 2] = ["/etc/ssl/certs/java/cacerts", "/etc/pki/java/cacerts"];
/// Variables that hold options: the virtual machine's own, and that of the `java` command.
const OPTIONS: [&str; 2] = ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"];

/// The trust anchors of this machine's Java: the store that `javax.net.ssl.trustStore` names in `JAVA_TOOL_OPTIONS`, else
/// `jssecacerts` or `cacerts` of the Java that `JAVA_HOME` names or the search path finds, else the distribution's. `None` where
/// there is no Java, or its store cannot be read.
pub fn java_trust_store() -> Option<TrustCertificates> {
    let options = OPTIONS.iter().filter_map(|name| env::var(name).ok()).collect::<Vec<_>>().join(" ");
    let password = property(&options, "javax.net.ssl.trustStorePassword");
    match property(&options, "javax.net.ssl.trustStore") {
        Some(path) if path == "NONE" => return Some(TrustCertificates { source: path, certificates: Vec::new() }),
        // Where it names no file, Java takes the usual one.
        Some(path) if Path::new(&path).is_file() => return read(Path::new(&path), password.as_deref()),
        _ => {}
    }
    let homes = env::var_os("JAVA_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let homes = homes.into_iter().chain(env::var_os("PATH").and_then(|path| home_on(&path)));
    // Java 8 has its runtime in a folder of its own.
    let security = homes.flat_map(|home| [home.join("lib/security"), home.join("jre/lib/security")]);
    let stores = security.flat_map(|place| [place.join("jssecacerts"), place.join("cacerts")]);
    let found = stores.chain(SYSTEM.map(PathBuf::from)).find(|path| path.is_file())?;
    read(&found, password.as_deref())
}

/// The home of the first `java` on a search path: links lead to its place.
fn home_on(path: &OsStr) -> Option<PathBuf> {
    let name = format!("java{}", env::consts::EXE_SUFFIX);
    let java = env::split_paths(path).map(|directory| directory.join(&name)).find(|java| java.is_file())?;
    Some(fs::canonicalize(java).ok()?.parent()?.parent()?.to_owned())
}

/// Reads a store as Java 17 was seen to: without a password, what is encrypted in PKCS#12 is not there; and there only what is
/// marked as trusted counts.
fn read(path: &Path, password: Option<&str>) -> Option<TrustCertificates> {
    let bytes = file::read(path).ok()?;
    let mut certificates: Vec<Vec<u8>> = match form(&bytes) {
        Form::JavaKeyStore => jks::certificates(&bytes).ok()?,
        Form::Pkcs12 => {
            let found = match password {
                Some(password) => pkcs12::certificates(&bytes, &[password]).ok()?,
                None => pkcs12::unencrypted_certificates(&bytes).ok()?,
            };
            found.into_iter().filter(|found| found.trusted).map(|found| found.der).collect()
        }
        _ => return None,
    };
    // One that stands under two aliases is one anchor.
    let mut known = HashSet::new();
    certificates.retain(|der| known.insert(der.clone()));
    Some(TrustCertificates { source: path.display().to_string(), certificates })
}

/// The value of `-Dname=value` among options; the last one counts. White space parts them, quotes hold them together.
fn property(options: &str, name: &str) -> Option<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in options.chars().chain([' ']) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.push(c),
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            None => word.push(c),
        }
    }
    let value = |word: &String| Some(word.strip_prefix("-D")?.strip_prefix(name)?.strip_prefix('=')?.to_owned());
    words.iter().rev().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_property_counts_and_quotes_hold_it_together() {
        let options = "-Xmx1g -Dx=1 '-Dx=a b' -Dxy=3 -Dz=\"c d\"";
        assert_eq!(property(options, "x").as_deref(), Some("a b"));
        assert_eq!(property(options, "z").as_deref(), Some("c d"));
        assert_eq!(property(options, "y"), None);
    }
}
