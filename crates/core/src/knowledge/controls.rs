//! Hellos that offer everything at one version: the controls against which a failing hello is compared.
//!
//! Their lengths are chosen: the one for TLS 1.1 and below stays under 256 bytes, the others are at least 520 bytes long, so
//! that none falls into 256 to 511 bytes, a range that some load balancers cannot take, and so that a server that refuses
//! long hellos is still reached by one of them.

use tlswhy_wire::{
    Authentication, CipherSuite, ExtensionSpec, ExtensionType, HelloFormat, HelloSpec, KeyExchange, NamedGroup,
    ProtocolVersion, SignatureScheme, Sslv2CipherKind,
};

/// Groups in the order in which the controls offer them: usual ones first.
const GROUPS: &[NamedGroup] = &[
    NamedGroup::X25519,
    NamedGroup::SECP256R1,
    NamedGroup::SECP384R1,
    NamedGroup::SECP521R1,
    NamedGroup::X448,
    NamedGroup::X25519MLKEM768,
    NamedGroup::SECP256R1MLKEM768,
    NamedGroup::SECP384R1MLKEM1024,
    NamedGroup::MLKEM768,
    NamedGroup::MLKEM1024,
    NamedGroup::MLKEM512,
    NamedGroup::FFDHE2048,
    NamedGroup::FFDHE3072,
    NamedGroup::FFDHE4096,
    NamedGroup::FFDHE6144,
    NamedGroup::FFDHE8192,
    NamedGroup::BRAINPOOLP256R1TLS13,
    NamedGroup::BRAINPOOLP384R1TLS13,
    NamedGroup::BRAINPOOLP512R1TLS13,
];

/// Groups of TLS 1.2 and below only.
const OLD_GROUPS: &[NamedGroup] = &[
    NamedGroup::SECP224R1,
    NamedGroup::SECP192R1,
    NamedGroup::SECP256K1,
    NamedGroup::BRAINPOOLP256R1,
    NamedGroup::BRAINPOOLP384R1,
    NamedGroup::BRAINPOOLP512R1,
    NamedGroup::SECT233R1,
    NamedGroup::SECT283R1,
    NamedGroup::SECT571R1,
];

/// Groups for which the TLS 1.3 control sends a key share; the others are reached by HelloRetryRequest.
const SHARES: &[NamedGroup] = &[NamedGroup::X25519, NamedGroup::SECP256R1];

/// Signature schemes that TLS 1.3 allows in CertificateVerify, and the older ones behind them.
const SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::ECDSA_SECP521R1_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::ED448,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::RSA_PSS_PSS_SHA256,
    SignatureScheme::RSA_PSS_PSS_SHA384,
    SignatureScheme::RSA_PSS_PSS_SHA512,
    SignatureScheme::MLDSA44,
    SignatureScheme::MLDSA65,
    SignatureScheme::MLDSA87,
    SignatureScheme::ECDSA_BRAINPOOLP256R1TLS13_SHA256,
    SignatureScheme::ECDSA_BRAINPOOLP384R1TLS13_SHA384,
    SignatureScheme::ECDSA_BRAINPOOLP512R1TLS13_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::ECDSA_SHA224,
    SignatureScheme::RSA_PKCS1_SHA224,
    SignatureScheme::ECDSA_SHA1,
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::DSA_SHA256,
    SignatureScheme::DSA_SHA224,
    SignatureScheme::DSA_SHA1,
    SignatureScheme::RSA_PKCS1_MD5,
];

/// TLS 1.3 suites; those that we cannot decrypt come last.
const TLS13_SUITES: &[CipherSuite] = &[
    CipherSuite::TLS_AES_128_GCM_SHA256,
    CipherSuite::TLS_AES_256_GCM_SHA384,
    CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_AES_128_CCM_SHA256,
    CipherSuite::TLS_AES_128_CCM_8_SHA256,
    CipherSuite::TLS_SM4_GCM_SM3,
    CipherSuite::TLS_SM4_CCM_SM3,
];

/// Shortest length, in bytes, of the controls for TLS 1.2 and 1.3.
pub const LONG: u16 = 520;
/// A server name that nobody filters: kept for examples (RFC 6761 §6.5).
pub const NEUTRAL_NAME: &str = "www.example.com";

