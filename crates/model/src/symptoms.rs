use serde::{Deserialize, Serialize};

use crate::{Confidence, Party, Tool};

/// What a text of error messages says about a handshake: hints, for nothing was asked of anybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SymptomReport {
    /// `tlswhy-symptoms`.
    pub format: String,
    /// `MAJOR.MINOR`.
    pub format_version: String,
    /// Who wrote it.
    pub tool: Tool,
    /// What was read.
    pub input: TextInput,
    /// The peer that the text names, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<NamedPeer>,
    /// One sentence that could be said aloud.
    pub summary: String,
    /// The messages that were recognised, the most telling first; the same message many times is one.
    pub symptoms: Vec<Symptom>,
    /// The causes that fit all of it, the likeliest first.
    pub causes: Vec<SuspectedCause>,
    /// The one command to run next.
    pub next: NextStep,
}

/// The text that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TextInput {
    /// Its lines.
    pub lines: u64,
    /// Its length.
    pub bytes: u64,
    /// Lines that were too long and were read in pieces; a message that lies across a cut can be missed.
    pub cut_lines: u64,
}

/// A peer as a text names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamedPeer {
    /// Name or address.
    pub host: String,
    /// Port, where one stands beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// A message that was recognised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Symptom {
    /// What it means, kebab-case: `alert-40`, `issuer-unknown`; an open set.
    pub meaning: String,
    /// Whose words they are: `OpenSSL`, `Java`, `nginx`.
    pub from: String,
    /// Who formed the opinion.
    pub speaker: TextSpeaker,
    /// At which end the text was written, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_by: Option<Party>,
    /// The words themselves, cut after 300 characters.
    pub text: String,
    /// Line of the first one, from 1.
    pub first_line: u64,
    /// Line of the last one, from 1.
    pub last_line: u64,
    /// How many lines have it.
    pub count: u64,
    /// What it proves.
    pub proves: String,
    /// What it does not prove.
    pub leaves_open: String,
    /// Codes of causes that fit this message, the likeliest first.
    pub causes: Vec<String>,
}

/// Who formed the opinion that a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TextSpeaker {
    /// The program that wrote the message.
    ThisEnd,
    /// The other end: an alert was received.
    OtherEnd,
    /// The operating system or the network, not TLS.
    System,
    /// A proxy on the way.
    Proxy,
}

/// A cause that fits the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SuspectedCause {
    /// Its code.
    pub cause: String,
    /// Its family.
    pub family: String,
    /// `suspected`, or `observed` where the text itself shows the fact.
    pub confidence: Confidence,
    /// The cause in one sentence.
    pub title: String,
    /// Why it stands where it stands.
    pub because: Vec<String>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NextStep {
    /// A command; words in capitals are to be filled in.
    pub command: String,
    /// What it tells.
    pub why: String,
}
