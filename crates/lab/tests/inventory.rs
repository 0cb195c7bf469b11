//! What `check --full` says that a server accepts, compared with what the server's own library says of its configuration.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{check, inventory, started};
use tlswhy_lab::{Lab, Server, fake};
use tlswhy_model::{Acceptance, OrderView, PolicyView, Report, RuleResult, RuleView, ServerView, VersionView};
use tlswhy_wire::{CipherSuite, ProtocolVersion};

fn at(view: &ServerView, version: ProtocolVersion) -> &VersionView {
    view.versions.iter().find(|found| found.version == version).expect("every version is told")
}

fn suites(view: &ServerView, version: ProtocolVersion) -> Vec<String> {
    at(view, version).cipher_suites.accepted.iter().map(|suite| suite.name.clone()).collect()
}

fn groups(view: &ServerView, version: ProtocolVersion) -> Vec<&str> {
    at(view, version).groups.accepted.iter().map(|group| group.name.as_str()).collect()
}

fn accepted(view: &ServerView) -> Vec<ProtocolVersion> {
    let taken = view.versions.iter().filter(|found| found.acceptance == Acceptance::Accepted);
    taken.map(|found| found.version).collect()
}

fn as_set(names: &[String]) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

/// The suites of an OpenSSL list at one version, as `openssl ciphers -s -v` has them; those with other keys than the server has, and
/// those that need a secret shared before, are left out.
fn openssl_suites(program: &Path, version: &str, list: &str, keys: &[&str]) -> Vec<String> {
    let output =
        Command::new(program).args(["ciphers", "-s", version, "-v", list]).env("OPENSSL_CONF", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let of = |line: &str| {
        let word = |start: &str| line.split_whitespace().find_map(|word| word.strip_prefix(start).map(str::to_owned));
        let (exchange, key) = (word("Kx=")?, word("Au=")?);
        let usable = keys.contains(&key.as_str()) && !exchange.contains("PSK") && exchange != "SRP";
        let name: CipherSuite = line.split_whitespace().next()?.parse().unwrap();
        usable.then(|| name.to_string())
    };
    let found: Vec<String> = text.lines().filter_map(of).collect();
    assert!(!found.is_empty(), "{list}");
    found
}

fn openssl() -> &'static Path {
    Path::new("openssl")
}

#[test]
fn nginx_with_an_order_of_its_own_is_told_in_that_order() {
    let list = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:AES128-SHA";
    let lab = Lab::new().unwrap();
    let Some(server) = started(lab.nginx(
        "rsa",
        &format!(
            "ssl_certificate {{pki}}/ecdsa.pem; ssl_certificate_key {{pki}}/ecdsa.key; ssl_dhparam {{pki}}/dh2048.pem;
             ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on; ssl_ecdh_curve secp384r1:X25519:prime256v1;
             ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256; ssl_ciphers {list};"
        ),
    )) else {
        return;
    };
    let (view, report) = inventory(&server);
    assert_eq!(accepted(&view), [ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2]);
    let named: Vec<String> = list.split(':').map(|name| name.parse::<CipherSuite>().unwrap().to_string()).collect();
    assert_eq!(suites(&view, ProtocolVersion::TLSV1_2), named);
    assert_eq!(at(&view, ProtocolVersion::TLSV1_2).suite_order, Some(OrderView::Server));
    assert_eq!(at(&view, ProtocolVersion::TLSV1_2).chacha_first, Some(false));
    assert_eq!(suites(&view, ProtocolVersion::TLSV1_3), ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]);
    assert_eq!(groups(&view, ProtocolVersion::TLSV1_3), ["secp384r1", "x25519", "secp256r1"]);
    assert_eq!(
        BTreeSet::from_iter(groups(&view, ProtocolVersion::TLSV1_2)),
        BTreeSet::from(["secp256r1", "secp384r1", "x25519"])
    );
    let keys: BTreeSet<&str> = view.certificates.iter().map(|shown| shown.certificate.key.as_str()).collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    // One connection for each group and signature as well: a server with an order of its own shows them one by one.
    within(44, &report, &view);
}

