use serde::{Deserialize, Serialize};
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::{ClientOutcome, Finding, Party, Tool};

/// What configurations mean for TLS: the settings in effect of every service, where each comes from, what is wrong with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigReport {
    /// `tlswhy-config`.
    pub format: String,
    /// `MAJOR.MINOR`.
    pub format_version: String,
    /// Who wrote it.
    pub tool: Tool,
    /// When, RFC 3339 UTC. Certificates are judged at this time.
    pub taken_at: String,
    /// Title of the client that servers are judged for.
    pub client: String,
    /// The configurations, in the order given.
    pub configurations: Vec<ConfigurationView>,
    /// What was given and could not be read as a configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadPath>,
}

/// A path that is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnreadPath {
    /// The path.
    pub path: String,
    /// Why.
    pub why: String,
}

/// One configuration with all that it includes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigurationView {
    /// Name of the dialect, such as `nginx`.
    pub dialect: String,
    /// Its main file.
    pub main: String,
    /// Every file that was read, the main file first.
    pub files: Vec<String>,
    /// The services, in the order of the files.
    pub services: Vec<ServiceView>,
    /// What could not be read, or what the program would refuse to start with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<PlacedNote>,
    /// Command that validates it.
    pub check: Vec<String>,
    /// Command that makes the running program read it.
    pub reload: Vec<String>,
}

/// One server name (or group of names) on its listeners; or a program that connects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceView {
    /// The server or the client.
    pub side: Party,
    /// What it is called.
    pub title: String,
    /// Its names as written; empty where it has none of its own.
    pub names: Vec<String>,
    /// `ADDRESS:PORT`, `*` for every address; behind the default for unknown names stands ` (default)`.
    pub listeners: Vec<String>,
    /// STARTTLS protocol before TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<String>,
    /// The program and its version, where known.
    pub program: String,
    /// The TLS library and its version, where known.
    pub library: String,
    /// The settings in effect.
    pub settings: Vec<SettingView>,
    /// What they come to.
    pub effective: EffectiveView,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How well-known clients fare, for a server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientOutcome>,
    /// What is worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<PlacedNote>,
}

/// A setting in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingView {
    /// What it governs: `versions`, `cipher-list`, `groups` …
    pub governs: String,
    /// The directive as the program names it.
    pub name: String,
    /// Its value as written.
    pub value: String,
    /// Where it comes from, in words: `/etc/nginx/nginx.conf:12`, `the default of nginx 1.22.1`.
    pub origin: String,
    /// Path of its file, where it stands in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What would say something else and has no effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadowed: Vec<ShadowedView>,
}

/// A line without effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShadowedView {
    /// The directive.
    pub name: String,
    /// Its value as written.
    pub value: String,
    /// Where it stands.
    pub origin: String,
    /// Why it has no effect.
    pub why: String,
    /// Whether whoever wrote it expects it to count here.
    pub meant_to_count: bool,
}

/// What the settings of a service come to; a missing key is what files cannot tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EffectiveView {
    /// Versions, newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>"))]
    pub versions: Option<Vec<ProtocolVersion>>,
    /// Suites up to TLS 1.2, in the order of preference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>"))]
    pub cipher_suites: Option<Vec<CipherSuite>>,
    /// Suites of TLS 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>"))]
    pub cipher_suites_13: Option<Vec<CipherSuite>>,
    /// Key-exchange groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>"))]
    pub groups: Option<Vec<NamedGroup>>,
    /// Signature schemes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>"))]
    pub signature_schemes: Option<Vec<SignatureScheme>>,
    /// OpenSSL's security level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_level: Option<u8>,
    /// What the settings allow and something else takes away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reductions: Vec<ReductionView>,
}

/// Something that a setting allows and something else takes away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReductionView {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// What takes it away.
    pub by: String,
}

/// A remark about a place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlacedNote {
    /// Path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The remark.
    pub says: String,
    /// The program would not start with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fatal: bool,
}
