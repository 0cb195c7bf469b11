//! Certificates: read, built into paths, and judged as one client judges them.
//!
//! [`Certificate::read`] never fails. [`judge`] takes what was sent, what is known from elsewhere and a client's trust anchors
//! ([`Store`]), and gives every path with what the client objects to on it, in the order in which it meets it. An
//! [`ObjectionKind`] knows the code of its cause; the causes put it into words.

mod algorithms;
mod asn1;
mod build;
mod certificate;
mod constraints;
pub mod crl;
pub mod dane;
mod der;
mod distinguished;
mod extensions;
pub mod handshake;
mod judge;
mod judgement;
mod names;
pub mod ocsp;
mod policy;
mod read;
pub mod signature;
mod store;
mod strict;
mod suitable;
mod view;

pub(crate) use build::same_name;
pub use certificate::*;
pub use handshake::Proof;
pub use judge::{full_chain, judge, judge_one};
pub use judgement::*;
pub(crate) use read::sha256;
pub use signature::Memo;
pub use store::*;
use tlswhy_wire::NamedGroup;
pub use view::*;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey;

/// Kind and size of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, with the bits of its modulus.
    Rsa {
        /// Bits of the modulus.
        bits: u32,
    },
    /// An elliptic curve key.
    Ec {
        /// Bits of the field.
        bits: u32,
        /// The curve, as the group of that name.
        curve: NamedGroup,
    },
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Ed448 (RFC 8410).
    Ed448,
    /// DSA.
    Dsa,
}

impl KeyKind {
    /// Reads the key of a certificate; `None` where it cannot be read or is of another kind.
    pub fn of_der(der: &[u8]) -> Option<KeyKind> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        KeyKind::of(&certificate)
    }

    pub(crate) fn of(certificate: &X509Certificate<'_>) -> Option<KeyKind> {
        KeyKind::of_info(certificate.public_key())
    }

    pub(crate) fn of_info(info: &SubjectPublicKeyInfo<'_>) -> Option<KeyKind> {
        match info.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => return Some(KeyKind::Ed25519),
            "1.3.101.113" => return Some(KeyKind::Ed448),
            _ => {}
        }
        match info.parsed().ok()? {
            PublicKey::RSA(key) => Some(KeyKind::Rsa { bits: modulus_bits(key.modulus) }),
            PublicKey::EC(_) => {
                let (curve, bits) = curve(info)?;
                Some(KeyKind::Ec { bits, curve })
            }
            PublicKey::DSA(_) => Some(KeyKind::Dsa),
            _ => None,
        }
    }

    /// Whether a signature of this scheme can be made with it (RFC 8446 §4.2.3); of unknown schemes that is not said.
    pub fn signs_with(self, scheme: tlswhy_wire::SignatureScheme) -> bool {
        let name = scheme.to_string();
        match self {
            KeyKind::Rsa { .. } => name.starts_with("rsa_"),
            KeyKind::Ec { .. } => name.starts_with("ecdsa_"),
            KeyKind::Ed25519 => name == "ed25519",
            KeyKind::Ed448 => name == "ed448",
            KeyKind::Dsa => name.starts_with("dsa_"),
        }
    }

    /// In words, such as `RSA-2048`.
    pub fn name(self) -> String {
        match self {
            KeyKind::Rsa { bits } => format!("RSA-{bits}"),
            KeyKind::Ec { curve, bits } if NIST.contains(&curve) => format!("ECDSA (P-{bits})"),
            KeyKind::Ec { curve, .. } => format!("ECDSA ({curve})"),
            KeyKind::Ed25519 => "Ed25519".to_owned(),
            KeyKind::Ed448 => "Ed448".to_owned(),
            KeyKind::Dsa => "DSA".to_owned(),
        }
    }
}

fn modulus_bits(modulus: &[u8]) -> u32 {
    let significant: Vec<u8> = modulus.iter().copied().skip_while(|byte| *byte == 0).collect();
    match significant.first() {
        Some(first) => (significant.len() as u32).saturating_mul(8) - first.leading_zeros(),
        None => 0,
    }
}

/// Curves of certificates: object identifier, group, bits of the field (RFC 5480, RFC 5639, SEC 2).
const CURVES: &[(&str, NamedGroup, u32)] = &[
    ("1.2.840.10045.3.1.1", NamedGroup::SECP192R1, 192),
    ("1.3.132.0.33", NamedGroup::SECP224R1, 224),
    ("1.2.840.10045.3.1.7", NamedGroup::SECP256R1, 256),
    ("1.3.132.0.10", NamedGroup::SECP256K1, 256),
    ("1.3.132.0.34", NamedGroup::SECP384R1, 384),
    ("1.3.132.0.35", NamedGroup::SECP521R1, 521),
    ("1.3.36.3.3.2.8.1.1.7", NamedGroup::BRAINPOOLP256R1, 256),
    ("1.3.36.3.3.2.8.1.1.11", NamedGroup::BRAINPOOLP384R1, 384),
    ("1.3.36.3.3.2.8.1.1.13", NamedGroup::BRAINPOOLP512R1, 512),
];
/// Those that people know as P-192 to P-521 (FIPS 186-4).
const NIST: &[NamedGroup] =
    &[NamedGroup::SECP192R1, NamedGroup::SECP224R1, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];

