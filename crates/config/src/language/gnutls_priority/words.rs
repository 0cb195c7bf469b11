//! The words of priority strings that stand for one algorithm, with the release since which each is known: facts of
//! lib/algorithms/ (ciphers.c, mac.c, kx.c, groups.c, ecc.c, sign.c, protocols.c) and lib/priority_options.gperf, measured on 3.6.13,
//! 3.7.1, 3.7.3, 3.7.9, 3.8.3, 3.8.9 and 3.8.13.

use tlswhy_wire::ProtocolVersion;

use crate::release::Release;

const ALWAYS: Release = Release::new(0, 0, 0);
const V3_7: Release = Release::new(3, 7, 0);
const V3_7_1: Release = Release::new(3, 7, 1);
const V3_7_3: Release = Release::new(3, 7, 3);
const V3_7_5: Release = Release::new(3, 7, 5);
const V3_8: Release = Release::new(3, 8, 0);
const V3_8_1: Release = Release::new(3, 8, 1);
const V3_8_2: Release = Release::new(3, 8, 2);
const V3_8_6: Release = Release::new(3, 8, 6);
const V3_8_8: Release = Release::new(3, 8, 8);
const V3_8_9: Release = Release::new(3, 8, 9);
const V3_8_12: Release = Release::new(3, 8, 12);

/// A name, and the first release that has it.
pub(super) type Word = (&'static str, Release);

/// Ciphers, those included that no suite of TLS uses: a word for one of these is understood and does nothing.
pub(super) const CIPHERS: &[Word] = &[
    ("3DES-CBC", ALWAYS),
    ("AES-128-CBC", ALWAYS),
    ("AES-128-CCM", ALWAYS),
    ("AES-128-CCM-8", ALWAYS),
    ("AES-128-CFB8", ALWAYS),
    ("AES-128-GCM", ALWAYS),
    ("AES-128-XTS", ALWAYS),
    ("AES-192-CBC", ALWAYS),
    ("AES-192-CFB8", ALWAYS),
    ("AES-256-CBC", ALWAYS),
    ("AES-256-CCM", ALWAYS),
    ("AES-256-CCM-8", ALWAYS),
    ("AES-256-CFB8", ALWAYS),
    ("AES-256-GCM", ALWAYS),
    ("AES-256-XTS", ALWAYS),
    ("ARCFOUR-128", ALWAYS),
    ("CAMELLIA-128-CBC", ALWAYS),
    ("CAMELLIA-128-GCM", ALWAYS),
    ("CAMELLIA-192-CBC", ALWAYS),
    ("CAMELLIA-256-CBC", ALWAYS),
    ("CAMELLIA-256-GCM", ALWAYS),
    ("CHACHA20-32", ALWAYS),
    ("CHACHA20-64", ALWAYS),
    ("CHACHA20-POLY1305", ALWAYS),
    ("DES-CBC", ALWAYS),
    ("ESTREAM-SALSA20-256", ALWAYS),
    ("GOST28147-CPA-CFB", ALWAYS),
    ("GOST28147-CPB-CFB", ALWAYS),
    ("GOST28147-CPC-CFB", ALWAYS),
    ("GOST28147-CPD-CFB", ALWAYS),
    ("GOST28147-TC26Z-CFB", ALWAYS),
    ("GOST28147-TC26Z-CNT", ALWAYS),
    ("NULL", ALWAYS),
    ("RC2-40", ALWAYS),
    ("SALSA20-256", ALWAYS),
    ("AES-128-SIV", V3_7),
    ("AES-192-GCM", V3_7),
    ("AES-256-SIV", V3_7),
    ("KUZNYECHIK-CTR-ACPKM", V3_7),
    ("MAGMA-CTR-ACPKM", V3_7),
    ("AES-128-SIV-GCM", V3_8_2),
    ("AES-256-SIV-GCM", V3_8_2),
    ("AES-128-CFB", V3_8_12),
    ("AES-192-CFB", V3_8_12),
    ("AES-256-CFB", V3_8_12),
];

/// MACs, and digests, which are understood where a MAC is.
pub(super) const MACS: &[Word] = &[
    ("SHA1", ALWAYS),
    ("SHA256", ALWAYS),
    ("SHA384", ALWAYS),
    ("SHA512", ALWAYS),
    ("SHA224", ALWAYS),
    ("UMAC-96", ALWAYS),
    ("UMAC-128", ALWAYS),
    ("AEAD", ALWAYS),
    ("MD5", ALWAYS),
    ("GOSTR341194", ALWAYS),
    ("STREEBOG-256", ALWAYS),
    ("STREEBOG-512", ALWAYS),
    ("AES-CMAC-128", ALWAYS),
    ("AES-CMAC-256", ALWAYS),
    ("AES-GMAC-128", ALWAYS),
    ("AES-GMAC-192", ALWAYS),
    ("AES-GMAC-256", ALWAYS),
    ("GOST28147-TC26Z-IMIT", ALWAYS),
    ("OMAC-MAGMA", V3_7),
    ("OMAC-KUZNYECHIK", V3_7),
    ("PBMAC1", V3_8_6),
];

/// Digests that the system's file can speak of.
pub(super) const DIGESTS: &[&str] =
    &["SHA1", "SHA256", "SHA384", "SHA512", "SHA224", "MD5", "GOSTR341194", "STREEBOG-256", "STREEBOG-512"];

/// What a key exchange asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// No group.
    Nothing,
    /// A curve.
    Curve,
    /// A finite field.
    Field,
}

