//! What RFC 5280 and the CA/Browser Forum's Baseline Requirements (BR) demand and most clients pass over.
//!
//! Wildcards directly under a public suffix need the public suffix list; without one, a wildcard with fewer than two labels
//! to its right is refused and no more.

use std::net::IpAddr;

use tlswhy_wire::NamedGroup;

use super::KeyKind;
use super::certificate::{AlternativeName, Certificate, Subtree};
use super::extensions::{
    ALTERNATIVE_NAMES, AUTHORITY_ACCESS, AUTHORITY_KEY, EXTENDED_KEY_USAGE, NAME_CONSTRAINTS, POLICY_CONSTRAINTS, SUBJECT_KEY,
};

/// What is irregular about a certificate in its place on the path. What the BR say of common names concerns servers alone.
pub(super) fn irregularities(certificate: &Certificate, leaf: bool, anchor: bool, server: bool) -> Vec<String> {
    let mut found: Vec<&str> = Vec::new();
    found.extend(of_all(certificate, leaf || !anchor));
    found.extend(of_keys(certificate));
    found.extend(of_authority_key(certificate, anchor));
    if leaf {
        found.extend(of_leaf(certificate, server))
    } else {
        found.extend(of_issuer(certificate, anchor))
    }
    found.into_iter().map(str::to_owned).collect()
}

fn of_all(certificate: &Certificate, below_anchor: bool) -> Vec<&'static str> {
    let mut found = Vec::new();
    let significant = certificate.serial.iter().skip_while(|byte| **byte == 0).count();
    match certificate.serial.first() {
        Some(first) if first & 0x80 != 0 => found.push("a negative serial number (RFC 5280 §4.1.2.2)"),
        // Some public roots are numbered zero, and nobody looks at a root's number.
        _ if significant == 0 && below_anchor => found.push("a serial number of zero (RFC 5280 §4.1.2.2)"),
        _ if certificate.serial.len() > 20 => found.push("a serial number of more than 20 bytes (RFC 5280 §4.1.2.2)"),
        _ => {}
    }
    if certificate.version != 3 {
        found.push("not of version 3 (BR §7.1.1)");
    }
    if certificate.issuer.text == "(no name)" {
        found.push("an empty issuer (RFC 5280 §4.1.2.4)");
    }
    if certificate.criticality(SUBJECT_KEY) == Some(true) {
        found.push("a critical subjectKeyIdentifier (RFC 5280 §4.2.1.2)");
    }
    if certificate.criticality(AUTHORITY_ACCESS) == Some(true) {
        found.push("a critical authorityInfoAccess (RFC 5280 §4.2.2.1)");
    }
    if certificate.criticality(POLICY_CONSTRAINTS) == Some(false) {
        found.push("policyConstraints that are not critical (RFC 5280 §4.2.1.11)");
    }
    if below_anchor && certificate.criticality(EXTENDED_KEY_USAGE) == Some(true) {
        found.push("a critical extKeyUsage (BR §7.1.2.7.10)");
    }
    if certificate.extended_key_usage.as_ref().is_some_and(Vec::is_empty) {
        found.push("an empty extKeyUsage (RFC 5280 §4.2.1.12)");
    }
    found
}

/// BR §6.1.5, §6.1.6.
fn of_keys(certificate: &Certificate) -> Option<&'static str> {
    match certificate.key {
        Some(KeyKind::Rsa { bits }) if bits % 8 != 0 => Some("an RSA modulus that is not a multiple of 8 bits (BR §6.1.5)"),
        Some(KeyKind::Rsa { .. } | KeyKind::Ed25519 | KeyKind::Ed448) => None,
        Some(KeyKind::Ec { curve: NamedGroup::SECP256R1 | NamedGroup::SECP384R1 | NamedGroup::SECP521R1, .. }) => None,
        Some(KeyKind::Ec { .. }) => Some("a curve other than P-256, P-384 and P-521 (BR §6.1.5)"),
        Some(KeyKind::Dsa) => Some("a DSA key (BR §6.1.5)"),
        None => Some("a key of an unknown kind, or a curve that is spelled out (RFC 5480 §2.1.1)"),
    }
}

fn of_authority_key(certificate: &Certificate, anchor: bool) -> Option<&'static str> {
    let root = anchor && certificate.self_issued;
    match certificate.criticality(AUTHORITY_KEY) {
        Some(true) => Some("a critical authorityKeyIdentifier (RFC 5280 §4.2.1.1)"),
        Some(false) if certificate.authority_key.is_none() => {
            Some("an authorityKeyIdentifier without a key identifier (BR §7.1.2.11.1)")
        }
        Some(false) if certificate.authority_by_serial => {
            Some("an authorityKeyIdentifier with issuer or serial number (BR §7.1.2.11.1)")
        }
        Some(false) if root && certificate.authority_key != certificate.subject_key => {
            Some("a root whose authorityKeyIdentifier is not its subjectKeyIdentifier (BR §7.1.2.1.3)")
        }
        None if !root && !certificate.is_self_signed() => Some("no authorityKeyIdentifier (RFC 5280 §4.2.1.1)"),
        _ => None,
    }
}

