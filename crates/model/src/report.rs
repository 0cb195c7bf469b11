use serde::{Deserialize, Serialize};
use tlswhy_wire::{CipherSuite, ProtocolVersion};

use crate::{ChangesView, Evidence, Finding, PolicyView, ServerView, Subject};

/// What follows from the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// `tlswhy-report`.
    pub format: String,
    /// `MAJOR.MINOR`.
    pub format_version: String,
    /// Who wrote it.
    pub tool: Tool,
    /// What was examined.
    pub subject: Subject,
    /// When the evidence was taken, RFC 3339 UTC.
    pub taken_at: String,
    /// The answer in one word.
    pub outcome: Outcome,
    /// Code of the first blocking finding.
    pub root_cause: Option<String>,
    /// One sentence that could be said aloud.
    pub summary: String,
    /// What was found, in the order in which the client meets it.
    pub findings: Vec<Finding>,
    /// How well-known clients fare, by the model.
    pub clients: Vec<ClientOutcome>,
    /// Each address of the name, where all were examined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<AddressOutcome>,
    /// The way to each address where it was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathView>,
    /// The certificates, and what becomes of them in each trust store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<ChainView>,
    /// Everything that the server accepts, where that was asked (`--full`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerView>,
    /// Whether that is what policies want, each that was named (`--policy`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyView>,
    /// What changed since an earlier report of the same target (`--baseline`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangesView>,
    /// Worth knowing, and no fault for the judged client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// What could not be settled, and what would settle it.
    pub open_questions: Vec<OpenQuestion>,
    /// What it cost.
    pub cost: Cost,
    /// The evidence that the findings cite.
    pub evidence: Evidence,
}

/// The program that wrote a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tool {
    /// `tlswhy`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Default for Tool {
    fn default() -> Self {
        Tool { name: "tlswhy".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The judged client connects.
    Works,
    /// It works now and will stop soon, or not everywhere.
    AtRisk,
    /// It fails, or may fail, and the cause stayed open.
    Undetermined,
    /// The judged client cannot connect.
    Fails,
}

/// How one well-known client fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientOutcome {
    /// Name of the profile.
    pub name: String,
    /// Whether it connects.
    pub outcome: Outcome,
    /// Version it would agree on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub version: Option<ProtocolVersion>,
    /// Suite it would agree on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub cipher_suite: Option<CipherSuite>,
    /// Code of what stops it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// In words: why, or what is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// Whether its very hello was sent (`--replay`) instead of judged by the model.
    #[serde(default)]
    pub replayed: bool,
}

/// How one address of the name fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AddressOutcome {
    /// The address.
    pub address: String,
    /// Whether the judged client connects there.
    pub outcome: Outcome,
    /// Code of the first blocking finding there.
    pub root_cause: Option<String>,
    /// In words.
    pub says: String,
}

/// The way to an address, hop by hop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathView {
    /// The address.
    pub address: String,
    /// The hops, nearest first; the last is where TCP ends, if that was found.
    pub hops: Vec<HopView>,
    /// How many hops away TCP ends; absent where that was not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u8>,
    /// Where what was sent is stopped, where something stops it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StoppedView>,
    /// In words: what is known of the way.
    pub says: String,
}

/// One hop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HopView {
    /// How far away, from 1.
    pub hop: u8,
    /// The address with which it answers; absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How long its answer took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<f64>,
}

/// Where on the way something is stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoppedView {
    /// Not nearer than this hop; 0 is this machine.
    pub after: u8,
    /// Not farther than this hop.
    pub before: u8,
    /// What happens there.
    pub says: String,
}

/// Something worth knowing that is no fault for the judged client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Notice {
    /// What it is about, kebab-case; an open set.
    pub code: String,
    /// In words, one sentence or two.
    pub says: String,
}

/// Certificates as a server sent them (or a file holds them), and what becomes of them in each trust store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChainView {
    /// The certificates in the order in which they were sent, then those that a path takes from elsewhere.
    pub certificates: Vec<CertificateView>,
    /// What becomes of them, by trust store.
    pub stores: Vec<StoreView>,
}

/// One certificate for people and programs; text is printable and cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CertificateView {
    /// SHA-256 of its DER.
    pub sha256: String,
    /// Its place in what was sent, from 0; absent for one from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// Where it comes from, for one that was not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whom it is about.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Serial number, hex.
    pub serial: String,
    /// Start of validity, RFC 3339 UTC.
    pub not_before: String,
    /// End of validity, RFC 3339 UTC.
    pub not_after: String,
    /// Whole days left at the time of judging; negative once it has ended.
    pub days_left: i64,
    /// Its key, such as `RSA-2048`.
    pub key: String,
    /// What it is signed with.
    pub signature: String,
    /// Its names (subjectAltName), at most 100.
    #[serde(default)]
    pub names: Vec<String>,
    /// SHA-256 of its SubjectPublicKeyInfo: the pin, hex.
    pub spki_sha256: String,
    /// Whether it is a CA certificate.
    pub ca: bool,
    /// What is to be said of it: broken encoding, root sent along, sent twice, stranger …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// What becomes of the certificates in one trust store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoreView {
    /// Name of the store: `system`, `mozilla`, `java`, or that of a file.
    pub store: String,
    /// Where it was read.
    pub source: String,
    /// Whether a path to one of its anchors stands.
    pub trusted: bool,
    /// The path that a client with this store takes, or the one that comes furthest: SHA-256 of each certificate, end entity
    /// first.
    pub path: Vec<String>,
    /// In words: where it ends, or what is wrong with it.
    pub says: String,
}

/// Something that could not be settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenQuestion {
    /// The question.
    pub question: String,
    /// Codes that its answer would decide between.
    #[serde(default)]
    pub decides: Vec<String>,
    /// How to answer it: a command or an act.
    pub how: String,
}

/// What an examination cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// Connections made.
    pub connections: u32,
    /// Batches of connections that had to wait for the one before.
    pub rounds: u32,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// From the first question to the report.
    pub elapsed_ms: u64,
}
