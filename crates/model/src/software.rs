use serde::{Deserialize, Serialize};
use tlswhy_wire::ProtocolVersion;

use crate::Tool;

/// The software of a machine that speaks TLS: programs, runtimes, and every copy of a TLS library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SoftwareReport {
    /// `tlswhy-software`.
    pub format: String,
    /// `MAJOR.MINOR`.
    pub format_version: String,
    /// Who wrote it.
    pub tool: Tool,
    /// When it was looked, RFC 3339 UTC; ends of life are judged at this time.
    pub taken_at: String,
    /// The machine's system, `debian 12`, where it says which it is.
    pub system: Option<String>,
    /// One sentence that could be said aloud.
    pub summary: String,
    /// What was found: libraries, then runtimes, servers, clients; each by product, version and path.
    pub software: Vec<FoundSoftware>,
    /// How far was looked.
    pub walk: Walk,
}

/// One piece of software, at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FoundSoftware {
    /// The product, as in [`crate::InstalledSoftware`]: `openssl`, `nginx`, `java` …
    pub product: String,
    /// What it is to TLS.
    pub role: SoftwareRole,
    /// Its version; `None` where nothing tells.
    pub version: Option<String>,
    /// What tells the version: `the file`, `package data`, `its name`, or the command that was run.
    pub version_from: String,
    /// Its file, or its directory (a Java runtime's).
    pub path: String,
    /// The package that the file belongs to, with its version, where the machine's package data tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The package is the distribution's own, by its maintainer, so that the distribution mends it; false where somebody else made
    /// it, or where that does not tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub package_of_system: bool,
    /// A library that is part of another program's file, and not one that programs load.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub built_in: bool,
    /// The TLS libraries that it loads or has built in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub libraries: Vec<UsedLibrary>,
    /// Of a library, the files that load it: the first 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
    /// Of a library, how many files load it.
    #[serde(default)]
    pub users: u64,
    /// Files that set what it does: a Java runtime's `java.security`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// What this version can do; `None` where the version or the product is not known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abilities: Option<Abilities>,
    /// Until when its makers mend it; `None` where that is not known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_of_life: Option<EndOfLife>,
}

/// What a piece of software is to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SoftwareRole {
    /// A TLS library.
    Library,
    /// What runs other programs: Python, Node, Java; and each program built with Go.
    Runtime,
    /// A server.
    Server,
    /// A client.
    Client,
}

/// A TLS library that a program uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsedLibrary {
    /// The product.
    pub product: String,
    /// Its version, where known.
    pub version: Option<String>,
    /// Its file; the program's own where it is built in; `None` where the file that would be loaded was not found or is not certain.
    pub path: Option<String>,
}

/// What a version can do in TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Abilities {
    /// Versions that it can speak; `None` where its library decides that.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>"))]
    pub versions: Option<Vec<ProtocolVersion>>,
    /// Versions that are on where nobody sets any; `None` where its library decides that.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>"))]
    pub by_default: Option<Vec<ProtocolVersion>>,
    /// What it cannot do and later ones of it can: each with the version that brought it.
    pub lacks: Vec<Lacking>,
    /// Particulars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where that is known from.
    pub source: String,
}

/// Something that a version lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lacking {
    /// A version, suite, group, signature scheme or extension, by its IANA name.
    pub what: String,
    /// The first version that has it.
    pub since: String,
}

/// Until when makers mend a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EndOfLife {
    /// The last day, `2026-09-07`.
    pub date: String,
    /// Whether that day is past.
    pub passed: bool,
    /// Whose day it is: `its makers`, or the distribution whose package it is.
    pub by: String,
    /// Where that is known from.
    pub source: String,
}

/// How far a search went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Walk {
    /// Names in directories that were seen.
    pub entries: u64,
    /// Files that were read.
    pub files: u64,
    /// Bytes of them that were searched for versions.
    pub searched_bytes: u64,
    /// How long it took.
    pub elapsed_ms: f64,
    /// What was left out, and why; empty where all was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}
