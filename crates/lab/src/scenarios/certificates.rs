//! Certificates: chains, times, names, trust, strength, revocation, and those of clients.

use crate::scenario::{BROKEN, HEALTHY, Scenario, Seen};

mod chains;
mod identities;
mod names;
mod revocation;
mod strength;
mod times;
mod together;
mod trust;

pub(super) const CHAINS: &[Scenario] = chains::SCENARIOS;
pub(super) const IDENTITIES: &[Scenario] = identities::SCENARIOS;
pub(super) const NAMES: &[Scenario] = names::SCENARIOS;
pub(super) const REVOCATION: &[Scenario] = revocation::SCENARIOS;
pub(super) const STRENGTH: &[Scenario] = strength::SCENARIOS;
pub(super) const TIMES: &[Scenario] = times::SCENARIOS;
pub(super) const TOGETHER: &[Scenario] = together::SCENARIOS;
pub(super) const TRUST: &[Scenario] = trust::SCENARIOS;

/// s_client as a client that ends the handshake at the first fault, and looks at the name.
const STRICT: &str = "-verify_return_error -verify_hostname good.example.test";

/// The server is as it should be for the judged client.
const FINE: Scenario = Scenario {
    forbidden: &["chain-incomplete", "untrusted-root"],
    seen: Seen { like: STRICT, says: "", works_with: None },
    ..HEALTHY
};

/// Fails, and what is missing is not to be told from what there is.
const OPEN: Scenario = Scenario {
    group: "undetermined",
    outcomes: &["undetermined", "fails"],
    causes: &[],
    or_causes: &[&["untrusted-root"]],
    forbidden: &["chain-incomplete"],
    ..BROKEN
};