/// One key exchange.
pub(super) struct KeyExchange {
    pub(super) name: &'static str,
    pub(super) needs: Needs,
    /// With it on, TLS 1.3 is off (SRP, RSA with a key held in common).
    pub(super) rules_out_13: bool,
    /// TLS 1.3 can use its keys held in common.
    pub(super) shared_key: bool,
    /// The first release that is built without it.
    pub(super) until: Option<Release>,
}

const fn key_exchange(name: &'static str, needs: Needs) -> KeyExchange {
    KeyExchange { name, needs, rules_out_13: false, shared_key: false, until: None }
}

const fn shared(name: &'static str, needs: Needs) -> KeyExchange {
    KeyExchange { shared_key: true, ..key_exchange(name, needs) }
}

/// SRP: since 3.8.0 off unless built in on purpose.
const fn srp(name: &'static str) -> KeyExchange {
    KeyExchange { rules_out_13: true, until: Some(V3_8), ..key_exchange(name, Needs::Nothing) }
}

pub(super) const KEY_EXCHANGES: &[KeyExchange] = &[
    key_exchange("ECDHE-RSA", Needs::Curve),
    key_exchange("ECDHE-ECDSA", Needs::Curve),
    key_exchange("RSA", Needs::Nothing),
    key_exchange("DHE-RSA", Needs::Field),
    key_exchange("DHE-DSS", Needs::Field),
    shared("PSK", Needs::Nothing),
    KeyExchange { rules_out_13: true, ..key_exchange("RSA-PSK", Needs::Nothing) },
    shared("DHE-PSK", Needs::Field),
    shared("ECDHE-PSK", Needs::Curve),
    srp("SRP-DSS"),
    srp("SRP-RSA"),
    srp("SRP"),
    key_exchange("ANON-DH", Needs::Field),
    key_exchange("ANON-ECDH", Needs::Curve),
    key_exchange("VKO-GOST-12", Needs::Curve),
];

/// Words of old, which are understood and do nothing.
pub(super) const GONE: &[&str] = &["ARCFOUR-40", "RSA-EXPORT"];

/// What a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A curve.
    Curve,
    /// A finite field.
    Field,
    /// A curve joined with ML-KEM.
    Hybrid,
}

/// One group: its code, what `GROUP-` calls it, what `CURVE-` and the system's file call its curve, what it is, since when.
pub(super) struct Group {
    pub(super) code: u16,
    pub(super) name: &'static str,
    pub(super) curve: Option<&'static str>,
    pub(super) kind: Kind,
    pub(super) since: Release,
    /// The cryptographic library has it.
    pub(super) usable: bool,
}

const fn curve(code: u16, name: &'static str, curve: &'static str) -> Group {
    Group { code, name, curve: Some(curve), kind: Kind::Curve, since: ALWAYS, usable: true }
}

const fn field(code: u16, name: &'static str) -> Group {
    Group { code, name, curve: None, kind: Kind::Field, since: ALWAYS, usable: true }
}

/// GOST's curves that nettle does not have: words since 3.7.3, and in no hello.
const fn gost(code: u16, name: &'static str, own: &'static str) -> Group {
    Group { since: V3_7_3, usable: false, ..curve(code, name, own) }
}

const fn hybrid(code: u16, name: &'static str, since: Release) -> Group {
    Group { code, name, curve: None, kind: Kind::Hybrid, since, usable: true }
}

