use serde::{Deserialize, Serialize};

/// What is different from an earlier report of the same target (`--baseline`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangesView {
    /// When the evidence of the earlier report was taken, RFC 3339 UTC.
    pub since: String,
    /// Each difference, the outcome first.
    pub changes: Vec<Change>,
    /// What could not be compared, and why: one of the reports does not hold it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<String>,
}

/// One difference. Text of the other side is as it stands in the reports: printable and cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// What kind of thing it is, kebab-case; an open set.
    pub about: String,
    /// Which one: a code, an IANA name, a fingerprint; absent where there is but one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version of the protocol for which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the earlier report says of it; absent where it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What this report says of it; absent where it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
