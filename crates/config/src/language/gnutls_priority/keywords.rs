//! The keywords with which a priority string begins, and the families that end in `-ALL`: facts of lib/priority.c, measured as in
//! `words.rs`. The lists are those of a processor that has AES built in, and not those of FIPS mode.

use crate::release::Release;

/// What a keyword switches on.
pub(super) struct Keyword {
    pub(super) name: &'static str,
    pub(super) alias: Option<&'static str>,
    /// `None` leaves the versions alone.
    pub(super) versions: Option<&'static [&'static str]>,
    pub(super) ciphers: &'static [&'static str],
    pub(super) macs: &'static [&'static str],
    pub(super) key_exchanges: &'static [&'static str],
    pub(super) signatures: &'static [&'static str],
    pub(super) groups: &'static [&'static str],
}

pub(super) const VERSIONS: &[&str] = &["TLS1.3", "TLS1.2", "TLS1.1", "TLS1.0", "DTLS1.2", "DTLS1.0"];
pub(super) const STREAM_VERSIONS: &[&str] = &["TLS1.3", "TLS1.2", "TLS1.1", "TLS1.0"];
/// What `+VERS-DTLS-ALL` adds, and what `-VERS-DTLS-ALL` takes away.
pub(super) const DATAGRAM_VERSIONS: &[&str] = &["DTLS1.2", "DTLS1.0"];
pub(super) const EVERY_DATAGRAM_VERSION: &[&str] = &["DTLS1.2", "DTLS1.0", "DTLS0.9"];

pub(super) const CIPHERS: &[&str] =
    &["AES-256-GCM", "CHACHA20-POLY1305", "AES-256-CCM", "AES-256-CBC", "AES-128-GCM", "AES-128-CCM", "AES-128-CBC"];
const QUICK_CIPHERS: &[&str] =
    &["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305", "AES-128-CCM", "AES-256-CCM", "AES-128-CBC", "AES-256-CBC"];
const CIPHERS_128: &[&str] =
    &["AES-256-GCM", "CHACHA20-POLY1305", "AES-256-CBC", "AES-256-CCM", "AES-128-GCM", "AES-128-CBC", "AES-128-CCM"];
const CIPHERS_192: &[&str] = &["AES-256-GCM", "CHACHA20-POLY1305", "AES-256-CBC", "AES-256-CCM"];
pub(super) const GOST_CIPHERS: &[&str] = &["GOST28147-TC26Z-CNT"];

pub(super) const MACS: &[&str] = &["SHA1", "AEAD"];
const AEAD: &[&str] = &["AEAD"];
pub(super) const GOST_MACS: &[&str] = &["GOST28147-TC26Z-IMIT"];

pub(super) const KEY_EXCHANGES: &[&str] = &["ECDHE-ECDSA", "ECDHE-RSA", "RSA", "DHE-RSA"];
const QUICK_KEY_EXCHANGES: &[&str] = &["RSA", "ECDHE-ECDSA", "ECDHE-RSA", "DHE-RSA"];
const FORWARD_SECRET: &[&str] = &["ECDHE-ECDSA", "ECDHE-RSA", "DHE-RSA"];
pub(super) const GOST_KEY_EXCHANGES: &[&str] = &["VKO-GOST-12"];

pub(super) const GROUPS: &[&str] =
    &["SECP256R1", "SECP384R1", "SECP521R1", "X25519", "X448", "FFDHE2048", "FFDHE3072", "FFDHE4096", "FFDHE6144", "FFDHE8192"];
pub(super) const FIELDS: &[&str] = &["FFDHE2048", "FFDHE3072", "FFDHE4096", "FFDHE6144", "FFDHE8192"];
pub(super) const CURVES: &[&str] = &["SECP256R1", "SECP384R1", "SECP521R1", "X25519", "X448"];
pub(super) const GOST_GROUPS: &[&str] = &["GC256A", "GC256B", "GC256C", "GC256D", "GC512A", "GC512B", "GC512C"];
const GROUPS_192: &[&str] = &["SECP384R1", "SECP521R1", "FFDHE8192"];

