use serde::{Deserialize, Serialize};

/// Whether what a server accepts is what a policy wants (`--policy`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyView {
    /// Its short name.
    pub name: String,
    /// For people.
    pub title: String,
    /// The document, an address; absent for a file that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The date of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Whether its authority has taken it back.
    #[serde(default)]
    pub withdrawn: bool,
    /// `fail` if a rule fails, else `not-judged` if one is not judged.
    pub result: RuleResult,
    /// What it wants of what an inventory shows.
    pub rules: Vec<RuleView>,
    /// What it wants besides, which is never judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<String>,
}

/// One thing that a policy wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleView {
    /// Which one, kebab-case; an open set.
    pub rule: String,
    /// What it wants, in words.
    pub wants: String,
    /// Whether it is so.
    pub result: RuleResult,
    /// In words: what fails it or keeps it from being judged; of one that passes, what is to be known nevertheless.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
    /// What fails it, or keeps it from being judged: each value, with its version where it has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The attempts that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<u32>,
    /// SHA-256 of the certificates that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RuleResult {
    /// It is as the policy wants.
    Pass,
    /// What it takes to tell stayed untested, or the document leaves it to the case.
    NotJudged,
    /// It is not.
    Fail,
}
