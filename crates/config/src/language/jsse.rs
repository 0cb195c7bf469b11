//! What JSSE can do: the suites, groups, signature schemes and versions that a client offers where no list takes any away, in its order.
//!
//! Measured: the hellos of OpenJDK 11.0.13, 17.0.15, 21.0.8 and 25.0.3 with every list of disabled algorithms empty.

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::release::Release;

/// In the order of preference.
const SUITES: &[u16] = &[
    0x1302, 0x1301, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xcca8, 0xc02f, 0x009f, 0xccaa, 0x00a3, 0x009e, 0x00a2, 0xc024,
    0xc028, 0xc023, 0xc027, 0x006b, 0x006a, 0x0067, 0x0040, 0xc02e, 0xc032, 0xc02d, 0xc031, 0xc026, 0xc02a, 0xc025, 0xc029,
    0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0038, 0x0033, 0x0032, 0xc005, 0xc00f, 0xc004, 0xc00e, 0x009d, 0x009c, 0x003d,
    0x003c, 0x0035, 0x002f,
];
/// They follow, before Java 21.
const TRIPLE_DES: &[u16] = &[0xc008, 0xc012, 0x0016, 0x0013, 0xc003, 0xc00d, 0x000a];
const NO_TRIPLE_DES: Release = Release::new(21, 0, 0);
/// Ed25519 and Ed448 sign since this release (JEP 339; measured: not in 11).
const HAS_EDDSA: Release = Release::new(15, 0, 0);
/// SSL 3.0 is off for clients whatever the list says (measured: on in 11, off in 17).
const NO_SSL_3: Release = Release::new(12, 0, 0);
/// Signatures of handshakes and of certificates are told apart since this release (measured: not in 21, in 25).
pub(crate) const HAS_SCOPES: Release = Release::new(25, 0, 0);
/// The first release whose table is the one above; 8 and 7 have others.
const MEASURED: Release = Release::new(11, 0, 0);
/// TLS 1.3 for clients within Java 8, by its update: OpenJDK 8u352 (release notes; Oracle's 8u341).
const TLS_1_3_IN_8: Release = Release::new(8, 0, 352);

/// A group with the words that disable it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) group: NamedGroup,
    /// Algorithms whose plain name takes it.
    pub(crate) algorithms: &'static [&'static str],
    /// Algorithms whose `keySize` it is judged by.
    pub(crate) sized_as: &'static [&'static str],
    pub(crate) bits: u64,
}

const EC: &[&str] = &["EC"];
const XDH: &[&str] = &["XDH"];
const FINITE: &[&str] = &["DiffieHellman"];
const DH: &[&str] = &["DH", "DiffieHellman"];
const NONE: &[&str] = &[];

/// In the order of preference.
pub(crate) static GROUPS: &[Group] = &[
    Group { group: NamedGroup::X25519, algorithms: XDH, sized_as: NONE, bits: 255 },
    Group { group: NamedGroup::SECP256R1, algorithms: EC, sized_as: EC, bits: 256 },
    Group { group: NamedGroup::SECP384R1, algorithms: EC, sized_as: EC, bits: 384 },
    Group { group: NamedGroup::SECP521R1, algorithms: EC, sized_as: EC, bits: 521 },
    Group { group: NamedGroup::X448, algorithms: XDH, sized_as: NONE, bits: 448 },
    Group { group: NamedGroup(0x0100), algorithms: FINITE, sized_as: DH, bits: 2048 },
    Group { group: NamedGroup(0x0101), algorithms: FINITE, sized_as: DH, bits: 3072 },
    Group { group: NamedGroup(0x0102), algorithms: FINITE, sized_as: DH, bits: 4096 },
    Group { group: NamedGroup(0x0103), algorithms: FINITE, sized_as: DH, bits: 6144 },
    Group { group: NamedGroup(0x0104), algorithms: FINITE, sized_as: DH, bits: 8192 },
];

