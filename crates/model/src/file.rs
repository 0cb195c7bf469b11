use serde::{Deserialize, Serialize};

use crate::Bytes;

/// Most bytes of all files that evidence keeps.
pub const MOST_FILE_BYTES: usize = 64 << 20;

/// What lay at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeenFile {
    /// The path as it was asked for: absolute, as the configured program would say it.
    pub path: String,
    /// Where it lies on the machine that looked, links resolved, where that is another path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_path: Option<String>,
    /// What lay there.
    pub content: FileContent,
}

/// What lay at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FileContent {
    /// A file.
    Bytes {
        /// Its bytes; private keys and passwords in it are replaced by as many `*`, so that offsets hold.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        bytes: Bytes,
        /// SHA-256 of the file as it lay there, nothing replaced.
        sha256: String,
        /// For each private key, in order: the SHA-256 of its public half (SubjectPublicKeyInfo, DER); empty where it could not be
        /// had (a passphrase).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        public_keys: Vec<String>,
    },
    /// A directory.
    Directory {
        /// The names in it, sorted by their bytes.
        entries: Vec<String>,
    },
    /// Nothing.
    Missing,
    /// Something that could not be read.
    Unreadable {
        /// Why.
        error: String,
    },
}

impl FileContent {
    /// Of a file that is not read for the many that were.
    pub fn beyond_the_bound() -> FileContent {
        FileContent::Unreadable { error: format!("{} MiB of files were read before it", MOST_FILE_BYTES >> 20) }
    }
}

/// An installed product, as far as the machine's package data or the product itself tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstalledSoftware {
    /// The product: `nginx`, `openssl`, `apache`, `java` …; `system` for the distribution itself.
    pub product: String,
    /// Its version as written there; `None` where it is not installed, or nothing tells.
    pub version: Option<String>,
    /// Where that comes from: the path of the package data, a command, the user.
    pub source: String,
    /// The libraries that the program itself says that it runs with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub libraries: Vec<LinkedLibrary>,
}

/// A library that a program runs with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkedLibrary {
    /// Its name: `openssl`.
    pub name: String,
    /// Its version as the program writes it.
    pub version: String,
}

/// A configuration that was to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GivenConfiguration {
    /// Whose: the server's or the client's.
    pub party: Option<crate::Party>,
    /// The path; absolute.
    pub path: String,
}
