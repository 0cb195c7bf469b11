//! Programs on Go's crypto/tls: its own order of suites and groups, its defaults by release.
//!
//! Sources: src/crypto/tls of Go 1.18 to 1.27 (defaults.go, cipher_suites.go) and <https://go.dev/doc/godebug>.

use tlswhy_wire::{CipherSuite, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme};

use super::{Effective, Reduction, as_set};
use crate::release::Release;
use crate::service::{Service, Side};
use crate::span::Origin;

/// Suites up to TLS 1.2 in Go's order, which counts whatever the order of a list is (since 1.17), where both sides have AES in
/// hardware; else those with ChaCha20 come first. Those that are off by default have the release since which they are so.
const SUITES: &[(&str, Option<Release>)] = &[
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", None),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", None),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", None),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", None),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", None),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", None),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", None),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", None),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", None),
    ("TLS_RSA_WITH_AES_128_GCM_SHA256", Some(NO_RSA)),
    ("TLS_RSA_WITH_AES_256_GCM_SHA384", Some(NO_RSA)),
    ("TLS_RSA_WITH_AES_128_CBC_SHA", Some(NO_RSA)),
    ("TLS_RSA_WITH_AES_256_CBC_SHA", Some(NO_RSA)),
    ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Some(NO_3DES)),
    ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", Some(NO_RSA)),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Some(EVER)),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Some(EVER)),
    ("TLS_RSA_WITH_AES_128_CBC_SHA256", Some(EVER)),
    ("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", Some(EVER)),
    ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", Some(EVER)),
    ("TLS_RSA_WITH_RC4_128_SHA", Some(EVER)),
];
/// The first release that is known here.
const OLDEST: Release = Release::new(1, 18, 0);
const EVER: Release = Release::new(0, 0, 0);
/// RSA key exchange (`tlsrsakex`), and 3DES (`tls3des`).
const NO_RSA: Release = Release::new(1, 22, 0);
const NO_3DES: Release = Release::new(1, 23, 0);
/// Suites of TLS 1.3; no setting chooses among them.
const SUITES_13: [CipherSuite; 3] =
    [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_AES_256_GCM_SHA384, CipherSuite::TLS_CHACHA20_POLY1305_SHA256];
/// Lowest versions by release: of a client, of a server.
const LOWEST_OF_CLIENTS: &[(Release, ProtocolVersion)] = &[(OLDEST, ProtocolVersion::TLSV1_2)];
const LOWEST_OF_SERVERS: &[(Release, ProtocolVersion)] =
    &[(Release::new(1, 22, 0), ProtocolVersion::TLSV1_2), (OLDEST, ProtocolVersion::TLSV1_0)];
/// Go has nothing below.
const LOWEST: ProtocolVersion = ProtocolVersion::TLSV1_0;
/// X25519Kyber768Draft00, of Go 1.23 alone.
const KYBER: NamedGroup = NamedGroup(0x6399);
const CLASSIC: [NamedGroup; 4] = [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];
/// Groups that come before those, by release.
const HYBRIDS: &[(Release, &[NamedGroup])] = &[
    (Release::new(1, 26, 0), &[NamedGroup::X25519MLKEM768, NamedGroup::SECP256R1MLKEM768, NamedGroup::SECP384R1MLKEM1024]),
    (Release::new(1, 24, 0), &[NamedGroup::X25519MLKEM768]),
    (Release::new(1, 23, 0), &[KYBER]),
    (OLDEST, &[]),
];

/// Signature schemes, those of ML-DSA since 1.27, those of SHA-1 up to 1.24 (`tlssha1`).
const HAS_MLDSA: Release = Release::new(1, 27, 0);
const NO_SHA1: Release = Release::new(1, 25, 0);
const MLDSA: [SignatureScheme; 3] = [SignatureScheme::MLDSA44, SignatureScheme::MLDSA65, SignatureScheme::MLDSA87];
const SCHEMES: [SignatureScheme; 10] = [
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::ECDSA_SECP521R1_SHA512,
];
const SHA1: [SignatureScheme; 2] = [SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::ECDSA_SHA1];

/// Of the same rows the first whose release is reached.
fn row<T: Copy>(rows: &[(Release, T)], release: Release) -> Option<T> {
    rows.iter().find(|(since, _)| release >= *since).map(|(_, value)| *value)
}