pub(super) const GROUPS: &[Group] = &[
    curve(19, "SECP192R1", "SECP192R1"),
    curve(21, "SECP224R1", "SECP224R1"),
    curve(23, "SECP256R1", "SECP256R1"),
    curve(24, "SECP384R1", "SECP384R1"),
    curve(25, "SECP521R1", "SECP521R1"),
    curve(29, "X25519", "X25519"),
    gost(34, "GC256A", "TC26-256-A"),
    curve(35, "GC256B", "TC26-256-B"),
    gost(36, "GC256C", "TC26-256-C"),
    gost(37, "GC256D", "TC26-256-D"),
    curve(38, "GC512A", "TC26-512-A"),
    gost(39, "GC512B", "TC26-512-B"),
    gost(40, "GC512C", "TC26-512-C"),
    curve(30, "X448", "X448"),
    field(0x100, "FFDHE2048"),
    field(0x101, "FFDHE3072"),
    field(0x102, "FFDHE4096"),
    field(0x103, "FFDHE6144"),
    field(0x104, "FFDHE8192"),
    hybrid(0x11eb, "SECP256R1-MLKEM768", V3_8_8),
    hybrid(0x11ec, "X25519-MLKEM768", V3_8_8),
    hybrid(0x11ed, "SECP384R1-MLKEM1024", V3_8_9),
];

/// Curves that `CURVE-` knows and TLS does not exchange keys on.
pub(super) const OTHER_CURVES: &[&str] =
    &["Ed25519", "Ed448", "CryptoPro-A", "CryptoPro-B", "CryptoPro-C", "CryptoPro-XchA", "CryptoPro-XchB"];

/// In which versions a signature algorithm is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// In every version.
    Both,
    /// Up to TLS 1.2.
    Before13,
    /// In TLS 1.3.
    From13,
}

/// One signature algorithm: what `SIGN-` calls it, its code (none where TLS has none), its digest, its versions, since when.
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) code: Option<u16>,
    pub(super) digest: &'static str,
    pub(super) era: Era,
    pub(super) since: Release,
}

const fn signature(name: &'static str, code: u16, digest: &'static str, era: Era) -> Signature {
    Signature { name, code: Some(code), digest, era, since: ALWAYS }
}

/// One that TLS has no code for.
const fn without_code(name: &'static str) -> Signature {
    Signature { name, code: None, digest: "", era: Era::Both, since: ALWAYS }
}

/// Known since 3.8.9, and used in TLS since 3.8.10.
const fn post_quantum(name: &'static str, code: u16) -> Signature {
    Signature { since: V3_8_9, ..signature(name, code, "", Era::From13) }
}

impl Signature {
    /// Its code, where this release uses it in TLS.
    pub(super) fn code_in(&self, release: Release) -> Option<u16> {
        self.code.filter(|code| !(0x0904..=0x0906).contains(code) || release >= Release::new(3, 8, 10))
    }
}

pub(super) const SIGNATURES: &[Signature] = &[
    signature("RSA-SHA256", 0x0401, "SHA256", Era::Both),
    signature("RSA-SHA384", 0x0501, "SHA384", Era::Both),
    signature("RSA-SHA512", 0x0601, "SHA512", Era::Both),
    signature("RSA-PSS-SHA256", 0x0809, "SHA256", Era::Both),
    signature("RSA-PSS-RSAE-SHA256", 0x0804, "SHA256", Era::Both),
    signature("RSA-PSS-SHA384", 0x080a, "SHA384", Era::Both),
    signature("RSA-PSS-RSAE-SHA384", 0x0805, "SHA384", Era::Both),
    signature("RSA-PSS-SHA512", 0x080b, "SHA512", Era::Both),
    signature("RSA-PSS-RSAE-SHA512", 0x0806, "SHA512", Era::Both),
    signature("EdDSA-Ed25519", 0x0807, "SHA512", Era::Both),
    signature("EdDSA-Ed448", 0x0808, "SHAKE-256", Era::Both),
    signature("ECDSA-SHA256", 0x0403, "SHA256", Era::Before13),
    signature("ECDSA-SHA384", 0x0503, "SHA384", Era::Before13),
    signature("ECDSA-SHA512", 0x0603, "SHA512", Era::Before13),
    signature("ECDSA-SECP256R1-SHA256", 0x0403, "SHA256", Era::From13),
    signature("ECDSA-SECP384R1-SHA384", 0x0503, "SHA384", Era::From13),
    signature("ECDSA-SECP521R1-SHA512", 0x0603, "SHA512", Era::From13),
    signature("RSA-SHA1", 0x0201, "SHA1", Era::Both),
    signature("DSA-SHA1", 0x0202, "SHA1", Era::Before13),
    signature("ECDSA-SHA1", 0x0203, "SHA1", Era::Both),
    signature("GOSTR341012-512", 0x0841, "STREEBOG-512", Era::Before13),
    signature("GOSTR341012-256", 0x0840, "STREEBOG-256", Era::Before13),
    post_quantum("ML-DSA-44", 0x0904),
    post_quantum("ML-DSA-65", 0x0905),
    post_quantum("ML-DSA-87", 0x0906),
    without_code("ECDSA-SHA3-224"),
    without_code("ECDSA-SHA3-256"),
    without_code("ECDSA-SHA3-384"),
    without_code("ECDSA-SHA3-512"),
    without_code("RSA-SHA3-224"),
    without_code("RSA-SHA3-256"),
    without_code("RSA-SHA3-384"),
    without_code("RSA-SHA3-512"),
    without_code("DSA-SHA3-224"),
    without_code("DSA-SHA3-256"),
    without_code("DSA-SHA3-384"),
    without_code("DSA-SHA3-512"),
    without_code("RSA-RAW"),
    without_code("RSA-SHA224"),
    without_code("RSA-RMD160"),
    without_code("DSA-SHA224"),
    without_code("DSA-SHA256"),
    without_code("RSA-MD5"),
    without_code("RSA-MD2"),
    without_code("ECDSA-SHA224"),
    without_code("GOSTR341001"),
    without_code("DSA-SHA384"),
    without_code("DSA-SHA512"),
];