/// A signature scheme with the words that disable it, besides its own name.
#[derive(Debug)]
pub(crate) struct Scheme {
    pub(crate) scheme: SignatureScheme,
    /// The algorithm of its key.
    pub(crate) key: &'static str,
    /// The algorithm of its signature.
    pub(crate) signature: &'static str,
    /// What else its signature is made of.
    pub(crate) parts: &'static [&'static str],
    /// The curve that belongs to it.
    pub(crate) curve: Option<NamedGroup>,
    /// Which hellos have it.
    pub(crate) spoken: Spoken,
}

/// Which hellos have a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// Every one of TLS 1.2 and above.
    Always,
    /// Where a version below 1.3 is offered; without one for certificates alone, which since [`HAS_SCOPES`] are another list.
    HandshakesBelow13,
    /// Where a version below 1.3 is offered.
    Below13,
}

const P256: Option<NamedGroup> = Some(NamedGroup::SECP256R1);
const P384: Option<NamedGroup> = Some(NamedGroup::SECP384R1);
const P521: Option<NamedGroup> = Some(NamedGroup::SECP521R1);
const SHA1: &[&str] = &["SHA1", "SHA-1"];
const SHA224: &[&str] = &["SHA224", "SHA-224"];
const SHA256: &[&str] = &["SHA256", "SHA-256"];
const SHA384: &[&str] = &["SHA384", "SHA-384"];
const SHA512: &[&str] = &["SHA512", "SHA-512"];
const MD5: &[&str] = &["MD5"];

/// In the order of preference.
pub(crate) static SCHEMES: &[Scheme] = &[
    ecdsa(0x0403, "SHA256withECDSA", SHA256, P256, Spoken::Always),
    ecdsa(0x0503, "SHA384withECDSA", SHA384, P384, Spoken::Always),
    ecdsa(0x0603, "SHA512withECDSA", SHA512, P521, Spoken::Always),
    scheme(0x0807, "EdDSA", "Ed25519", NONE, Spoken::Always),
    scheme(0x0808, "EdDSA", "Ed448", NONE, Spoken::Always),
    scheme(0x0804, "RSA", "RSASSA-PSS", NONE, Spoken::Always),
    scheme(0x0805, "RSA", "RSASSA-PSS", NONE, Spoken::Always),
    scheme(0x0806, "RSA", "RSASSA-PSS", NONE, Spoken::Always),
    scheme(0x0809, "RSASSA-PSS", "RSASSA-PSS", NONE, Spoken::Always),
    scheme(0x080a, "RSASSA-PSS", "RSASSA-PSS", NONE, Spoken::Always),
    scheme(0x080b, "RSASSA-PSS", "RSASSA-PSS", NONE, Spoken::Always),
    scheme(0x0401, "RSA", "SHA256withRSA", SHA256, Spoken::HandshakesBelow13),
    scheme(0x0501, "RSA", "SHA384withRSA", SHA384, Spoken::HandshakesBelow13),
    scheme(0x0601, "RSA", "SHA512withRSA", SHA512, Spoken::HandshakesBelow13),
    scheme(0x0402, "DSA", "SHA256withDSA", SHA256, Spoken::Below13),
    ecdsa(0x0303, "SHA224withECDSA", SHA224, None, Spoken::Below13),
    scheme(0x0301, "RSA", "SHA224withRSA", SHA224, Spoken::Below13),
    scheme(0x0302, "DSA", "SHA224withDSA", SHA224, Spoken::Below13),
    ecdsa(0x0203, "SHA1withECDSA", SHA1, None, Spoken::HandshakesBelow13),
    scheme(0x0201, "RSA", "SHA1withRSA", SHA1, Spoken::HandshakesBelow13),
    scheme(0x0202, "DSA", "SHA1withDSA", SHA1, Spoken::Below13),
    scheme(0x0101, "RSA", "MD5withRSA", MD5, Spoken::Below13),
];

const fn scheme(
    number: u16,
    key: &'static str,
    signature: &'static str,
    parts: &'static [&'static str],
    spoken: Spoken,
) -> Scheme {
    Scheme { scheme: SignatureScheme(number), key, signature, parts, curve: None, spoken }
}