#[test]
fn nginx_as_it_comes_has_what_openssl_lists_for_it() {
    let lab = Lab::new().unwrap();
    let ecdsa = "ssl_certificate {pki}/ecdsa.pem; ssl_certificate_key {pki}/ecdsa.key;";
    let Some(server) = started(lab.nginx("rsa", ecdsa)) else { return };
    let (view, report) = inventory(&server);
    let listed = openssl_suites(openssl(), "-tls1_2", "HIGH:!aNULL:!MD5", &["RSA", "ECDSA"]);
    // Without parameters nginx has no finite-field Diffie-Hellman.
    let listed: Vec<String> = listed.into_iter().filter(|name| !name.starts_with("TLS_DHE_")).collect();
    assert_eq!(as_set(&suites(&view, ProtocolVersion::TLSV1_2)), as_set(&listed));
    assert_eq!(at(&view, ProtocolVersion::TLSV1_2).suite_order, Some(OrderView::Client));
    let untested: usize = view.versions.iter().map(|found| found.cipher_suites.untested.len()).sum();
    assert_eq!(untested, 0);
    within(36, &report, &view);
}

#[test]
fn old_versions_of_openssl_3_have_what_it_lists_for_them() {
    let list = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
    let lab = Lab::new().unwrap();
    let args = format!("-cipher {list} -legacy_renegotiation -min_protocol TLSv1 -dhparam {{pki}}/dh2048.pem");
    let Some(server) = started(lab.s_server("rsa", &args)) else { return };
    let (view, report) = inventory(&server);
    let versions =
        [(ProtocolVersion::TLSV1_2, "-tls1_2"), (ProtocolVersion::TLSV1_1, "-tls1_1"), (ProtocolVersion::TLSV1_0, "-tls1")];
    for (version, option) in versions {
        let listed = openssl_suites(openssl(), option, list, &["RSA", "None"]);
        assert_eq!(as_set(&suites(&view, version)), as_set(&listed), "{version}");
    }
    assert!(report.notices.iter().any(|notice| notice.code == "anonymous"), "{:?}", report.notices);
    assert!(report.notices.iter().any(|notice| notice.code == "deprecated-version"), "{:?}", report.notices);
    within(36, &report, &view);
}

#[test]
fn openssl_1_1_has_ssl_3_and_what_it_lists() {
    let list = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
    let lab = Lab::new().unwrap();
    let Some(server) = started(lab.old_s_server("rsa", &format!("-cipher {list} -serverpref -dhparam {{pki}}/dh2048.pem")))
    else {
        return;
    };
    let (view, report) = inventory(&server);
    let program = lab.old_openssl().unwrap();
    for (version, option) in
        [(ProtocolVersion::TLSV1_2, "-tls1_2"), (ProtocolVersion::TLSV1_0, "-tls1"), (ProtocolVersion::SSLV3, "-ssl3")]
    {
        let listed = openssl_suites(&program, option, list, &["RSA", "None"]);
        assert_eq!(suites(&view, version), listed, "{version}");
        assert_eq!(at(&view, version).suite_order, Some(OrderView::Server), "{version}");
    }
    for code in ["sslv3", "rc4", "anonymous", "no-encryption", "no-forward-secrecy"] {
        assert!(report.notices.iter().any(|notice| notice.code == code), "{code}: {:?}", report.notices);
    }
    within(36, &report, &view);
}

