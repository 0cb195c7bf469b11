//! What a policy means for OpenSSL: the lines of back-ends/opensslcnf.config (facts of python/policygenerators/openssl.py).

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use super::algorithms::{self, TLS};
use super::evaluate::Scoped;
use crate::language::names;

/// Versions by the names of policies.
const VERSIONS: &[(&str, ProtocolVersion)] = &[
    ("SSL3.0", ProtocolVersion::SSLV3),
    ("TLS1.0", ProtocolVersion::TLSV1_0),
    ("TLS1.1", ProtocolVersion::TLSV1_1),
    ("TLS1.2", ProtocolVersion::TLSV1_2),
    ("TLS1.3", ProtocolVersion::TLSV1_3),
];

/// Words of the cipher string for key exchanges that are on, and for those that are off.
const EXCHANGES: &[(&str, &str)] = &[
    ("RSA", "kRSA"),
    ("ECDHE", "kEECDH"),
    ("PSK", "kPSK"),
    ("DHE-PSK", "kDHEPSK"),
    ("DHE-RSA", "kEDH"),
    ("ECDHE-PSK", "kECDHEPSK"),
    ("RSA-PSK", "kRSAPSK"),
    ("VKO-GOST-2012", "kGOST"),
];
const NO_EXCHANGES: &[(&str, &str)] = &[
    ("RSA", "-kRSA"),
    ("ECDHE", "-kEECDH"),
    ("DHE-RSA", "-aRSA"),
    ("DHE-DSS", "-aDSS"),
    ("PSK", "-kPSK"),
    ("DHE-PSK", "-kDHEPSK"),
    ("ECDHE-PSK", "-kECDHEPSK"),
    ("RSA-PSK", "-kRSAPSK"),
];
const NO_CIPHERS: &[(&str, &str)] = &[
    ("AES-256-GCM", "-AES256"),
    ("AES-128-GCM", "-AES128"),
    ("AES-256-CBC", "-SHA256"),
    ("CHACHA20-POLY1305", "-CHACHA20"),
    ("SEED-CBC", "-SEED"),
    ("IDEA-CBC", "!IDEA"),
    ("DES-CBC", "!DES"),
    ("3DES-CBC", "-3DES"),
    ("RC4-128", "!RC4"),
    ("RC2-CBC", "!RC2"),
    ("NULL", "!eNULL:!aNULL"),
];
/// Words for kinds of which none is on (since the program of 2023-12 for CBC, 2024-05 for the others).
const NO_KINDS: &[(&str, &[&str])] = &[
    (
        "-CBC",
        &[
            "DES-CBC",
            "3DES-CBC",
            "RC2-CBC",
            "IDEA-CBC",
            "AES-128-CBC",
            "AES-256-CBC",
            "CAMELLIA-128-CBC",
            "CAMELLIA-256-CBC",
            "SEED-CBC",
        ],
    ),
    ("-AESCCM", &["AES-128-CCM", "AES-256-CCM"]),
    ("-AESGCM", &["AES-128-GCM", "AES-256-GCM"]),
];
const NO_MACS: &[(&str, &str)] = &[("HMAC-MD5", "!MD5"), ("HMAC-SHA1", "-SHA1")];
/// What every string ends with.
const ALWAYS: &[&str] = &["-SHA384", "-CAMELLIA", "-ARIA", "-AESCCM8"];

/// Suites of TLS 1.3, with the cipher and the hash that each needs.
const SUITES: &[(CipherSuite, &str, &str)] = &[
    (CipherSuite(0x1302), "AES-256-GCM", "SHA2-384"),
    (CipherSuite(0x1301), "AES-128-GCM", "SHA2-256"),
    (CipherSuite(0x1303), "CHACHA20-POLY1305", "SHA2-256"),
    (CipherSuite(0x1304), "AES-128-CCM", "SHA2-256"),
];

