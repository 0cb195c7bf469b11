//! This machine's OpenSSL as a judged client, from what it showed of itself.

use tlswhy_model::{ClientPolicy, ClientProfile, LocalOpenssl, Software};
use tlswhy_wire::{NamedGroup, ProtocolVersion, SignatureScheme, client_hello};

/// Name of the profile of this machine's OpenSSL.
pub const LOCAL: &str = "openssl-local";

/// Makes a profile of the hello that `openssl s_client` sends here, with the security level that its choice of weak groups
/// reveals. `None` if its hello cannot be read.
pub fn local_openssl(seen: &LocalOpenssl) -> Option<ClientProfile> {
    let (record_version, hello) = client_hello::from_records(&seen.hello).ok()?;
    let hello = hello.to_spec(record_version);
    let release = release(&seen.version_text);
    let level = security_level(seen);
    let major: u32 = release.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(3);
    let mut client = ClientProfile {
        name: LOCAL.to_owned(),
        title: format!("OpenSSL {release} (this machine)"),
        software: Software {
            product: "OpenSSL".to_owned(),
            version: release,
            library: Some("OpenSSL".to_owned()),
            read_from: Some("openssl version".to_owned()),
        },
        panel: false,
        source: "the hello of this machine's openssl s_client".to_owned(),
        policy: ClientPolicy {
            // Without supported_versions the hello does not tell its lower end; OpenSSL then takes what it was built with.
            minimum_version: hello.offered_versions().iter().filter(|version| !version.is_grease()).min().copied(),
            security_level: None,
            minimum_rsa_bits: None,
            minimum_dh_bits: None,
            minimum_ecdsa_bits: None,
            requires_secure_renegotiation: Some(major >= 3),
            requires_extended_master_secret: None,
            allows_sha1_signatures: Some(major < 3),
            legacy_signature_refused: Some(major >= 3),
            checks_downgrade_sentinel: Some(true),
            fetches_aia: Some(false),
            common_name_fallback: Some(true),
            // X509_check_ip(3) never looks at the common name.
            common_name_addresses: Some(false),
            chain_order: Some("any".to_owned()),
            // Since 1.1.0 a trusted certificate is looked for first, and another path tried where one does not end.
            tries_alternative_paths: Some(false),
            accepts_partial_chain: Some(false),
            preloads_intermediates: Some(false),
            // X509_check_host(3) without X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS; purpose sslserver.
            partial_wildcards: Some(true),
            accepts_any_purpose: Some(false),
            allows_sha1_certificates: Some(false),
            allows_md5_certificates: Some(false),
            enforces_must_staple: Some(false),
            heeds_stapled_ocsp: Some(false),
            checks_anchor_validity: Some(true),
            maximum_lifetime_days: None,
            strict_certificates: Some(false),
            verification_unknown: None,
            trust_store: Some("system".to_owned()),
            policy_source: Some(
                "openssl version -a; groups and schemes that openssl s_client leaves out when asked for weak ones; SSL_CTX_set_security_level(3)"
                    .to_owned(),
            ),
        },
        hello,
    };
    if let Some(level) = level {
        set_level(&mut client.policy, major, level);
    }
    Some(client)
}

/// Gives a client on OpenSSL of this major version a security level, and what follows from it (SSL_CTX_set_security_level(3)): SHA-1
/// counts as 80 bits before 3.0, and as less since.
pub(crate) fn set_level(policy: &mut ClientPolicy, major: u32, level: u8) {
    let (finite, curve) = floors(level);
    let sha1 = level == 0 || major < 3 && level == 1;
    policy.security_level = Some(level);
    (policy.minimum_rsa_bits, policy.minimum_dh_bits, policy.minimum_ecdsa_bits) = (Some(finite), Some(finite), Some(curve));
    (policy.allows_sha1_signatures, policy.allows_sha1_certificates) = (Some(sha1), Some(sha1));
    policy.allows_md5_certificates = Some(level == 0);
    policy.legacy_signature_refused = Some(major >= 3 && level != 0);
}

/// `3.0.19` of `OpenSSL 3.0.19 27 Jan 2026 …`.
fn release(version_text: &str) -> String {
    let words: Vec<&str> = version_text.lines().next().unwrap_or_default().split_whitespace().collect();
    words.get(1).map_or_else(|| "of unknown version".to_owned(), |word| tlswhy_model::printable(word, 40))
}

/// Smallest RSA or Diffie-Hellman modulus and smallest curve, bits, by level (SSL_CTX_set_security_level(3)).
pub(crate) fn floors(level: u8) -> (u32, u32) {
    match level {
        0 => (0, 0),
        1 => (1024, 160),
        2 => (2048, 224),
        3 => (3072, 256),
        4 => (7680, 384),
        _ => (15360, 512),
    }
}

/// The effective level: each level takes the next group or scheme out of the hello; else the compiled-in one.
fn security_level(seen: &LocalOpenssl) -> Option<u8> {
    if let Some(records) = &seen.level_hello
        && let Ok((record_version, hello)) = client_hello::from_records(records)
    {
        let hello = hello.to_spec(record_version);
        let groups = hello.groups();
        let schemes = hello.signature_schemes().unwrap_or_default();
        let level = if groups.contains(&NamedGroup::SECP192R1) {
            u8::from(!schemes.contains(&SignatureScheme::RSA_PKCS1_SHA1))
        } else if groups.contains(&NamedGroup::SECP224R1) {
            2
        } else if groups.contains(&NamedGroup::SECP256R1) {
            3
        } else if groups.contains(&NamedGroup::SECP384R1) {
            4
        } else {
            5
        };
        return Some(level);
    }
    let compiled = seen.version_text.split("OPENSSL_TLS_SECURITY_LEVEL=").nth(1)?;
    compiled.chars().next()?.to_digit(10).map(|digit| digit as u8)
}

/// The lowest version that an OpenSSL without supported_versions in its hello accepts.
pub(crate) const LOWEST: ProtocolVersion = ProtocolVersion::TLSV1_0;