pub(super) fn effective(service: &Service, release: Option<Release>) -> Effective {
    let mut effective = as_set(service);
    let release = release.filter(|release| *release >= OLDEST);
    let settings = &service.settings;
    if settings.minimum_version.is_none() {
        let rows = if service.side == Side::Client { LOWEST_OF_CLIENTS } else { LOWEST_OF_SERVERS };
        match release.and_then(|release| row(rows, release)) {
            Some(lowest) => {
                let all = effective.versions.get_or_insert_with(|| super::VERSIONS.iter().rev().copied().collect());
                all.retain(|version| *version >= lowest);
            }
            // The range is not known.
            None => effective.versions = None,
        }
    }
    if let Some(versions) = &mut effective.versions {
        versions.retain(|version| *version >= LOWEST);
    }
    suites(&mut effective, service, release);
    effective.cipher_suites_13 = Some(SUITES_13.to_vec());
    if settings.signature_algorithms.is_none() {
        effective.signature_schemes = release.and_then(|release| schemes(release, false));
    }
    if settings.groups.is_none() {
        effective.groups = release.and_then(|release| groups(release, true));
    }
    without_agreement(&mut effective);
    effective
}

/// Up to TLS 1.2 a handshake needs a suite of these versions, and one with ECDHE a curve: a hybrid group is for TLS 1.3 alone.
fn without_agreement(effective: &mut Effective) {
    let Some(versions) = &mut effective.versions else { return };
    let exchange = |suite: &CipherSuite| suite.details().map(|row| row.key_exchange);
    let needs_curve = |suites: &Vec<CipherSuite>| suites.iter().all(|suite| exchange(suite) == Some(KeyExchange::Ecdhe));
    let why = match (&effective.cipher_suites, &effective.groups) {
        (Some(suites), _) if suites.is_empty() => "no suite of these versions is on",
        (Some(suites), Some(groups)) if needs_curve(suites) && !groups.iter().any(|group| CLASSIC.contains(group)) => {
            "no group of these versions is on"
        }
        _ => return,
    };
    let lost = versions.iter().filter(|version| **version < ProtocolVersion::TLSV1_3);
    effective.reductions.extend(lost.map(|version| Reduction {
        what: version.to_string(),
        why: why.to_owned(),
        by: Origin::built_in("Go"),
    }));
    versions.retain(|version| *version >= ProtocolVersion::TLSV1_3);
}

/// The groups of a release in its order, with or without those that are hybrids.
pub(crate) fn groups(release: Release, hybrids: bool) -> Option<Vec<NamedGroup>> {
    let before = row(HYBRIDS, release)?;
    Some(before.iter().filter(|_| hybrids).chain(&CLASSIC).copied().collect())
}

/// The suites of a release by default, in its order; with those of RSA key exchange or with 3DES where these are switched on again.
pub(crate) fn suites_with(release: Release, rsa: bool, triple_des: bool) -> Option<Vec<CipherSuite>> {
    let on = |(name, off): &&(&str, Option<Release>)| match off {
        Some(EVER) => false,
        // It is of both kinds.
        Some(_) if *name == "TLS_RSA_WITH_3DES_EDE_CBC_SHA" => (rsa || release < NO_RSA) && (triple_des || release < NO_3DES),
        Some(NO_RSA) => rsa || release < NO_RSA,
        Some(_) => triple_des || release < NO_3DES,
        None => true,
    };
    (release >= OLDEST).then(|| SUITES.iter().filter(on).filter_map(|(name, _)| name.parse().ok()).collect())
}

/// The signature schemes of a release, in its order; `sha1`: with those of SHA-1 where they are off by default.
pub(crate) fn schemes(release: Release, sha1: bool) -> Option<Vec<SignatureScheme>> {
    let before: &[SignatureScheme] = if release >= HAS_MLDSA { &MLDSA } else { &[] };
    let after: &[SignatureScheme] = if sha1 || release < NO_SHA1 { &SHA1 } else { &[] };
    (release >= OLDEST).then(|| before.iter().chain(&SCHEMES).chain(after).copied().collect())
}

fn suites(effective: &mut Effective, service: &Service, release: Option<Release>) {
    let Some(list) = &service.settings.cipher_list else {
        effective.cipher_suites = release.and_then(|release| suites_with(release, false, false));
        return;
    };
    let named: Vec<CipherSuite> = list.value.text.split([' ', ',', ':']).filter_map(|name| name.trim().parse().ok()).collect();
    let order: Vec<CipherSuite> = SUITES.iter().filter_map(|(name, _)| name.parse().ok()).collect();
    effective.cipher_suites = Some(order.iter().copied().filter(|suite| named.contains(suite)).collect());
    let strange = named.iter().filter(|suite| !order.contains(suite) && !SUITES_13.contains(suite)).take(8);
    effective.reductions.extend(strange.map(|suite| Reduction {
        what: suite.to_string(),
        why: "Go does not have it".to_owned(),
        by: Origin::built_in("Go"),
    }));
}