pub(super) const SIGNATURES: &[&str] = &[
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
    "RSA-SHA256",
    "RSA-PSS-SHA256",
    "RSA-PSS-RSAE-SHA256",
    "ECDSA-SHA256",
    "ECDSA-SECP256R1-SHA256",
    "EdDSA-Ed25519",
    "RSA-SHA384",
    "RSA-PSS-SHA384",
    "RSA-PSS-RSAE-SHA384",
    "ECDSA-SHA384",
    "ECDSA-SECP384R1-SHA384",
    "EdDSA-Ed448",
    "RSA-SHA512",
    "RSA-PSS-SHA512",
    "RSA-PSS-RSAE-SHA512",
    "ECDSA-SHA512",
    "ECDSA-SECP521R1-SHA512",
    "RSA-SHA1",
    "ECDSA-SHA1",
];
const SIGNATURES_128: &[&str] = &[
    "RSA-SHA256",
    "RSA-PSS-SHA256",
    "RSA-PSS-RSAE-SHA256",
    "ECDSA-SHA256",
    "ECDSA-SECP256R1-SHA256",
    "EdDSA-Ed25519",
    "RSA-SHA384",
    "RSA-PSS-SHA384",
    "RSA-PSS-RSAE-SHA384",
    "ECDSA-SHA384",
    "ECDSA-SECP384R1-SHA384",
    "EdDSA-Ed448",
    "RSA-SHA512",
    "RSA-PSS-SHA512",
    "RSA-PSS-RSAE-SHA512",
    "ECDSA-SHA512",
    "ECDSA-SECP521R1-SHA512",
];
const SIGNATURES_192: &[&str] = &[
    "RSA-SHA384",
    "RSA-PSS-SHA384",
    "RSA-PSS-RSAE-SHA384",
    "ECDSA-SHA384",
    "ECDSA-SECP384R1-SHA384",
    "EdDSA-Ed448",
    "RSA-SHA512",
    "RSA-PSS-SHA512",
    "RSA-PSS-RSAE-SHA512",
    "ECDSA-SHA512",
    "ECDSA-SECP521R1-SHA512",
];
pub(super) const GOST_SIGNATURES: &[&str] = &["GOSTR341012-256", "GOSTR341012-512"];

/// Members of lists that came with a release: the list's owner (`None`: every list), the member, the release.
const LATER: &[(Option<&str>, &str, Release)] = &[
    (None, "ML-DSA-44", Release::new(3, 8, 10)),
    (None, "ML-DSA-65", Release::new(3, 8, 10)),
    (None, "ML-DSA-87", Release::new(3, 8, 10)),
    (Some("SECURE192"), "EdDSA-Ed448", Release::new(3, 7, 0)),
];

/// Whether a release has this member in the list of this keyword (`None`: in the list of a family).
pub(super) fn has(release: Release, keyword: Option<&str>, member: &str) -> bool {
    let row = LATER.iter().find(|(owner, name, _)| *name == member && (owner.is_none() || *owner == keyword));
    row.is_none_or(|(.., since)| release >= *since)
}

const NORMAL: Keyword = Keyword {
    name: "NORMAL",
    alias: None,
    versions: None,
    ciphers: CIPHERS,
    macs: MACS,
    key_exchanges: KEY_EXCHANGES,
    signatures: SIGNATURES,
    groups: GROUPS,
};

const SUITE_B_128: Keyword = Keyword {
    name: "SUITEB128",
    alias: None,
    versions: Some(&["TLS1.2"]),
    ciphers: &["AES-256-GCM", "AES-128-GCM"],
    macs: AEAD,
    key_exchanges: &["ECDHE-ECDSA"],
    signatures: &["ECDSA-SHA256", "ECDSA-SECP256R1-SHA256", "ECDSA-SHA384", "ECDSA-SECP384R1-SHA384"],
    groups: &["SECP256R1", "SECP384R1"],
};

pub(super) const KEYWORDS: &[Keyword] = &[
    NORMAL,
    Keyword { name: "PFS", key_exchanges: FORWARD_SECRET, ..NORMAL },
    Keyword { name: "SECURE128", alias: Some("SECURE"), ciphers: CIPHERS_128, signatures: SIGNATURES_128, ..NORMAL },
    Keyword {
        name: "SECURE192",
        alias: Some("SECURE256"),
        ciphers: CIPHERS_192,
        macs: AEAD,
        signatures: SIGNATURES_192,
        groups: GROUPS_192,
        ..NORMAL
    },
    SUITE_B_128,
    Keyword {
        name: "SUITEB192",
        ciphers: &["AES-256-GCM"],
        signatures: &["ECDSA-SHA384", "ECDSA-SECP384R1-SHA384"],
        groups: &["SECP384R1"],
        ..SUITE_B_128
    },
    Keyword { name: "LEGACY", ..NORMAL },
    Keyword { name: "PERFORMANCE", ciphers: QUICK_CIPHERS, key_exchanges: QUICK_KEY_EXCHANGES, ..NORMAL },
];