/// Every name of a key and of a certificate's signature that a report may hold, for tables that use them; RSA without its size.
#[cfg(test)]
pub(crate) fn names_of_keys_and_signatures() -> impl Iterator<Item = String> {
    let curves = CURVES.iter().map(|(_, curve, bits)| KeyKind::Ec { bits: *bits, curve: *curve }.name());
    let others = [KeyKind::Ed25519, KeyKind::Ed448, KeyKind::Dsa].map(KeyKind::name);
    curves.chain(others).chain(["RSA".to_owned()]).chain(algorithms::names().map(str::to_owned))
}

/// The curve of an elliptic-curve key, and the bits of its field.
fn curve(info: &SubjectPublicKeyInfo<'_>) -> Option<(NamedGroup, u32)> {
    let named = info.algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string();
    CURVES.iter().find(|(oid, ..)| *oid == named).map(|(_, group, bits)| (*group, *bits))
}

/// The group of an elliptic-curve certificate's key, which in TLS 1.2 and below must be among the client's groups.
pub(crate) fn certificate_group(der: &[u8]) -> Option<NamedGroup> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    curve(certificate.public_key()).map(|(group, _)| group)
}

/// The DNS names of a certificate: subjectAltName, else the common name. At most eight, printable.
pub(crate) fn names(der: &[u8]) -> Vec<String> {
    const MOST: usize = 8;
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Vec::new();
    };
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let mut names: Vec<String> = alternative
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            x509_parser::prelude::GeneralName::DNSName(name) => Some(tlswhy_model::printable(name, 120)),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        names = certificate
            .subject()
            .iter_common_name()
            .filter_map(|name| name.as_str().ok())
            .map(|name| tlswhy_model::printable(name, 120))
            .collect();
    }
    names.truncate(MOST);
    names
}

/// Distinguished names (DER) in words; at most eight, printable.
pub(crate) fn names_of(names: &[Vec<u8>]) -> Vec<String> {
    const MOST: usize = 8;
    names
        .iter()
        .take(MOST)
        .filter_map(|der| x509_parser::prelude::X509Name::from_der(der).ok())
        .map(|(_, name)| tlswhy_model::printable(&name.to_string(), 120))
        .collect()
}

/// In words, that a certificate ends soon: within 7 days, or within a tenth of its lifetime if that is shorter.
pub(crate) fn ends_soon(certificate: &Certificate, now: i64) -> Option<String> {
    const WEEK: i64 = 7 * 24 * 3600;
    let soon = WEEK.min(certificate.not_after.saturating_sub(certificate.not_before) / 10);
    let left = certificate.not_after.saturating_sub(now);
    let end = jiff::Timestamp::from_second(certificate.not_after).unwrap_or_default();
    (0..soon).contains(&left).then(|| format!("the certificate {} ends on {end}", certificate.subject.text))
}

/// Every text that names somebody in a certificate: subject and issuer attributes, DNS names, mail addresses, URLs.
pub(crate) fn all_names(der: &[u8]) -> Vec<String> {
    use x509_parser::extensions::ParsedExtension;
    use x509_parser::prelude::GeneralName;
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Vec::new();
    };
    let mut names: Vec<String> = [certificate.subject(), certificate.issuer()]
        .into_iter()
        .flat_map(|name| name.iter_attributes())
        .filter_map(|attribute| attribute.as_str().ok())
        .map(str::to_owned)
        .collect();
    for extension in certificate.extensions() {
        let general: Vec<&GeneralName<'_>> = match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(alternative) => alternative.general_names.iter().collect(),
            ParsedExtension::AuthorityInfoAccess(access) => {
                access.accessdescs.iter().map(|access| &access.access_location).collect()
            }
            _ => Vec::new(),
        };
        for name in general {
            match name {
                GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
                    names.push((*text).to_owned())
                }
                _ => {}
            }
        }
    }
    names
}

/// The addresses in subjectAltName of a certificate, as bytes.
pub(crate) fn address_names(der: &[u8]) -> Vec<Vec<u8>> {
    use x509_parser::prelude::GeneralName;
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let alternative = certificate.subject_alternative_name().ok().flatten();
    alternative
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| if let GeneralName::IPAddress(bytes) = name { Some(bytes.to_vec()) } else { None })
        .collect()
}
