//! The rules, each with what it wants in words.

use tlswhy_model::{Acceptance, OrderView, ServerView, ShownCertificate, ValuesView, VersionView};
use tlswhy_wire::ProtocolVersion;

use super::tally::Tally;
use crate::inventory::weaknesses;
use crate::knowledge::policies::Policy;

/// A rule: what it wants and how that is; `None` where the policy says nothing of it.
pub(super) type Rule = fn(&Policy, &ServerView) -> Option<(&'static str, String, Tally)>;

/// The rules in the order in which they are shown.
pub(super) const RULES: &[Rule] = &[
    versions,
    versions_required,
    cipher_suites_13,
    cipher_suites,
    weaknesses_forbidden,
    suite_order,
    groups,
    groups_one_of,
    dh_bits,
    signature_schemes,
    certificate_keys,
    rsa_bits,
    certificate_signatures,
];

fn words<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn accepted(server: &ServerView) -> impl Iterator<Item = &VersionView> {
    server.versions.iter().filter(|found| found.acceptance == Acceptance::Accepted)
}

/// Versions below TLS 1.3 that are accepted.
fn older(server: &ServerView) -> impl Iterator<Item = &VersionView> {
    accepted(server).filter(|found| found.version < ProtocolVersion::TLSV1_3)
}

fn versions(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let may = words(&policy.versions);
    let mut tally = Tally::default();
    for found in &server.versions {
        let name = found.version.to_string();
        match found.acceptance {
            Acceptance::Accepted => {
                tally.has(policy, &name, may.contains(&name), name.clone(), found.attempt.unwrap_or_default())
            }
            Acceptance::Untested if !may.contains(&name) && !policy.undecided.contains(&name) => {
                tally.open.push(format!("{name} (untested)"));
                tally.open_in.extend(found.attempt);
            }
            Acceptance::Refused | Acceptance::Untested => tally.holds_in.extend(found.attempt),
        }
    }
    (!may.is_empty()).then(|| ("versions", format!("no version but {}", may.join(", ")), tally))
}

fn versions_required(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let must = &policy.versions_required;
    let mut tally = Tally::default();
    for version in must {
        let found = server.versions.iter().find(|found| found.version == *version);
        let attempt = found.and_then(|found| found.attempt);
        match found.map_or(Acceptance::Untested, |found| found.acceptance) {
            Acceptance::Accepted => tally.holds_in.extend(attempt),
            Acceptance::Refused => {
                tally.failing.push(format!("{version} is refused"));
                tally.failing_in.extend(attempt);
            }
            Acceptance::Untested => tally.open.push(format!("{version} (untested)")),
        }
    }
    (!must.is_empty()).then(|| ("versions-required", format!("{} is on", words(must).join(" and ")), tally))
}

fn cipher_suites_13(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let may = words(&policy.cipher_suites_13);
    let mut tally = Tally::default();
    let modern = accepted(server).filter(|found| found.version == ProtocolVersion::TLSV1_3);
    tally.lists(policy, &may, modern.map(|found| (found.version, &found.cipher_suites)));
    (!may.is_empty()).then(|| ("cipher-suites-13", format!("at TLSv1.3 no suite but the {} listed", may.len()), tally))
}

fn cipher_suites(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let may = words(&policy.cipher_suites);
    let mut tally = Tally::default();
    tally.lists(policy, &may, older(server).map(|found| (found.version, &found.cipher_suites)));
    (!may.is_empty()).then(|| ("cipher-suites", format!("up to TLSv1.2 no suite but the {} listed", may.len()), tally))
}

fn weaknesses_forbidden(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let not = &policy.weaknesses_forbidden;
    let mut tally = Tally::default();
    for found in older(server) {
        if found.version == ProtocolVersion::SSLV2 {
            tally.open.push("the cipher kinds of SSLv2".to_owned());
            tally.open_in.extend(found.attempt);
            continue;
        }
        for suite in &found.cipher_suites.accepted {
            let weak: Vec<&str> = suite.weaknesses.iter().filter(|code| not.contains(code)).map(String::as_str).collect();
            let suffix = if weak.is_empty() { String::new() } else { format!(" ({})", weak.join(", ")) };
            let words = format!("{} at {}{suffix}", suite.name, found.version);
            tally.has(policy, &suite.name, weak.is_empty(), words, suite.attempt);
        }
        for name in &found.cipher_suites.untested {
            if weaknesses::of_name(name).iter().any(|code| not.iter().any(|forbidden| forbidden == code)) {
                tally.open.push(format!("{name} at {} (untested)", found.version));
            }
        }
        tally.holds_in.extend(found.cipher_suites.refused_in);
    }
    (!not.is_empty()).then(|| ("weak-cipher-suites", format!("no suite with {}", not.join(", ")), tally))
}

fn suite_order(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let wanted = policy.suite_order?;
    let whose = |order| if order == OrderView::Client { "the client's" } else { "the server's" };
    let mut tally = Tally::default();
    let chooses = |found: &&VersionView| found.version > ProtocolVersion::SSLV2 && found.cipher_suites.accepted.len() > 1;
    for found in accepted(server).filter(chooses) {
        let attempts = found.cipher_suites.accepted.iter().map(|suite| suite.attempt);
        match found.suite_order {
            Some(order) if order == wanted => tally.holds_in.extend(attempts),
            Some(order) => {
                tally.failing.push(format!("{} order at {}", whose(order), found.version));
                tally.failing_in.extend(attempts);
            }
            None => tally.open.push(format!("the order at {} (it could not be told)", found.version)),
        }
    }
    Some(("suite-order", format!("suites are chosen by {} order", whose(wanted)), tally))
}

/// Groups were asked at TLS 1.3 and at the highest version below; suites that need none show none.
fn asked_for_groups(server: &ServerView) -> impl Iterator<Item = (ProtocolVersion, &ValuesView)> {
    let uses = |found: &&VersionView| {
        let ephemeral = |name: &str| name.starts_with("TLS_ECDHE_") || name.starts_with("TLS_ECDH_anon_");
        found.version == ProtocolVersion::TLSV1_3 || found.cipher_suites.accepted.iter().any(|suite| ephemeral(&suite.name))
    };
    accepted(server).filter(uses).map(|found| (found.version, &found.groups))
}

fn groups(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let may = words(&policy.groups);
    let mut tally = Tally::default();
    tally.lists(policy, &may, asked_for_groups(server));
    if asked_for_groups(server).next().is_some() && asked_for_groups(server).all(|(_, groups)| groups.accepted.is_empty()) {
        tally.open.push("its groups (none was seen)".to_owned());
    }
    (!may.is_empty()).then(|| ("groups", format!("no group but {}", may.join(", ")), tally))
}

fn groups_one_of(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let wanted = words(&policy.groups_one_of);
    let mut tally = Tally::default();
    let found = |(_, groups): (_, &ValuesView)| {
        groups.accepted.iter().find(|group| wanted.contains(&group.name)).map(|group| group.attempt)
    };
    tally.holds_in.extend(asked_for_groups(server).filter_map(found));
    if tally.holds_in.is_empty() && !wanted.is_empty() {
        let refuses = |(_, groups): (_, &ValuesView)| wanted.iter().all(|name| groups.refused.contains(name));
        if asked_for_groups(server).any(refuses) {
            tally.failing.push("all of them are refused".to_owned());
            tally.failing_in.extend(asked_for_groups(server).filter_map(|(_, groups)| groups.refused_in));
        } else {
            tally.open.push("none of them was seen, and not all were refused".to_owned());
        }
    }
    (!wanted.is_empty()).then(|| ("groups-one-of", format!("at least one of {}", wanted.join(", ")), tally))
}

fn dh_bits(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let least = policy.dh_bits?;
    let mut tally = Tally::default();
    let ephemeral = |name: &str| name.starts_with("TLS_DHE_") || name.starts_with("TLS_DH_anon_");
    let uses = older(server).any(|found| found.cipher_suites.accepted.iter().any(|suite| ephemeral(&suite.name)));
    match &server.smallest_prime {
        Some(prime) => tally.has(policy, "", prime.bits >= least, format!("a prime of {} bits", prime.bits), prime.attempt),
        None if uses => tally.open.push("its prime (it was not seen)".to_owned()),
        None => {}
    }
    Some(("dh-bits", format!("finite-field Diffie-Hellman with at least {least} bits, or none"), tally))
}

fn signature_schemes(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let may = words(&policy.signature_schemes);
    let mut tally = Tally::default();
    let lists = || {
        let signs = accepted(server).filter(|found| found.version >= ProtocolVersion::TLSV1_2);
        signs.map(|found| (found.version, &found.signature_schemes))
    };
    tally.lists(policy, &may, lists());
    if lists().all(|(_, schemes)| schemes.accepted.is_empty()) {
        tally.open.push("its signatures (none was seen)".to_owned());
    }
    (!may.is_empty())
        .then(|| ("signature-schemes", format!("no signature scheme of the handshake but the {} listed", may.len()), tally))
}

/// Each certificate by what of it matters to a rule.
fn of_certificates(policy: &Policy, server: &ServerView, judge: impl Fn(&ShownCertificate) -> Option<(String, bool)>) -> Tally {
    let mut tally = Tally::default();
    if server.certificates.is_empty() {
        tally.open.push("its certificate (it was not seen)".to_owned());
    }
    for shown in &server.certificates {
        let sha256 = shown.certificate.sha256.clone();
        tally.certificates.push(sha256.clone());
        if let Some((name, allowed)) = judge(shown) {
            let failed = tally.failing.len();
            tally.has(policy, &name, allowed, format!("{name} of {}", shown.certificate.subject), shown.attempt);
            if tally.failing.len() > failed {
                tally.failing_certificates.push(sha256);
            }
        }
    }
    tally
}

/// The size of an RSA key, from its name in reports.
fn rsa_size(key: &str) -> Option<u32> {
    key.strip_prefix("RSA-")?.parse().ok()
}

fn certificate_keys(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let may = &policy.certificate_keys;
    let tally = of_certificates(policy, server, |shown| {
        let key = &shown.certificate.key;
        let kind = if rsa_size(key).is_some() { "RSA" } else { key };
        Some((kind.to_owned(), may.iter().any(|allowed| allowed == kind)))
    });
    (!may.is_empty()).then(|| ("certificate-keys", format!("no key but {}", may.join(", ")), tally))
}

fn rsa_bits(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let least = policy.rsa_bits?;
    let tally = of_certificates(policy, server, |shown| {
        Some((shown.certificate.key.clone(), rsa_size(&shown.certificate.key)? >= least))
    });
    Some(("rsa-bits", format!("RSA keys with at least {least} bits"), tally))
}

fn certificate_signatures(policy: &Policy, server: &ServerView) -> Option<(&'static str, String, Tally)> {
    let may = &policy.certificate_signatures;
    let tally = of_certificates(policy, server, |shown| {
        let signature = &shown.certificate.signature;
        Some((signature.clone(), may.contains(signature)))
    });
    (!may.is_empty()).then(|| ("certificate-signatures", format!("certificates signed with {}", may.join(", ")), tally))
}
