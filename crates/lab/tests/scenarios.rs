//! What `tlswhy` says of every server of the lab, and the proof that the servers are as they are described.

use std::collections::BTreeSet;

use tlswhy_lab::runner::{failures, find_binary, prove_all, run_all};
use tlswhy_lab::{Lab, SCENARIOS, Scenario};

/// Runs the scenarios of these groups and complains of all that went wrong at once.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn check(groups: &[&str]) {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let scenarios = of_groups(groups);
    assert!(!scenarios.is_empty());
    let wrong = failures(&run_all(&lab, &binary, &scenarios));
    assert!(wrong.is_empty(), "{wrong}");
}

fn of_groups(groups: &[&str]) -> Vec<&'static Scenario> {
    SCENARIOS.iter().copied().filter(|scenario| groups.contains(&scenario.group)).collect()
}

#[test]
fn versions() {
    check(&VERSIONS);
}

#[test]
fn intolerance() {
    check(&INTOLERANCE);
}

#[test]
fn ciphers_groups_signatures() {
    check(&CIPHERS);
}

#[test]
fn refusals() {
    check(&REFUSALS);
}

#[test]
fn certificates() {
    check(&CERTIFICATES);
}

#[test]
fn not_tls_or_not_yet() {
    check(&UPGRADES);
}

#[test]
fn unreachable() {
    check(&REACH);
}

#[test]
fn nothing_is_asserted_without_proof() {
    check(&["undetermined"]);
}

#[test]
fn layered_faults_in_order() {
    check(&["layered"]);
}

#[test]
fn healthy_servers_have_no_blocking_finding() {
    check(&["healthy"]);
}

#[test]
fn configurations_beside_the_handshake() {
    check(&CONFIGURATIONS);
}

/// `openssl s_client` fails as described, and works once the fault is taken away.
#[test]
fn servers_are_as_described() {
    let lab = Lab::new().unwrap();
    let wrong = failures(&prove_all(&lab, &SCENARIOS));
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_scenario_is_run_once() {
    let ids: BTreeSet<&str> = SCENARIOS.iter().map(|scenario| scenario.id).collect();
    assert_eq!(ids.len(), SCENARIOS.len(), "two scenarios have the same id");
    let lists: [&[&str]; 8] = [&VERSIONS, &INTOLERANCE, &CIPHERS, &REFUSALS, &CERTIFICATES, &UPGRADES, &REACH, &CONFIGURATIONS];
    let run: BTreeSet<&str> = lists.into_iter().flatten().copied().chain(["undetermined", "layered", "healthy"]).collect();
    for scenario in SCENARIOS.iter() {
        assert!(run.contains(scenario.group), "{} is in no test", scenario.id);
    }
}

const VERSIONS: [&str; 5] = [
    "server-version-outdated",
    "client-version-outdated",
    "version-ranges-disjoint",
    "server-software-outdated",
    "client-software-outdated",
];
const CONFIGURATIONS: [&str; 2] = ["config-shadowed", "client-policy-restricts"];
const INTOLERANCE: [&str; 2] = ["server-version-intolerant", "server-size-intolerant"];
const CIPHERS: [&str; 5] =
    ["no-shared-cipher", "cipher-certificate-mismatch", "no-shared-group", "no-shared-signature-algorithm", "weak-dh-params"];
const REFUSALS: [&str; 4] = ["legacy-renegotiation", "sni-unrecognized", "alpn-mismatch", "client-certificate-required"];
const CERTIFICATES: [&str; 10] = [
    "chain-incomplete",
    "chain-misordered",
    "certificate-expired",
    "certificate-not-yet-valid",
    "hostname-mismatch",
    "untrusted-root",
    "weak-key-or-digest",
    "certificate-unsuitable",
    "certificate-revoked",
    "certificate-key-mismatch",
];
const UPGRADES: [&str; 2] = ["not-tls", "starttls-required"];
const REACH: [&str; 3] = ["port-closed", "connect-timeout", "dns-failure"];