const fn ecdsa(
    number: u16,
    signature: &'static str,
    parts: &'static [&'static str],
    curve: Option<NamedGroup>,
    spoken: Spoken,
) -> Scheme {
    Scheme { scheme: SignatureScheme(number), key: "EC", signature, parts, curve, spoken }
}

/// A scheme as Java names it: two of the older ones otherwise than the registry.
pub(crate) fn scheme_name(scheme: SignatureScheme) -> String {
    match scheme.0 {
        0x0301 => "rsa_sha224".to_owned(),
        0x0101 => "rsa_md5".to_owned(),
        _ => scheme.to_string(),
    }
}

const VERSIONS: &[(ProtocolVersion, &str)] = &[
    (ProtocolVersion::TLSV1_3, "TLSv1.3"),
    (ProtocolVersion::TLSV1_2, "TLSv1.2"),
    (ProtocolVersion::TLSV1_1, "TLSv1.1"),
    (ProtocolVersion::TLSV1_0, "TLSv1"),
    (ProtocolVersion::SSLV3, "SSLv3"),
];

/// A version as Java names it.
pub(crate) fn version_name(version: ProtocolVersion) -> Option<&'static str> {
    VERSIONS.iter().find(|(known, _)| *known == version).map(|(_, name)| *name)
}

/// The version that Java knows by this name; the case counts.
pub(crate) fn version(name: &str) -> Option<ProtocolVersion> {
    VERSIONS.iter().find(|(_, known)| *known == name).map(|(version, _)| *version)
}

/// A suite as Java names it: the older ones of 3DES have kept SSL's prefix.
pub(crate) fn suite_name(suite: CipherSuite) -> &'static str {
    match suite.0 {
        0x000a => "SSL_RSA_WITH_3DES_EDE_CBC_SHA",
        0x0013 => "SSL_DHE_DSS_WITH_3DES_EDE_CBC_SHA",
        0x0016 => "SSL_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
        _ => suite.details().map_or("", |row| row.name),
    }
}

/// The versions that a client has on where no list takes any away, newest first.
pub(crate) fn versions(release: Option<Release>) -> Vec<ProtocolVersion> {
    let release = release.unwrap_or(Release::new(u32::MAX, 0, 0));
    let has_13 = release >= MEASURED || release.major == 8 && release >= TLS_1_3_IN_8;
    let is_on = |version: &ProtocolVersion| match *version {
        ProtocolVersion::TLSV1_3 => has_13,
        ProtocolVersion::SSLV3 => release < NO_SSL_3,
        _ => true,
    };
    VERSIONS.iter().map(|(version, _)| *version).filter(is_on).collect()
}

/// The suites that a client has on; `None` of releases whose table is not known.
pub(crate) fn suites(release: Option<Release>) -> Option<Vec<CipherSuite>> {
    let before = |since: Release| release.is_some_and(|release| release < since);
    if before(MEASURED) {
        return None;
    }
    let more = if before(NO_TRIPLE_DES) { TRIPLE_DES } else { &[] };
    Some(SUITES.iter().chain(more).map(|number| CipherSuite(*number)).collect())
}

/// The groups that a client has on; `None` of releases whose table is not known.
pub(crate) fn groups(release: Option<Release>) -> Option<Vec<NamedGroup>> {
    let known = release.is_none_or(|release| release >= MEASURED);
    known.then(|| GROUPS.iter().map(|row| row.group).collect())
}

/// The signature schemes that a client has on; `None` of releases whose table is not known.
pub(crate) fn schemes(release: Option<Release>) -> Option<Vec<SignatureScheme>> {
    let known = release.is_none_or(|release| release >= MEASURED);
    let eddsa = release.is_none_or(|release| release >= HAS_EDDSA);
    let is_on = |scheme: &SignatureScheme| eddsa || !matches!(scheme.0, 0x0807 | 0x0808);
    known.then(|| SCHEMES.iter().map(|row| row.scheme).filter(is_on).collect())
}
