use serde::{Deserialize, Serialize};
use tlswhy_wire::{CipherSuite, ProtocolVersion};

use crate::{Evidence, Finding, Subject};

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
