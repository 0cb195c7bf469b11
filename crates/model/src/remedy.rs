use serde::{Deserialize, Serialize};
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion};

use crate::Party;

/// One way to mend a cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Remedy {
    /// Who must act.
    pub party: Party,
    /// Whether it lowers security.
    pub safety: Safety,
    /// One sentence: what to do.
    pub summary: String,
    /// How, step by step, in the words of the products concerned.
    pub steps: Vec<String>,
    /// Edits of files that can be read.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// Command that validates the configuration.
    #[serde(default)]
    pub check: Vec<String>,
    /// Command that makes the program read it.
    #[serde(default)]
    pub reload: Vec<String>,
    /// Why it works.
    pub why_it_works: String,
    /// What the model says will be agreed once it is done; absent where the model cannot know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicts: Option<Prediction>,
}

/// Whether a remedy lowers security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// Never lowers security.
    Safe,
    /// Only a person can do it.
    Manual,
    /// Works, and opens something; the summary says what.
    Weakens,
}

/// One edit of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Edit {
    /// Path as read.
    pub path: String,
    /// First byte replaced.
    pub start: u64,
    /// Byte after the last replaced.
    pub end: u64,
    /// What stands there afterwards.
    pub new: String,
    /// Unified diff.
    pub diff: String,
}

/// What the model says will be agreed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Prediction {
    /// The version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub version: Option<ProtocolVersion>,
    /// The suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub cipher_suite: Option<CipherSuite>,
    /// The key-exchange group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub group: Option<NamedGroup>,
}
