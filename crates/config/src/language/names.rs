//! Versions, groups, suites and signature schemes by the names that programs on OpenSSL take for them.

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

/// Versions, by what SSL_CONF_cmd(3), nginx, Apache, HAProxy, Postfix, MySQL and Dovecot call them.
const VERSIONS: &[(&str, ProtocolVersion)] = &[
    ("sslv2", ProtocolVersion::SSLV2),
    ("sslv3", ProtocolVersion::SSLV3),
    ("tlsv1", ProtocolVersion::TLSV1_0),
    ("tlsv1.0", ProtocolVersion::TLSV1_0),
    ("tls1.0", ProtocolVersion::TLSV1_0),
    ("tlsv1.1", ProtocolVersion::TLSV1_1),
    ("tls1.1", ProtocolVersion::TLSV1_1),
    ("tlsv1.2", ProtocolVersion::TLSV1_2),
    ("tls1.2", ProtocolVersion::TLSV1_2),
    ("tlsv1.3", ProtocolVersion::TLSV1_3),
    ("tls1.3", ProtocolVersion::TLSV1_3),
];

/// Groups, by what OpenSSL calls them besides their IANA names (`openssl ecparam -list_curves`, tls1_lookup_group_id).
const GROUPS: &[(&str, NamedGroup)] = &[
    ("prime256v1", NamedGroup::SECP256R1),
    ("p-256", NamedGroup::SECP256R1),
    ("p-384", NamedGroup::SECP384R1),
    ("p-521", NamedGroup::SECP521R1),
    ("mlkem512", NamedGroup(0x0200)),
    ("mlkem768", NamedGroup(0x0201)),
    ("mlkem1024", NamedGroup(0x0202)),
];

/// The version of this name; case does not matter.
pub fn version(name: &str) -> Option<ProtocolVersion> {
    let name = name.to_ascii_lowercase();
    VERSIONS.iter().find(|(known, _)| *known == name).map(|(_, version)| *version)
}

/// The name of a version as OpenSSL and most programs on it take it: TLS 1.0 is `TLSv1`.
pub fn version_name(version: ProtocolVersion) -> String {
    if version == ProtocolVersion::TLSV1_0 { "TLSv1".to_owned() } else { version.to_string() }
}

/// The group of this name.
pub fn group(name: &str) -> Option<NamedGroup> {
    let lower = name.to_ascii_lowercase();
    let own = GROUPS.iter().find(|(known, _)| *known == lower).map(|(_, group)| *group);
    own.or_else(|| name.parse().ok()).or_else(|| lower.parse().ok())
}

/// The groups of a list with colons; `None` where none of its names is known. Since OpenSSL 3.5 names may carry `*` (a key share) and
/// `?` (ignored where unknown), and `/` divides tuples.
pub fn groups(list: &str) -> Option<Vec<NamedGroup>> {
    let names = list.split([':', '/']).map(|name| name.trim().trim_start_matches(['*', '?']));
    let known: Vec<NamedGroup> = names.filter_map(group).collect();
    (!known.is_empty()).then_some(known)
}

/// The name of a group as every OpenSSL since 1.0.2 takes it.
pub fn group_name(group: NamedGroup) -> String {
    match group {
        NamedGroup::SECP256R1 => "prime256v1".to_owned(),
        NamedGroup::X25519 => "X25519".to_owned(),
        NamedGroup::X448 => "X448".to_owned(),
        other => other.to_string(),
    }
}

/// The suites of a list with colons, unknown names left out; `None` where none is known.
pub fn suites(list: &str) -> Option<Vec<CipherSuite>> {
    let known: Vec<CipherSuite> = list.split([':', ',', ' ']).filter_map(|name| name.trim().parse().ok()).collect();
    (!known.is_empty()).then_some(known)
}

/// The signature schemes of a list with colons: IANA names, and OpenSSL's `RSA+SHA256`; a name that fits no scheme is left out.
pub fn signature_schemes(list: &str) -> Option<Vec<SignatureScheme>> {
    let known: Vec<SignatureScheme> = list.split(':').filter_map(|name| signature_scheme(name.trim())).collect();
    (!known.is_empty()).then_some(known)
}

fn signature_scheme(name: &str) -> Option<SignatureScheme> {
    let name = name.trim_start_matches('?');
    if let Some((key, digest)) = name.split_once('+') {
        let digest = digest.to_ascii_lowercase();
        let iana = match key.to_ascii_uppercase().as_str() {
            "RSA" => format!("rsa_pkcs1_{digest}"),
            "RSA-PSS" | "PSS" => format!("rsa_pss_rsae_{digest}"),
            "ECDSA" => match digest.as_str() {
                "sha256" => "ecdsa_secp256r1_sha256".to_owned(),
                "sha384" => "ecdsa_secp384r1_sha384".to_owned(),
                "sha512" => "ecdsa_secp521r1_sha512".to_owned(),
                other => format!("ecdsa_{other}"),
            },
            _ => return None,
        };
        return iana.parse().ok();
    }
    name.to_ascii_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_programs_write_them() {
        assert_eq!(version("TLSv1"), Some(ProtocolVersion::TLSV1_0));
        assert_eq!(version("tls1.3"), Some(ProtocolVersion::TLSV1_3));
        assert_eq!(version("TLSv1.4"), None);
        assert_eq!(groups("X25519:prime256v1:P-384:nonsense").map(|groups| groups.len()), Some(3));
        assert_eq!(groups("*X25519MLKEM768 / *X25519:?none").map(|groups| groups.len()), Some(2));
        assert_eq!(groups("auto"), None);
        assert_eq!(suites("TLS_AES_128_GCM_SHA256:nonsense").map(|suites| suites.len()), Some(1));
        assert_eq!(signature_schemes("RSA+SHA256:ecdsa_secp256r1_sha256:ed25519").map(|schemes| schemes.len()), Some(3));
        assert_eq!(group(&group_name(NamedGroup::SECP384R1)), Some(NamedGroup::SECP384R1));
    }
}