#[test]
fn gnutls_has_what_it_lists_for_its_priorities() {
    let lab = Lab::new().unwrap();
    for priority in ["NORMAL", "NORMAL:-VERS-TLS1.3:+VERS-TLS1.0:%SERVER_PRECEDENCE:-GROUP-ALL:+GROUP-SECP256R1:+GROUP-X25519"]
    {
        let Some(server) = started(lab.gnutls_serv("rsa", &format!("--priority {priority}"))) else { return };
        let (view, report) = inventory(&server);
        let output = Command::new("gnutls-cli").args(["--list", "--priority", priority]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let of_12 = text.lines().filter(|line| line.starts_with("TLS_") && !line.contains("TLS1.3"));
        // With an RSA key: neither suites of other keys nor those of secrets shared before.
        let mut others = vec!["ECDSA", "PSK", "SRP", "_DSS_"];
        if priority.contains("-GROUP-ALL") {
            // Its finite-field groups are gone as well.
            others.push("_DHE_");
        }
        let of_rsa = of_12.filter(|line| !others.iter().any(|other| line.contains(other)));
        let codes: BTreeSet<u16> = of_rsa.map(code).collect();
        let found: BTreeSet<u16> =
            suites(&view, ProtocolVersion::TLSV1_2).iter().map(|name| name.parse::<CipherSuite>().unwrap().0).collect();
        assert_eq!(found, codes, "{priority}");
        if priority.contains("PRECEDENCE") {
            assert_eq!(at(&view, ProtocolVersion::TLSV1_2).suite_order, Some(OrderView::Server));
            assert_eq!(groups(&view, ProtocolVersion::TLSV1_2), ["secp256r1", "x25519"]);
            assert_eq!(at(&view, ProtocolVersion::TLSV1_3).acceptance, Acceptance::Refused);
            assert_eq!(at(&view, ProtocolVersion::TLSV1_0).acceptance, Acceptance::Accepted);
        }
        within(36, &report, &view);
    }
}

/// What policies say of a server whose certificate is trusted, and the exit status.
fn judged(lab: &Lab, server: &Server, policies: &[&str]) -> (Vec<PolicyView>, Option<i32>) {
    let mut options = vec!["--ca".to_owned(), lab.pki.join("ca.pem").display().to_string()];
    options.extend(policies.iter().flat_map(|name| ["--policy".to_owned(), (*name).to_owned()]));
    let (report, status) = check(server, &options);
    (report.policies, status)
}

/// The rules of a policy that have this result.
fn rules(policy: &PolicyView, result: RuleResult) -> Vec<&str> {
    policy.rules.iter().filter(|rule| rule.result == result).map(|rule| rule.rule.as_str()).collect()
}

fn rule<'p>(policy: &'p PolicyView, name: &str) -> &'p RuleView {
    policy.rules.iter().find(|rule| rule.rule == name).expect("the rule")
}

#[test]
fn nginx_as_mozilla_wants_it_passes_that_policy_and_fails_the_stricter_by_its_rules() {
    let lab = Lab::new().unwrap();
    let list = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
    let directives = format!(
        "ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519:prime256v1:secp384r1; ssl_ciphers {list}; ssl_prefer_server_ciphers off;"
    );
    let Some(server) = started(lab.nginx("rsa", &directives)) else { return };
    let (policies, status) = judged(&lab, &server, &["intermediate"]);
    assert_eq!((policies[0].result, status), (RuleResult::Pass, Some(0)), "{:#?}", policies[0].rules);
    let (policies, status) = judged(&lab, &server, &["modern", "intermediate", "nist-800-52r2", "bsi-tr-02102-2"]);
    assert_eq!(status, Some(1));
    assert_eq!(rules(&policies[0], RuleResult::Fail), ["versions", "certificate-keys", "certificate-signatures"]);
    assert_eq!(rule(&policies[0], "versions").values, ["TLSv1.2"]);
    assert_eq!(policies[1].result, RuleResult::Pass);
    // A policy in a file, which leaves something to the case.
    let own = server.dir().join("own.toml");
    std::fs::write(
        &own,
        "name = \"own\"\ntitle = \"Own\"\ngroups = [\"secp256r1\", \"secp384r1\"]\nundecided = [\"x25519\"]\n",
    )
    .unwrap();
    let (own, status) = judged(&lab, &server, &[&own.display().to_string()]);
    assert_eq!((rules(&own[0], RuleResult::NotJudged), status), (vec!["groups"], Some(3)));
    // ChaCha20 is not approved there, and nothing is said of X25519.
    assert_eq!(rules(&policies[2], RuleResult::Fail), ["cipher-suites-13", "cipher-suites"]);
    assert_eq!(rules(&policies[2], RuleResult::NotJudged), ["groups"]);
    assert_eq!(rules(&policies[3], RuleResult::Fail), ["cipher-suites-13", "cipher-suites", "signature-schemes", "rsa-bits"]);
}

