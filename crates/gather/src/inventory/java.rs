//! Java runtimes, by the files around their virtual machine.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// How far above its virtual machine a runtime's directory lies at most: `jre/lib/amd64/server/libjvm.so`.
const HIGHEST: usize = 5;
/// The most that is read of the file that tells the release, in bytes.
const LARGEST: u64 = 64 << 10;
/// Where the security properties lie, from the runtime's directory.
const PROPERTIES: &[&str] = &["conf/security/java.security", "lib/security/java.security", "jre/lib/security/java.security"];

/// A Java runtime.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Java {
    /// Its directory.
    pub(super) home: PathBuf,
    /// What its file `release` tells.
    pub(super) version: Option<String>,
    /// Its security properties.
    pub(super) properties: Vec<PathBuf>,
}

/// The runtime that a virtual machine (`libjvm.so`) belongs to.
pub(super) fn java(libjvm: &Path) -> Option<Java> {
    let homes = || libjvm.ancestors().skip(1).take(HIGHEST);
    let told = homes().find_map(|home| Some((home, release(&home.join("release"))?)));
    let (home, version) = match told {
        Some((home, version)) => (home, Some(version)),
        None => (homes().find(|home| PROPERTIES.iter().any(|place| home.join(place).is_file()))?, None),
    };
    let properties = PROPERTIES.iter().map(|place| home.join(place)).filter(|path| path.is_file()).collect();
    Some(Java { home: home.to_owned(), version, properties })
}

/// `17.0.15` of the line `JAVA_VERSION="17.0.15"`.
fn release(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(LARGEST).read_to_string(&mut text).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    Some(line.trim().trim_matches('"').to_owned()).filter(|version| !version.is_empty())
}
