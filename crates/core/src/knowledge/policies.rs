//! Policies by name: what an authority wants a server to accept, to refuse and to show.

use std::sync::LazyLock;

use serde::Deserialize;
use tlswhy_model::OrderView;
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

#[derive(Deserialize)]
struct File {
    policy: Vec<Policy>,
}

/// One policy. It says nothing of what is empty or absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its short name: `intermediate`, `old-5.8`.
    pub name: String,
    /// For people.
    pub title: String,
    /// The document, an address.
    #[serde(default)]
    pub source: String,
    /// The date of the document: `2026-04-06`, `2026-01`.
    #[serde(default)]
    pub date: String,
    /// Whether its authority has taken it back.
    #[serde(default)]
    pub withdrawn: bool,
    /// Whether a configuration can be brought to it: versions, suites and groups are all that there are to be.
    #[serde(default)]
    pub aim: bool,
    /// The versions that may be on, lowest first.
    #[serde(default)]
    pub versions: Vec<ProtocolVersion>,
    /// The versions that must be on.
    #[serde(default)]
    pub versions_required: Vec<ProtocolVersion>,
    /// The suites of TLS 1.3 that may be on.
    #[serde(default)]
    pub cipher_suites_13: Vec<CipherSuite>,
    /// The suites up to TLS 1.2 that may be on.
    #[serde(default)]
    pub cipher_suites: Vec<CipherSuite>,
    /// What no suite may suffer from: codes of weaknesses.
    #[serde(default)]
    pub weaknesses_forbidden: Vec<String>,
    /// The groups that may be on, the preferred one first.
    #[serde(default)]
    pub groups: Vec<NamedGroup>,
    /// Groups of which at least one must be on.
    #[serde(default)]
    pub groups_one_of: Vec<NamedGroup>,
    /// The signature schemes of the handshake that may be on.
    #[serde(default)]
    pub signature_schemes: Vec<SignatureScheme>,
    /// The keys that certificates may have, as reports name them; `RSA` stands for every size of it.
    #[serde(default)]
    pub certificate_keys: Vec<String>,
    /// The least size of an RSA key, bits.
    #[serde(default)]
    pub rsa_bits: Option<u32>,
    /// What certificates may be signed with, as reports name it.
    #[serde(default)]
    pub certificate_signatures: Vec<String>,
    /// The least size of a finite-field prime up to TLS 1.2, bits.
    #[serde(default)]
    pub dh_bits: Option<u32>,
    /// By whose order suites are to be chosen.
    #[serde(default)]
    pub suite_order: Option<OrderView>,
    /// Names (of versions, suites, groups, signatures) that the document leaves to the case, or on which it could not be consulted.
    #[serde(default)]
    pub undecided: Vec<String>,
    /// Names that are allowed for now and shall go.
    #[serde(default)]
    pub phase_out: Vec<String>,
    /// What it wants besides, and no inventory shows.
    #[serde(default)]
    pub beyond: Vec<String>,
}

static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    // A test reads the table; what cannot be read is missing from it.
    toml::from_str::<File>(include_str!("policies.toml")).map(|file| file.policy).unwrap_or_default()
});

/// Every policy known.
pub fn policies() -> &'static [Policy] {
    &POLICIES
}

/// The policy of this name; `mozilla-` may stand before it.
pub fn policy(name: &str) -> Option<&'static Policy> {
    let short = name.strip_prefix("mozilla-").unwrap_or(name);
    POLICIES.iter().find(|policy| policy.name == short)
}

/// The policies that a configuration can be brought to.
pub fn aims() -> impl Iterator<Item = &'static Policy> {
    POLICIES.iter().filter(|policy| policy.aim)
}

/// Reads a policy of the user's own: the keys of one row of the table.
pub(crate) fn policy_from_toml(text: &str) -> Result<Policy, String> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        format!("{place}{}", error.message())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole_and_no_policy_contradicts_itself() {
        toml::from_str::<File>(include_str!("policies.toml")).unwrap_or_else(|error| panic!("{error}"));
        assert!(!policies().is_empty());
        assert!(policies().iter().all(|policy| policy.versions.is_sorted()));
        for policy in aims() {
            assert_eq!(policy.cipher_suites.is_empty(), policy.versions == [ProtocolVersion::TLSV1_3], "{}", policy.name);
            for suite in &policy.cipher_suites {
                assert!(suite.details().is_some_and(|row| row.openssl_name.is_some()), "{}: {suite}", policy.name);
            }
        }
    }

    #[test]
    fn a_policy_is_found_with_and_without_its_authority() {
        assert_eq!(policy("mozilla-modern"), policy("modern"));
        assert!(policy("modern").is_some_and(|policy| !policy.withdrawn));
        assert!(policy("old").is_none(), "no current policy is called so");
    }
}