#[test]
fn a_weak_server_fails_by_what_is_weak() {
    let lab = Lab::new().unwrap();
    let args = "-cipher ALL:COMPLEMENTOFALL:@SECLEVEL=0 -legacy_renegotiation -min_protocol TLSv1 -serverpref -dhparam {pki}/dh1024.pem";
    let Some(server) = started(lab.s_server("rsa", args)) else { return };
    let (policies, status) = judged(&lab, &server, &["intermediate", "pci-dss-4.0.1", "ncsc-nl-2025-05"]);
    assert_eq!(status, Some(1));
    let failing = ["versions", "cipher-suites", "suite-order", "groups", "dh-bits"];
    assert_eq!(rules(&policies[0], RuleResult::Fail), failing, "{:#?}", policies[0].rules);
    assert_eq!(rule(&policies[0], "versions").values, ["TLSv1.1", "TLSv1.0"]);
    assert_eq!(rule(&policies[0], "dh-bits").values, ["a prime of 1024 bits"]);
    assert_eq!(rules(&policies[1], RuleResult::Fail), ["versions", "weak-cipher-suites", "dh-bits"]);
    assert!(rules(&policies[2], RuleResult::Fail).contains(&"dh-bits"));
}

/// The number in `TLS_AES_256_GCM_SHA384   0x13, 0x02   TLS1.3`.
fn code(line: &str) -> u16 {
    let mut bytes = line.split_whitespace().filter_map(|word| word.strip_prefix("0x"));
    let mut byte = || u16::from_str_radix(bytes.next().unwrap().trim_end_matches(','), 16).unwrap();
    byte() << 8 | byte()
}

/// The connections stay near the least: one for each suite that is accepted, and at most `more`.
fn within(more: usize, report: &Report, view: &ServerView) {
    let accepted: usize = view.versions.iter().map(|found| found.cipher_suites.accepted.len()).sum();
    let connections = report.cost.connections as usize;
    assert!(connections <= accepted + more, "{connections} connections for {accepted} suites");
}

/// When each connection came, and how many stood then: of an examination that sends the clients' own hellos at this pace.
fn at_pace(pace: &str, server: &Server) -> Vec<(Instant, usize)> {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let front = fake::noting(server.port, Arc::clone(&notes)).unwrap();
    let (report, _) = check(&front, &["--replay".to_owned(), "--pace".to_owned(), pace.to_owned()]);
    let notes = notes.lock().unwrap().clone();
    assert_eq!(notes.len(), report.cost.connections as usize);
    notes
}

#[test]
fn a_pace_is_kept_as_the_server_sees_it() {
    let lab = Lab::new().unwrap();
    let Some(server) = started(lab.nginx("rsa", "ssl_protocols TLSv1.2 TLSv1.3;")) else { return };
    let most = |notes: &[(Instant, usize)]| notes.iter().map(|(_, standing)| *standing).max();
    let slow = at_pace("slow", &server);
    assert_eq!(most(&slow), Some(1), "{slow:?}");
    let (first, last) = (slow.first().unwrap().0, slow.last().unwrap().0);
    // Half a second before each; the server may be late to note the first.
    let least = Duration::from_millis(500) * (slow.len() as u32 - 1) - Duration::from_millis(250);
    assert!(slow.len() > 3 && last - first >= least, "{} connections in {:?}", slow.len(), last - first);
    // Four stand at once; the server hears of an end when the next have come already.
    let normal = at_pace("normal", &server);
    assert!(most(&normal).is_some_and(|most| (2..=8).contains(&most)), "{normal:?}");
    let fast = at_pace("fast", &server);
    assert!(most(&fast).is_some_and(|most| (5..=16).contains(&most)), "{fast:?}");
}