/// Everything that TLS 1.3 offers, and nothing below it.
pub fn tls13(server_name: Option<&str>) -> HelloSpec {
    HelloSpec {
        legacy_version: ProtocolVersion::TLSV1_2,
        cipher_suites: TLS13_SUITES.to_vec(),
        session_id_length: 32,
        extensions: Some(vec![
            ExtensionSpec::SupportedVersions(vec![ProtocolVersion::TLSV1_3]),
            ExtensionSpec::SupportedGroups(GROUPS.to_vec()),
            ExtensionSpec::KeyShare(SHARES.to_vec()),
            ExtensionSpec::SignatureAlgorithms(SCHEMES.to_vec()),
            ExtensionSpec::PskKeyExchangeModes(vec![1]),
        ]),
        pad_to: Some(LONG),
        ..HelloSpec::default()
    }
    .with_server_name(server_name)
}

/// Everything that TLS 1.2 offers as its highest version.
pub fn tls12(server_name: Option<&str>) -> HelloSpec {
    below_13(ProtocolVersion::TLSV1_2, server_name)
}

/// Everything that TLS 1.1 offers as its highest version; short.
pub fn tls11(server_name: Option<&str>) -> HelloSpec {
    short(below_13(ProtocolVersion::TLSV1_1, server_name))
}

/// Everything that TLS 1.0 offers as its highest version; short.
pub fn tls10(server_name: Option<&str>) -> HelloSpec {
    short(below_13(ProtocolVersion::TLSV1_0, server_name))
}

/// TLS 1.1 and below with RSA key exchange alone, which the server does not sign: an OpenSSL 3 server at level 1 and above
/// cannot sign in these versions.
pub fn tls11_without_signature(server_name: Option<&str>) -> HelloSpec {
    let mut hello = tls11(server_name);
    hello
        .cipher_suites
        .retain(|suite| suite.is_signalling() || suite.details().is_some_and(|row| row.key_exchange == KeyExchange::Rsa));
    hello
}

/// What TLS 1.2 offers, named in supported_versions as its only version.
pub fn tls12_named(server_name: Option<&str>) -> HelloSpec {
    tls12(server_name).with_extension(ExtensionSpec::SupportedVersions(vec![ProtocolVersion::TLSV1_2]))
}