fn of_issuer(certificate: &Certificate, anchor: bool) -> Vec<&'static str> {
    let mut found = Vec::new();
    match certificate.basic_constraints {
        Some(basic) if !basic.critical => found.push("a CA whose basicConstraints are not critical (RFC 5280 §4.2.1.9)"),
        None => found.push("a CA without basicConstraints (RFC 5280 §4.2.1.9)"),
        _ => {}
    }
    if certificate.subject.text == "(no name)" {
        found.push("a CA without a subject (RFC 5280 §4.1.2.6)");
    }
    if certificate.subject_key.is_none() {
        found.push("a CA without subjectKeyIdentifier (RFC 5280 §4.2.1.2)");
    }
    if anchor && certificate.self_issued && certificate.extended_key_usage.is_some() {
        found.push("a root with extKeyUsage (BR §7.1.2.1.2)");
    }
    if let Some(constraints) = &certificate.name_constraints {
        if certificate.criticality(NAME_CONSTRAINTS) == Some(false) {
            found.push("name constraints that are not critical (RFC 5280 §4.2.1.10)");
        }
        if constraints.permitted.is_empty() && constraints.excluded.is_empty() {
            found.push("empty name constraints (RFC 5280 §4.2.1.10)");
        }
        let odd = |base: &Subtree| match base {
            Subtree::Dns(name) => name.starts_with('.') || name.contains('*'),
            Subtree::Address(bytes) => ![8, 32].contains(&bytes.len()),
            _ => false,
        };
        if constraints.permitted.iter().chain(&constraints.excluded).any(odd) {
            found.push("a name constraint that is none (RFC 5280 §4.2.1.10)");
        }
    }
    found
}

fn of_leaf(certificate: &Certificate, server: bool) -> Vec<&'static str> {
    let mut found = Vec::new();
    if certificate.basic_constraints.is_some_and(|basic| basic.ca) {
        found.push("an end entity that is a CA (BR §7.1.2.7.8)");
    } else if certificate.key_usage.is_some_and(|bits| bits & (1 << 5) != 0) {
        found.push("keyCertSign in a certificate that is no CA (RFC 5280 §4.2.1.9)");
    }
    if certificate.name_constraints.is_some() {
        found.push("name constraints in an end entity (RFC 5280 §4.2.1.10)");
    }
    if certificate.extended_key_usage.iter().flatten().any(|oid| oid == "2.5.29.37.0") {
        found.push("anyExtendedKeyUsage (BR §7.1.2.7.10)");
    }
    let Some(names) = &certificate.alternative_names else {
        found.push("no subjectAltName (BR §7.1.2.7.12)");
        return found;
    };
    let (critical, empty) = (certificate.criticality(ALTERNATIVE_NAMES) == Some(true), certificate.subject.text == "(no name)");
    if critical != empty {
        found.push("subjectAltName must be critical just where the subject is empty (RFC 5280 §4.2.1.6)");
    }
    if names.is_empty() {
        found.push("an empty subjectAltName (RFC 5280 §4.2.1.6)");
    }
    if names.iter().any(|name| matches!(name, AlternativeName::Dns(text) if !is_dns_name(text))) {
        found.push("a dNSName that is no DNS name (BR §7.1.4.2)");
    }
    if names.iter().any(|name| matches!(name, AlternativeName::BadAddress(_))) {
        found.push("an iPAddress that is no address (RFC 5280 §4.2.1.6)");
    }
    let listed = |common: &String| {
        names.iter().any(|name| match name {
            AlternativeName::Dns(text) => text == common,
            AlternativeName::Address(address) => address.to_string() == *common,
            AlternativeName::Email(text) => text == common,
            _ => false,
        })
    };
    let looks_like_a_host = |text: &String| text.contains('.') || text.parse::<IpAddr>().is_ok() || !text.contains(' ');
    if server && !certificate.subject_texts("2.5.4.3").iter().filter(|text| looks_like_a_host(text)).all(listed) {
        found.push("a common name that is not among the subjectAltNames in the same form (BR §7.1.4.3)");
    }
    found
}

fn is_dns_name(name: &str) -> bool {
    let (wild, host) = name.strip_prefix("*.").map_or((false, name), |host| (true, host));
    let label = |label: &str| {
        let letters = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..64).contains(&label.len()) && letters && !label.starts_with('-') && !label.ends_with('-')
    };
    host.len() < 254 && host.split('.').all(label) && host.parse::<IpAddr>().is_err() && (!wild || host.contains('.'))
}
