//! Guidelines by name: the versions, suites and groups that an authority wants a server to have.

use std::sync::LazyLock;

use serde::Deserialize;
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion};

#[derive(Deserialize)]
struct File {
    policy: Vec<Policy>,
}

/// One guideline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its short name: `intermediate`, `old-5.8`.
    pub name: String,
    /// For people.
    pub title: String,
    /// The document, an address.
    pub source: String,
    /// Whether its authority still recommends it.
    pub current: bool,
    /// The versions that are on, lowest first.
    pub versions: Vec<ProtocolVersion>,
    /// The suites of TLS 1.3.
    pub cipher_suites_13: Vec<CipherSuite>,
    /// The suites up to TLS 1.2; empty where no such version is on.
    pub cipher_suites: Vec<CipherSuite>,
    /// The groups, the preferred one first.
    pub groups: Vec<NamedGroup>,
}

static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    // A test reads the table; what cannot be read is missing from it.
    toml::from_str::<File>(include_str!("policies.toml")).map(|file| file.policy).unwrap_or_default()
});

/// Every guideline known.
pub fn policies() -> &'static [Policy] {
    &POLICIES
}

/// The guideline of this name; `mozilla-` may stand before it.
pub fn policy(name: &str) -> Option<&'static Policy> {
    let short = name.strip_prefix("mozilla-").unwrap_or(name);
    POLICIES.iter().find(|policy| policy.name == short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole_and_no_guideline_contradicts_itself() {
        let rows: toml::Table = toml::from_str(include_str!("policies.toml")).unwrap();
        assert_eq!(policies().len(), rows["policy"].as_array().unwrap().len());
        for policy in policies() {
            assert!(policy.versions.is_sorted(), "{}", policy.name);
            assert_eq!(policy.cipher_suites.is_empty(), policy.versions == [ProtocolVersion::TLSV1_3], "{}", policy.name);
            for suite in &policy.cipher_suites {
                assert!(suite.details().is_some_and(|row| row.openssl_name.is_some()), "{}: {suite}", policy.name);
            }
        }
    }

    #[test]
    fn a_guideline_is_found_with_and_without_its_authority() {
        assert_eq!(policy("mozilla-modern"), policy("modern"));
        assert!(policy("modern").is_some_and(|policy| policy.current));
        assert!(policy("old").is_none(), "no current guideline is called so");
    }
}