/// The TLS 1.2 suites that [`tls12`] leaves out: anonymous, unencrypted, pre-shared keys, national ones.
pub fn tls12_unusual(server_name: Option<&str>) -> HelloSpec {
    const MOST: usize = 120;
    let usual = suites_for(ProtocolVersion::TLSV1_2);
    let mut rows: Vec<_> = CipherSuite::all()
        .filter_map(CipherSuite::details)
        .filter(|row| row.usable_with(ProtocolVersion::TLSV1_2) && row.lowest < ProtocolVersion::TLSV1_3)
        // Those that OpenSSL has, or had, a name for: no other library serves suites that it never knew.
        .filter(|row| row.openssl_name.is_some() && !usual.contains(&row.suite))
        .collect();
    rows.sort_by_key(|row| {
        let rank = match row.key_exchange {
            KeyExchange::DhAnon | KeyExchange::EcdhAnon => 0,
            KeyExchange::Rsa | KeyExchange::Dhe | KeyExchange::Ecdhe => 1,
            KeyExchange::Gost => 2,
            KeyExchange::Psk | KeyExchange::DhePsk | KeyExchange::EcdhePsk | KeyExchange::RsaPsk => 3,
            _ => 4,
        };
        (rank, row.suite)
    });
    let mut suites: Vec<CipherSuite> = rows.into_iter().map(|row| row.suite).take(MOST).collect();
    suites.push(CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
    tls12(server_name).with_suites(suites)
}

/// A TLS 1.2 hello under 256 bytes: the usual suites and groups only.
pub fn short_tls12(server_name: Option<&str>) -> HelloSpec {
    let mut hello = short(below_13(ProtocolVersion::TLSV1_2, server_name));
    hello.cipher_suites = usual(&hello.cipher_suites);
    // Without the extension either, for servers that break on what they do not know.
    hello.without(ExtensionType::EXTENDED_MASTER_SECRET).with_signature_schemes(&[
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA1,
    ])
}

/// SSL 3.0 alone, without extensions.
pub fn ssl3() -> HelloSpec {
    let mut cipher_suites: Vec<CipherSuite> = suites_for(ProtocolVersion::SSLV3);
    cipher_suites.push(CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
    HelloSpec {
        record_version: ProtocolVersion::SSLV3,
        legacy_version: ProtocolVersion::SSLV3,
        cipher_suites,
        ..HelloSpec::default()
    }
}

/// SSL 2.0 alone.
pub fn ssl2() -> HelloSpec {
    HelloSpec {
        format: HelloFormat::Sslv2,
        record_version: ProtocolVersion::SSLV2,
        legacy_version: ProtocolVersion::SSLV2,
        sslv2_cipher_kinds: Sslv2CipherKind::all().collect(),
        ..HelloSpec::default()
    }
}

/// Suites with a certificate and encryption that can be agreed at `version`, best first.
pub fn suites_for(version: ProtocolVersion) -> Vec<CipherSuite> {
    if version >= ProtocolVersion::TLSV1_3 {
        return TLS13_SUITES.to_vec();
    }
    let mut rows: Vec<_> = CipherSuite::all()
        .filter_map(CipherSuite::details)
        .filter(|row| row.usable_with(version) && row.strength_bits() > 0)
        .filter(|row| matches!(row.key_exchange, KeyExchange::Rsa | KeyExchange::Dhe | KeyExchange::Ecdhe))
        .filter(|row| matches!(row.authentication, Authentication::Rsa | Authentication::Ecdsa | Authentication::Dss))
        .collect();
    rows.sort_by_key(|row| {
        let exchange = match row.key_exchange {
            KeyExchange::Ecdhe => 0,
            KeyExchange::Dhe => 1,
            _ => 2,
        };
        (!row.is_aead(), exchange, std::cmp::Reverse(row.strength_bits().min(128)), row.suite)
    });
    rows.into_iter().map(|row| row.suite).collect()
}

fn below_13(version: ProtocolVersion, server_name: Option<&str>) -> HelloSpec {
    let mut cipher_suites = suites_for(version);
    cipher_suites.push(CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
    // The group that every client has comes first, so that a server without a preference shows that it has it too.
    let usual = [NamedGroup::SECP256R1];
    let others = GROUPS.iter().chain(OLD_GROUPS).copied().filter(|group| group.0 < 31 && !usual.contains(group));
    let groups: Vec<NamedGroup> = usual.into_iter().chain(others).collect();
    let mut extensions = vec![
        ExtensionSpec::SupportedGroups(groups),
        ExtensionSpec::EcPointFormats(vec![0]),
        ExtensionSpec::ExtendedMasterSecret,
    ];
    if version >= ProtocolVersion::TLSV1_2 {
        let schemes = SCHEMES.iter().copied().filter(|scheme| !is_tls13_only(*scheme)).collect();
        extensions.push(ExtensionSpec::SignatureAlgorithms(schemes));
    }
    HelloSpec {
        legacy_version: version,
        cipher_suites,
        extensions: Some(extensions),
        pad_to: Some(LONG),
        ..HelloSpec::default()
    }
    .with_server_name(server_name)
}

fn short(mut hello: HelloSpec) -> HelloSpec {
    hello.pad_to = None;
    hello
        .cipher_suites
        .retain(|suite| suite.is_signalling() || suite.details().is_some_and(|row| row.authentication != Authentication::Dss));
    hello
}

fn usual(suites: &[CipherSuite]) -> Vec<CipherSuite> {
    const USUAL: usize = 24;
    let mut kept: Vec<CipherSuite> = suites
        .iter()
        .copied()
        .filter(|suite| {
            suite.is_signalling()
                || suite.details().is_some_and(|row| {
                    matches!(row.encryption, tlswhy_wire::Encryption::Aes | tlswhy_wire::Encryption::Chacha20Poly1305)
                })
        })
        .collect();
    kept.truncate(USUAL);
    for suite in [
        CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA,
        CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
    ] {
        if !kept.contains(&suite) {
            kept.push(suite);
        }
    }
    kept
}

/// Schemes that have no meaning in TLS 1.2: ML-DSA, and the curves bound to TLS 1.3.
fn is_tls13_only(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::MLDSA44
            | SignatureScheme::MLDSA65
            | SignatureScheme::MLDSA87
            | SignatureScheme::ECDSA_BRAINPOOLP256R1TLS13_SHA256
            | SignatureScheme::ECDSA_BRAINPOOLP384R1TLS13_SHA384
            | SignatureScheme::ECDSA_BRAINPOOLP512R1TLS13_SHA512
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_falls_into_the_length_range_that_load_balancers_choke_on() {
        for hello in [tls13(Some("a.example.test")), tls12(Some("a.example.test"))] {
            assert!(hello.message_length() >= usize::from(LONG), "{}", hello.message_length());
            assert!(hello.message_length() < 1400, "{}", hello.message_length());
        }
        for hello in [tls11(Some("a.example.test")), tls10(Some("a.example.test")), short_tls12(Some("a.example.test")), ssl3()]
        {
            assert!(hello.message_length() < 256, "{}", hello.message_length());
        }
    }

    #[test]
    fn no_control_offers_more_than_128_suites() {
        for version in [ProtocolVersion::SSLV3, ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3] {
            let count = suites_for(version).len();
            assert!(count > 0 && count < 128, "{version}: {count}");
        }
    }
}
