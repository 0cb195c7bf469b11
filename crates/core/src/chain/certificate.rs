//! One certificate, read once: what it says of itself, and what of it could not be read.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use super::KeyKind;

/// The facts of one certificate (RFC 5280). Reading never fails: what could not be read is in `defects`, and the rest stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate as it came.
    pub der: Arc<[u8]>,
    /// SHA-256 of `der`.
    pub sha256: [u8; 32],
    /// 1, 2 or 3; 0 where it cannot be read.
    pub version: u32,
    /// Serial number, big-endian two's complement as encoded.
    pub serial: Vec<u8>,
    /// Whom it is about.
    pub subject: Name,
    /// Who issued it.
    pub issuer: Name,
    /// Start of validity, seconds since 1970.
    pub not_before: i64,
    /// Last second of validity, seconds since 1970.
    pub not_after: i64,
    /// Kind and size of its key; `None` where unknown or unreadable.
    pub key: Option<KeyKind>,
    /// SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// SHA-256 of `spki`: the pin of RFC 7469.
    pub spki_sha256: [u8; 32],
    /// What it is signed with.
    pub signature: SignatureAlgorithm,
    /// subjectAltName; `None`: the extension is absent.
    pub alternative_names: Option<Vec<AlternativeName>>,
    /// basicConstraints.
    pub basic_constraints: Option<BasicConstraints>,
    /// keyUsage: the bits of RFC 5280 §4.2.1.3, digitalSignature is bit 0.
    pub key_usage: Option<u16>,
    /// extKeyUsage: dotted object identifiers.
    pub extended_key_usage: Option<Vec<String>>,
    /// nameConstraints.
    pub name_constraints: Option<NameConstraints>,
    /// keyIdentifier of authorityKeyIdentifier.
    pub authority_key: Option<Vec<u8>>,
    /// Whether authorityKeyIdentifier names its issuer by name or serial number.
    pub authority_by_serial: bool,
    /// subjectKeyIdentifier.
    pub subject_key: Option<Vec<u8>>,
    /// caIssuers URLs of authorityInfoAccess.
    pub issuer_urls: Vec<String>,
    /// OCSP URLs of authorityInfoAccess.
    pub ocsp_urls: Vec<String>,
    /// URLs of cRLDistributionPoints.
    pub crl_urls: Vec<String>,
    /// TLS feature status_request (RFC 7633): must be stapled.
    pub must_staple: bool,
    /// How many signed certificate timestamps are embedded.
    pub embedded_scts: usize,
    /// Critical extensions that nobody here understands: dotted object identifiers.
    pub unknown_critical: Vec<String>,
    /// Whether subject and issuer are the same name.
    pub self_issued: bool,
    /// What could not be read, or is not as RFC 5280 demands of the encoding.
    pub defects: Vec<Defect>,
    /// Every extension, in the order in which they stand.
    pub extensions: Vec<Extension>,
    /// Dotted object identifier of the key's algorithm.
    pub key_algorithm: String,
    /// Place of tbsCertificate in `der`.
    pub signed: Range<usize>,
    /// Place of the algorithm named within it.
    pub inner_algorithm: Range<usize>,
    /// Place of signatureAlgorithm.
    pub signature_algorithm: Range<usize>,
    /// Place of the signature's bytes.
    pub signature_value: Range<usize>,
}

/// One extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Dotted object identifier.
    pub oid: String,
    /// Whether it is critical.
    pub critical: bool,
    /// Place of its value (the content of extnValue) in the certificate.
    pub value: Range<usize>,
}

/// A distinguished name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// DER of the name.
    pub der: Vec<u8>,
    /// In words, printable, at most 120 characters; `(no name)` where it is empty.
    pub text: String,
    /// Its common names, printable.
    pub common_names: Vec<String>,
    /// Its organisations, printable.
    pub organizations: Vec<String>,
}

/// One subjectAltName. Text is as in the certificate, not made printable: it must be before it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlternativeName {
    /// dNSName.
    Dns(String),
    /// iPAddress of 4 or 16 bytes.
    Address(IpAddr),
    /// iPAddress of another length.
    BadAddress(Vec<u8>),
    /// rfc822Name.
    Email(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// directoryName, DER.
    Directory(Vec<u8>),
    /// Something else, by its tag.
    Other(u32),
}

/// basicConstraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// cA.
    pub ca: bool,
    /// pathLenConstraint.
    pub path_length: Option<u32>,
    /// Whether the extension is critical.
    pub critical: bool,
}

/// nameConstraints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// permittedSubtrees.
    pub permitted: Vec<Subtree>,
    /// excludedSubtrees.
    pub excluded: Vec<Subtree>,
    /// Whether the extension is critical.
    pub critical: bool,
}

/// The base of one subtree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subtree {
    /// dNSName.
    Dns(String),
    /// iPAddress: address and mask, 8 or 32 bytes (other lengths are no address).
    Address(Vec<u8>),
    /// rfc822Name.
    Email(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// directoryName, DER.
    Directory(Vec<u8>),
    /// Something else, by its tag.
    Other(u32),
}

/// What a certificate is signed with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignatureAlgorithm {
    /// Dotted object identifier.
    pub oid: String,
    /// In words, such as `sha256WithRSAEncryption`.
    pub name: String,
    /// The digest, in words: `MD5`, `SHA-1`, `SHA-256` …; `None` where the algorithm has none of its own (EdDSA) or is unknown.
    pub digest: Option<&'static str>,
    /// Whether the two places that name the algorithm agree.
    pub consistent: bool,
}

/// Something of a certificate that cannot be read, or is encoded as it must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// Byte in the certificate where reading stopped, or where the fault stands.
    pub at: usize,
    /// What, in words.
    pub what: String,
    /// Whether the certificate as a whole is unreadable for it (no client can go on).
    pub fatal: bool,
    /// The extension that it is in, dotted object identifier.
    pub extension: Option<String>,
}