/// Groups by the names of policies; those after quantum computers first, as OpenSSL gets them.
const HYBRID: &[(&str, &[NamedGroup])] = &[
    ("MLKEM768-X25519", &[NamedGroup::X25519MLKEM768]),
    ("P256-MLKEM768", &[NamedGroup::SECP256R1MLKEM768]),
    ("P384-MLKEM1024", &[NamedGroup::SECP384R1MLKEM1024]),
    ("MLKEM512", &[NamedGroup(0x0200)]),
    ("MLKEM768", &[NamedGroup(0x0201)]),
    ("MLKEM1024", &[NamedGroup(0x0202)]),
];
const CLASSIC: &[(&str, &[NamedGroup])] = &[
    ("SECP256R1", &[NamedGroup::SECP256R1]),
    ("SECP384R1", &[NamedGroup::SECP384R1]),
    ("SECP521R1", &[NamedGroup::SECP521R1]),
    ("X25519", &[NamedGroup::X25519]),
    ("X448", &[NamedGroup::X448]),
    ("FFDHE-2048", &[NamedGroup(0x100)]),
    ("FFDHE-3072", &[NamedGroup(0x101)]),
    ("FFDHE-4096", &[NamedGroup(0x102)]),
    ("FFDHE-6144", &[NamedGroup(0x103)]),
    ("FFDHE-8192", &[NamedGroup(0x104)]),
    ("BRAINPOOL-P256R1", &[NamedGroup::BRAINPOOLP256R1TLS13, NamedGroup::BRAINPOOLP256R1]),
    ("BRAINPOOL-P384R1", &[NamedGroup::BRAINPOOLP384R1TLS13, NamedGroup::BRAINPOOLP384R1]),
    ("BRAINPOOL-P512R1", &[NamedGroup::BRAINPOOLP512R1TLS13, NamedGroup::BRAINPOOLP512R1]),
];

/// Signature schemes by the names of policies, as OpenSSL calls them.
const SIGNATURES: &[(&str, &str)] = &[
    ("RSA-SHA1", "RSA+SHA1"),
    ("ECDSA-SHA1", "ECDSA+SHA1"),
    ("RSA-SHA2-224", "RSA+SHA224"),
    ("ECDSA-SHA2-224", "ECDSA+SHA224"),
    ("RSA-SHA2-256", "RSA+SHA256"),
    ("ECDSA-SHA2-256", "ECDSA+SHA256"),
    ("RSA-SHA2-384", "RSA+SHA384"),
    ("ECDSA-SHA2-384", "ECDSA+SHA384"),
    ("RSA-SHA2-512", "RSA+SHA512"),
    ("ECDSA-SHA2-512", "ECDSA+SHA512"),
    ("RSA-PSS-SHA2-256", "rsa_pss_pss_sha256"),
    ("RSA-PSS-SHA2-384", "rsa_pss_pss_sha384"),
    ("RSA-PSS-SHA2-512", "rsa_pss_pss_sha512"),
    ("RSA-PSS-RSAE-SHA2-256", "rsa_pss_rsae_sha256"),
    ("RSA-PSS-RSAE-SHA2-384", "rsa_pss_rsae_sha384"),
    ("RSA-PSS-RSAE-SHA2-512", "rsa_pss_rsae_sha512"),
    ("EDDSA-ED25519", "ed25519"),
    ("EDDSA-ED448", "ed448"),
    ("MLDSA44", "mldsa44"),
    ("MLDSA65", "mldsa65"),
    ("MLDSA87", "mldsa87"),
];

fn of<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// The name that policies have for a version.
pub(super) fn version_name(version: ProtocolVersion) -> Option<&'static str> {
    VERSIONS.iter().find(|(_, known)| *known == version).map(|(name, _)| *name)
}

/// The name that policies have for a group.
pub(super) fn group_name(group: NamedGroup) -> Option<&'static str> {
    HYBRID.iter().chain(CLASSIC).find(|(_, known)| known.contains(&group)).map(|(name, _)| *name)
}

