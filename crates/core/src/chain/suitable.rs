//! What each certificate of a path must be allowed to do (RFC 5280 §6.1): CA, path length, key usage, name constraints.

use super::certificate::Certificate;
use super::constraints::violation;
use super::extensions::{
    ALTERNATIVE_NAMES, AUTHORITY_KEY, BASIC_CONSTRAINTS, CRL_DISTRIBUTION_POINTS, EXTENDED_KEY_USAGE, KEY_USAGE,
    NAME_CONSTRAINTS, SUBJECT_KEY,
};
use super::judgement::{Link, ObjectionKind, Origin, Purpose, Situation};

/// Extensions that every client reads, so that a broken one stops it.
const READ_BY_ALL: &[&str] = &[
    ALTERNATIVE_NAMES,
    AUTHORITY_KEY,
    BASIC_CONSTRAINTS,
    CRL_DISTRIBUTION_POINTS,
    EXTENDED_KEY_USAGE,
    KEY_USAGE,
    NAME_CONSTRAINTS,
    SUBJECT_KEY,
];

const KEY_CERT_SIGN: u16 = 1 << 5;
/// digitalSignature, keyEncipherment, keyAgreement.
const TLS_USES: u16 = 1 | 1 << 2 | 1 << 4;
const ANY_USAGE: &str = "2.5.29.37.0";
/// Netscape's and Microsoft's "server gated" usages, which stood for servers in CA certificates.
const GATED: &[&str] = &["2.16.840.1.113730.4.1", "1.3.6.1.4.1.311.10.3.3"];

/// What of it cannot be read, as far as that stops a client.
pub(super) fn malformed(certificate: &Certificate, strict: bool) -> Vec<ObjectionKind> {
    let stops = |extension: &Option<String>| extension.as_deref().is_some_and(|oid| READ_BY_ALL.contains(&oid));
    let mut found: Vec<ObjectionKind> = certificate
        .defects
        .iter()
        .filter(|defect| defect.fatal || strict || stops(&defect.extension))
        .map(|defect| ObjectionKind::Malformed { what: defect.what.clone(), at: defect.at })
        .collect();
    if certificate.readable() && !certificate.signature.consistent {
        let what = "the two places that name the signature algorithm differ".to_owned();
        found.push(ObjectionKind::Malformed { what, at: certificate.signature_algorithm.start });
    }
    found
}

/// What the certificate at `at` of the path may not do and does; `left` comparisons of names may be made.
pub(super) fn objections(situation: &Situation<'_>, links: &[Link], at: usize, left: &mut usize) -> Vec<ObjectionKind> {
    let Some(link) = links.get(at) else { return Vec::new() };
    let (certificate, anchor) = (&link.certificate, matches!(link.origin, Origin::Anchor(_)));
    let mut found = Vec::new();
    if at > 0 {
        found.extend(not_ca(certificate, anchor));
        // Certificates that are issued to their own issuer do not count (RFC 5280 §4.2.1.9).
        let below = links.iter().take(at).skip(1).filter(|link| !link.certificate.self_issued).count();
        let below = u32::try_from(below).unwrap_or(u32::MAX);
        if let Some(allowed) = certificate.basic_constraints.and_then(|basic| basic.path_length)
            && below > allowed
        {
            found.push(ObjectionKind::PathTooLong { allowed });
        }
        if let Some(allowed) = situation.maximum_intermediates
            && at + 1 == links.len()
            && below > allowed
        {
            found.push(ObjectionKind::PathTooLong { allowed });
        }
    }
    if !(anchor && at > 0) {
        found.extend(wrong_usage(certificate, situation, at == 0));
    }
    if at > 0
        && let Some(constraints) = &certificate.name_constraints
    {
        let under = links.iter().take(at).enumerate().filter(|(place, link)| *place == 0 || !link.certificate.self_issued);
        let name = under.filter_map(|(_, link)| violation(constraints, &link.certificate, left)).next();
        found.extend(name.map(|name| ObjectionKind::NameConstraints { name }));
    }
    found.extend(certificate.unknown_critical.iter().take(8).map(|oid| ObjectionKind::UnknownCritical { oid: oid.clone() }));
    found
}

fn not_ca(certificate: &Certificate, anchor: bool) -> Option<ObjectionKind> {
    let why = match certificate.basic_constraints {
        Some(basic) if !basic.ca => "basicConstraints says that it is no CA",
        // Old roots have no extensions; that somebody trusts them says that they are CAs.
        None if !anchor => "it has no basicConstraints",
        _ if certificate.key_usage.is_some_and(|bits| bits & KEY_CERT_SIGN == 0) => "its keyUsage lacks keyCertSign",
        _ => return None,
    };
    Some(ObjectionKind::NotCa { why: why.to_owned() })
}

fn wrong_usage(certificate: &Certificate, situation: &Situation<'_>, leaf: bool) -> Option<ObjectionKind> {
    let wanted = match situation.purpose {
        Purpose::Server => "1.3.6.1.5.5.7.3.1",
        Purpose::Client => "1.3.6.1.5.5.7.3.2",
    };
    if let Some(usages) = &certificate.extended_key_usage {
        let any = !leaf || situation.policy.accepts_any_purpose;
        let fits = |oid: &String| oid == wanted || (any && oid == ANY_USAGE) || (!leaf && GATED.contains(&oid.as_str()));
        if !usages.iter().any(fits) {
            return Some(ObjectionKind::Usage { meant_for: usages.iter().take(8).map(|oid| usage_name(oid)).collect() });
        }
    }
    let bits = certificate.key_usage.filter(|bits| leaf && bits & TLS_USES == 0)?;
    Some(ObjectionKind::Usage { meant_for: key_uses(bits) })
}

fn usage_name(oid: &str) -> String {
    match oid {
        "1.3.6.1.5.5.7.3.1" => "TLS servers",
        "1.3.6.1.5.5.7.3.2" => "TLS clients",
        "1.3.6.1.5.5.7.3.3" => "code signing",
        "1.3.6.1.5.5.7.3.4" => "mail",
        "1.3.6.1.5.5.7.3.8" => "time stamps",
        "1.3.6.1.5.5.7.3.9" => "OCSP signing",
        ANY_USAGE => "anyExtendedKeyUsage alone",
        other => other,
    }
    .to_owned()
}

fn key_uses(bits: u16) -> Vec<String> {
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];
    NAMES.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, name)| (*name).to_owned()).collect()
}
