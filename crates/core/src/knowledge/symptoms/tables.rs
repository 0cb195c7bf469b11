//! The shapes of the tables.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Weights of causes, by code. Those of one meaning come to 100.
pub(super) type Weights = BTreeMap<String, u32>;

/// How much a message tells, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    /// Only that something failed; another message says what.
    Frame,
    /// A class of faults.
    Vague,
    /// A kind of ending with several causes.
    Telling,
    /// The very check that failed.
    Exact,
}

/// What a message can mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Meaning {
    /// Its name, kebab-case.
    pub id: String,
    /// How much it tells.
    pub rank: Rank,
    /// Which clues concern it.
    pub kind: String,
    /// What it proves, one sentence or two.
    pub proves: String,
    /// What it does not prove.
    pub open: String,
    /// The causes that fit where a client wrote it, or nobody knows who did.
    pub causes: Weights,
    /// The same where a server wrote it; empty where that makes no difference.
    #[serde(default)]
    pub at_server: Weights,
    /// Where this is from.
    pub source: String,
}

/// An alert (RFC 8446, section 6.2, and what it cites).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its number.
    pub number: u8,
    /// The words that libraries have for it, folded.
    pub words: Vec<String>,
    /// Its place in `Tables::meanings`.
    pub meaning: usize,
}

/// Who formed the opinion that a message tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// The program that wrote it.
    #[default]
    Here,
    /// The other end.
    Peer,
    /// The operating system or the network.
    System,
    /// A proxy.
    Proxy,
}

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The one that connects.
    Client,
    /// The one that is connected to.
    Server,
}

/// How a row is recognised in folded text: by words, or by a pattern.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// Any of these, standing as words of their own.
    pub words: Vec<String>,
    /// A regular expression, and literals of which each text that it matches contains one.
    pub pattern: Option<(String, Vec<String>)>,
    /// A text that the pattern matches.
    pub example: Option<String>,
}

/// Words of a library or program.
#[derive(Clone, Debug)]
pub struct Saying {
    /// Whose.
    pub from: String,
    /// How it is recognised. A pattern may have the group `alert`, then that alert is the meaning.
    pub matching: Matching,
    /// Its place in `Tables::meanings`; none where the alert says it.
    pub meaning: Option<usize>,
    /// Who formed the opinion.
    pub speaker: Speaker,
    /// Which end says so, where only one can.
    pub end: Option<End>,
    /// A cause of which the text shows the fact itself.
    pub shows: Option<String>,
    /// In a long log it counts only on a line that is about TLS.
    pub about_tls: bool,
}

/// How a library or program prints numbers.
#[derive(Clone, Debug)]
pub struct Code {
    /// Whose.
    pub from: String,
    /// A pattern with the group `code`.
    pub matching: Matching,
    /// Base of the digits.
    pub radix: u32,
    /// From this number on it is that of a received alert plus this.
    pub alerts_from: Option<u32>,
}

/// Something in a text that makes causes likelier.
#[derive(Clone, Debug)]
pub struct Clue {
    /// How it is recognised.
    pub matching: Matching,
    /// The kinds of meanings that it concerns.
    pub concerns: Vec<String>,
    /// Weight that it adds to causes.
    pub adds: Weights,
    /// A cause of which it shows the fact, together with a meaning that it concerns.
    pub shows: Option<String>,
    /// What it is, in words that follow "because".
    pub because: String,
}

/// Words that only one end writes.
#[derive(Clone, Debug)]
pub struct EndMark {
    /// How it is recognised.
    pub matching: Matching,
    /// Which end.
    pub end: End,
}

/// How a text names the peer.
#[derive(Clone, Debug)]
pub struct Peer {
    /// A pattern with the groups `host` and, where there is one, `port`.
    pub matching: Matching,
    /// Hosts that are only a reference to documentation.
    pub except: Vec<String>,
}

/// A command to run next.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Next {
    /// For these leading causes; empty for all.
    #[serde(default)]
    pub causes: Vec<String>,
    /// For a text of this end; all where none is named.
    pub end: Option<End>,
    /// The command; `{target}` stands for the peer.
    pub command: String,
    /// What it tells.
    pub why: String,
}

/// A port, beside the usual one, on which a protocol starts TLS when asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpgradePort {
    /// The port.
    pub port: u16,
    /// Short name of the protocol, as `--starttls` wants it.
    pub protocol: String,
    /// Where this is from.
    pub source: String,
}