/// The versions that `VERS-` knows, with TLS's; none of the others is looked at further than whether it is on.
pub(super) const VERSIONS: &[(&str, Option<ProtocolVersion>)] = &[
    ("SSL3.0", Some(ProtocolVersion::SSLV3)),
    ("TLS1.0", Some(ProtocolVersion::TLSV1_0)),
    ("TLS1.1", Some(ProtocolVersion::TLSV1_1)),
    ("TLS1.2", Some(ProtocolVersion::TLSV1_2)),
    ("TLS1.3", Some(ProtocolVersion::TLSV1_3)),
    ("DTLS0.9", None),
    ("DTLS1.0", None),
    ("DTLS1.2", None),
];

/// Kinds of certificates that `CTYPE-` knows.
pub(super) const CERTIFICATE_TYPES: &[&str] = &["X.509", "X509", "RAWPK"];

/// Options, after `%`. Their case counts.
pub(super) const OPTIONS: &[Word] = &[
    ("COMPAT", ALWAYS),
    ("DUMBFW", ALWAYS),
    ("NO_EXTENSIONS", ALWAYS),
    ("NO_TICKETS", ALWAYS),
    ("NO_TICKETS_TLS12", V3_7_5),
    ("NO_ETM", ALWAYS),
    ("FORCE_ETM", ALWAYS),
    ("NO_SESSION_HASH", ALWAYS),
    ("FORCE_SESSION_HASH", V3_8_1),
    ("NO_STATUS_REQUEST", V3_8),
    ("STATELESS_COMPRESSION", ALWAYS),
    ("VERIFY_ALLOW_BROKEN", ALWAYS),
    ("VERIFY_ALLOW_SIGN_RSA_MD5", ALWAYS),
    ("VERIFY_ALLOW_SIGN_WITH_SHA1", ALWAYS),
    ("VERIFY_DISABLE_CRL_CHECKS", ALWAYS),
    ("SSL3_RECORD_VERSION", ALWAYS),
    ("LATEST_RECORD_VERSION", ALWAYS),
    ("VERIFY_ALLOW_X509_V1_CA_CRT", ALWAYS),
    ("UNSAFE_RENEGOTIATION", ALWAYS),
    ("SAFE_RENEGOTIATION", ALWAYS),
    ("PARTIAL_RENEGOTIATION", ALWAYS),
    ("DISABLE_SAFE_RENEGOTIATION", ALWAYS),
    ("FALLBACK_SCSV", ALWAYS),
    ("DISABLE_WILDCARDS", ALWAYS),
    ("SERVER_PRECEDENCE", ALWAYS),
    ("PROFILE_VERY_WEAK", ALWAYS),
    ("PROFILE_LOW", ALWAYS),
    ("PROFILE_LEGACY", ALWAYS),
    ("PROFILE_MEDIUM", ALWAYS),
    ("PROFILE_HIGH", ALWAYS),
    ("PROFILE_ULTRA", ALWAYS),
    ("PROFILE_FUTURE", ALWAYS),
    ("PROFILE_SUITEB128", ALWAYS),
    ("PROFILE_SUITEB192", ALWAYS),
    ("NEW_PADDING", ALWAYS),
    ("DEBUG_ALLOW_KEY_USAGE_VIOLATIONS", ALWAYS),
    ("ALLOW_SMALL_RECORDS", ALWAYS),
    // Upstream since 3.7.2; Debian 11 has it in its 3.7.1.
    ("DISABLE_TLS13_COMPAT_MODE", V3_7_1),
    ("NO_SHUFFLE_EXTENSIONS", V3_8_1),
];