/// The versions from the lowest to the highest that is on: OpenSSL gets a range.
pub(super) fn versions(policy: Scoped<'_>) -> Vec<ProtocolVersion> {
    let list = policy.list("protocol");
    let on = |name: &&&str| list.contains(*name);
    let highest = TLS.iter().find(on).and_then(|name| of(VERSIONS, name));
    let lowest = TLS.iter().rev().find(on).and_then(|name| of(VERSIONS, name));
    let (Some(lowest), Some(highest)) = (lowest, highest) else { return Vec::new() };
    VERSIONS.iter().map(|(_, version)| *version).filter(|version| (lowest..=highest).contains(version)).collect()
}

/// CipherString.
pub(super) fn cipher_string(policy: Scoped<'_>) -> String {
    let least = policy.number("min_dh_size").min(policy.number("min_rsa_size"));
    let level = match least {
        0..1023 => 0,
        1023..2048 => 1,
        2048..3072 => 2,
        3072.. => 3,
    };
    let mut words = vec![format!("@SECLEVEL={level}")];
    let exchanges = policy.list("key_exchange");
    words.extend(exchanges.iter().filter_map(|name| of(EXCHANGES, name)).map(str::to_owned));
    // In the order of the program's own lists.
    let off = |class: &str| {
        let on = policy.list(class);
        algorithms::class(class).unwrap_or_default().iter().filter(move |name| !on.contains(*name))
    };
    words.extend(off("key_exchange").filter_map(|name| of(NO_EXCHANGES, name)).map(str::to_owned));
    words.extend(off("cipher").filter_map(|name| of(NO_CIPHERS, name)).map(str::to_owned));
    let ciphers = policy.list("cipher");
    let none = |kind: &&(&str, &[&str])| kind.1.iter().all(|name| !ciphers.contains(name));
    words.extend(NO_KINDS.iter().filter(none).map(|(word, _)| (*word).to_owned()));
    words.extend(off("mac").filter_map(|name| of(NO_MACS, name)).map(str::to_owned));
    words.extend(ALWAYS.iter().map(|word| (*word).to_owned()));
    words.join(":")
}

/// Ciphersuites.
pub(super) fn suites(policy: Scoped<'_>) -> Vec<CipherSuite> {
    let (hashes, protocols) = (policy.list("hash"), policy.list("protocol"));
    if !protocols.contains(&"TLS1.3") {
        return Vec::new();
    }
    let of_cipher = |cipher: &&str| {
        let row = SUITES.iter().find(|(_, known, _)| known == cipher);
        row.filter(|(.., hash)| hashes.contains(hash)).map(|(suite, ..)| *suite)
    };
    policy.list("cipher").iter().filter_map(of_cipher).collect()
}

/// Groups.
pub(super) fn groups(policy: Scoped<'_>) -> Vec<NamedGroup> {
    let list = policy.list("group");
    let of_table = |table: &'static [(&str, &[NamedGroup])]| list.iter().filter_map(move |name| of(table, name)).flatten();
    of_table(HYBRID).chain(of_table(CLASSIC)).copied().collect()
}

/// SignatureAlgorithms.
pub(super) fn signatures(policy: Scoped<'_>) -> Vec<SignatureScheme> {
    let list = policy.list("sign");
    let written: Vec<&str> = list.iter().filter_map(|name| of(SIGNATURES, name)).collect();
    names::signature_schemes(&written.join(":")).unwrap_or_default()
}

/// The name that policies have for a signature scheme.
pub(super) fn signature_name(scheme: SignatureScheme) -> Option<&'static str> {
    let is = |(_, written): &&(&str, &str)| names::signature_schemes(written).is_some_and(|known| known.contains(&scheme));
    SIGNATURES.iter().find(is).map(|(name, _)| *name)
}
