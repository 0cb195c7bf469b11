//! What is asked of the path builder, and what it answers.

use std::sync::Arc;

use super::certificate::Certificate;

/// What a client demands of a certificate path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPolicy {
    /// Smallest RSA key, bits; of every certificate, the trust anchor too.
    pub minimum_rsa_bits: Option<u32>,
    /// Smallest elliptic-curve key, bits.
    pub minimum_ecdsa_bits: Option<u32>,
    /// Accepts certificates signed with SHA-1.
    pub allows_sha1: bool,
    /// Accepts certificates signed with MD5.
    pub allows_md5: bool,
    /// Takes the common name where there is no subjectAltName of the kind asked for.
    pub common_name_fallback: bool,
    /// The same where an address was asked for.
    pub common_name_addresses: bool,
    /// Takes a wildcard that is part of the leftmost label.
    pub partial_wildcards: bool,
    /// Takes anyExtendedKeyUsage of an end entity for the purpose asked for.
    pub accepts_any_purpose: bool,
    /// In which order the certificates may be sent.
    pub order: Order,
    /// Tries another path where the first is no good (expired cross-sign, distrusted root …).
    pub tries_alternatives: bool,
    /// A trusted certificate ends the path even where it is not self-signed (X509_V_FLAG_PARTIAL_CHAIN).
    pub partial_chain: bool,
    /// Fetches missing intermediates by authorityInfoAccess, or has them already.
    pub finds_intermediates: bool,
    /// Refuses a certificate that must be stapled and is not (RFC 7633).
    pub enforces_must_staple: bool,
    /// Looks at a stapled OCSP response and refuses a revoked certificate.
    pub heeds_staple: bool,
    /// Looks at the validity of the trust anchor itself.
    pub checks_anchor_validity: bool,
    /// Longest validity of an end-entity certificate under a public root, days.
    pub maximum_lifetime_days: Option<u32>,
    /// Demands everything that RFC 5280 and the CA/Browser Forum demand (`strict`).
    pub strict: bool,
}

/// In which order the certificates may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The end entity first, the rest anyhow.
    Any,
    /// Each certificate issued by one that stands behind it (mbed TLS).
    Forward,
    /// Each certificate issued by the very next one (RFC 5246 §7.4.2 to the letter; wolfSSL, TLS 1.2 stacks of embedded systems).
    Exact,
}

/// The name that the client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerName {
    /// A DNS name, in A-labels.
    Dns(String),
    /// An address.
    Address(std::net::IpAddr),
}

/// What the end entity is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// TLS server (id-kp-serverAuth).
    Server,
    /// TLS client (id-kp-clientAuth).
    Client,
}

/// A trust anchor.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// Its certificate.
    pub certificate: Arc<Certificate>,
    /// The store takes no end-entity certificates that begin after this, seconds since 1970 (distrust by date).
    pub distrust_after: Option<i64>,
}

/// A certificate that was not sent and may stand in for a missing one.
#[derive(Clone, Debug)]
pub struct Known {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// Where it comes from, in words: a URL, a file, a store.
    pub source: String,
}

/// Everything that a judgement rests on.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// As sent, end entity first.
    pub sent: &'a [Arc<Certificate>],
    /// Known from elsewhere.
    pub known: &'a [Known],
    /// The client's trust anchors.
    pub anchors: &'a [Anchor],
    /// What the client demands.
    pub policy: &'a PathPolicy,
    /// The name asked for; `None`: no name is checked.
    pub name: Option<&'a ServerName>,
    /// What for.
    pub purpose: Purpose,
    /// The time, seconds since 1970.
    pub now: i64,
    /// Longest path allowed, in intermediates that are not self-issued (`None`: the builder's own bound).
    pub maximum_intermediates: Option<u32>,
    /// Certificate revocation lists, DER, as far as they are known.
    pub revocation_lists: &'a [Vec<u8>],
    /// OCSP responses, DER: stapled or fetched, with the SHA-256 of the certificate that they are about.
    pub ocsp: &'a [OcspEvidence],
}

/// An OCSP response and where it comes from.
#[derive(Clone, Debug)]
pub struct OcspEvidence {
    /// OCSPResponse, DER (RFC 6960 §4.2.1).
    pub response: Vec<u8>,
    /// Whether the server stapled it.
    pub stapled: bool,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Every path that was found, the client's choice first: whole ones before broken ones, fewer objections first. Bounded.
    pub paths: Vec<Path>,
    /// What the client objects to, in the order in which it meets it; empty: it accepts.
    pub objections: Vec<Objection>,
    /// The search was cut short: the chain makes too many paths.
    pub exhausted: bool,
    /// How many signatures were checked.
    pub verifications: u32,
}

impl Judgement {
    /// Whether the client accepts.
    pub fn accepts(&self) -> bool {
        self.objections.is_empty()
    }
}

/// One way from the end entity upwards.
#[derive(Clone, Debug)]
pub struct Path {
    /// The certificates, end entity first; the trust anchor is last where there is one.
    pub links: Vec<Link>,
    /// How it ends.
    pub end: PathEnd,
    /// What the client objects to on it.
    pub objections: Vec<Objection>,
}

/// One certificate of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a certificate of a path comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Sent by the server, at this place.
    Sent(usize),
    /// The client's trust anchor of this number.
    Anchor(usize),
    /// Known from elsewhere: number in `Situation::known`.
    Known(usize),
}

/// How a path ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathEnd {
    /// At a trust anchor.
    Anchor,
    /// At a self-signed certificate that is no trust anchor.
    SelfSigned,
    /// The issuer of the last certificate is not known.
    IssuerUnknown,
    /// It leads nowhere: only certificates of the path itself could go on, or it is too long.
    Nowhere,
}

/// Something that the client objects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// What.
    pub kind: ObjectionKind,
    /// SHA-256 of the certificate that it is about; the end entity's where it is about the whole.
    pub certificate: [u8; 32],
    /// Its subject, in words.
    pub subject: String,
}

/// What a client can object to. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectionKind {
    /// It, or part of it, cannot be read; byte in its DER.
    Malformed {
        /// What.
        what: String,
        /// Where.
        at: usize,
    },
    /// A path stands with certificates that were not sent: these.
    Incomplete {
        /// The missing certificates, lowest first, with their source.
        missing: Vec<(Arc<Certificate>, String)>,
    },
    /// A path stands with the sent certificates in another order.
    Misordered,
    /// No path to a trust anchor.
    Untrusted {
        /// Where the best path ends.
        end: PathEnd,
        /// Issuer named by the last certificate of it.
        issuer: String,
    },
    /// A signature in the path does not verify.
    BadSignature {
        /// Whose key did not fit.
        issuer: String,
    },
    /// Past its end.
    Expired {
        /// Its end.
        not_after: i64,
    },
    /// Before its start.
    NotYetValid {
        /// Its start.
        not_before: i64,
    },
    /// No name covers the one asked for.
    NameMismatch {
        /// The names it has, printable.
        names: Vec<String>,
        /// The name that nearly fits and why it does not, where there is one.
        near: Option<(String, String)>,
        /// The common name would have fit, and this client does not look at it.
        common_name_only: bool,
    },
    /// Its key is too small.
    WeakKey {
        /// The key.
        key: KeyKindWords,
        /// The least bits wanted.
        wanted: u32,
    },
    /// It is signed with a digest that the client does not accept.
    WeakDigest {
        /// The digest.
        digest: String,
    },
    /// Revoked.
    Revoked {
        /// When, seconds since 1970.
        at: i64,
        /// The reason given (RFC 5280 §5.3.1), in words.
        reason: Option<String>,
        /// Where that is said, in words: the stapled OCSP response, an OCSP response, a revocation list.
        said_by: String,
    },
    /// It demands a stapled OCSP response and none came that would do.
    NotStapled {
        /// Why the one that came does not do, in words; `None`: none came.
        no_use: Option<String>,
    },
    /// It is no CA, and signed one of the path.
    NotCa {
        /// What is missing.
        why: String,
    },
    /// More intermediates below it than it allows.
    PathTooLong {
        /// What it allows.
        allowed: u32,
    },
    /// Its extended key usage does not allow it.
    Usage {
        /// What it is meant for, in words.
        meant_for: Vec<String>,
    },
    /// A name below it is not within its name constraints.
    NameConstraints {
        /// The name, printable.
        name: String,
    },
    /// A critical extension that the client does not know.
    UnknownCritical {
        /// Dotted object identifier.
        oid: String,
    },
    /// The store distrusts certificates of this root that begin after a date.
    Distrusted {
        /// The date.
        after: i64,
    },
    /// Valid for longer than the client allows.
    LifetimeTooLong {
        /// Days.
        days: u32,
        /// Allowed.
        allowed: u32,
    },
    /// Against RFC 5280 or the Baseline Requirements in a way that only strict clients mind.
    Irregular {
        /// What.
        what: String,
    },
}

/// A key in words, such as `RSA-1024`.
pub type KeyKindWords = String;

impl ObjectionKind {
    /// The code of the cause that it is.
    pub fn cause(&self) -> &'static str {
        match self {
            ObjectionKind::Incomplete { .. } => "chain-incomplete",
            ObjectionKind::Misordered => "chain-misordered",
            ObjectionKind::Untrusted { .. } | ObjectionKind::Distrusted { .. } => "untrusted-root",
            ObjectionKind::Expired { .. } => "certificate-expired",
            ObjectionKind::NotYetValid { .. } => "certificate-not-yet-valid",
            ObjectionKind::NameMismatch { .. } => "hostname-mismatch",
            ObjectionKind::WeakKey { .. } | ObjectionKind::WeakDigest { .. } => "weak-key-or-digest",
            ObjectionKind::Revoked { .. } => "certificate-revoked",
            ObjectionKind::Malformed { .. }
            | ObjectionKind::BadSignature { .. }
            | ObjectionKind::NotStapled { .. }
            | ObjectionKind::NotCa { .. }
            | ObjectionKind::PathTooLong { .. }
            | ObjectionKind::Usage { .. }
            | ObjectionKind::NameConstraints { .. }
            | ObjectionKind::UnknownCritical { .. }
            | ObjectionKind::LifetimeTooLong { .. }
            | ObjectionKind::Irregular { .. } => "certificate-unsuitable",
        }
    }

    /// In one sentence, said of this subject.
    pub fn says(&self, subject: &str) -> String {
        let date = |seconds: &i64| jiff::Timestamp::from_second(*seconds).unwrap_or_default().strftime("%Y-%m-%d").to_string();
        match self {
            ObjectionKind::Malformed { what, at } => format!("{subject} cannot be read: {what} at byte {at}"),
            ObjectionKind::Incomplete { missing } => {
                let names: Vec<&str> = missing.iter().map(|(certificate, _)| certificate.subject.text.as_str()).collect();
                format!("the server does not send {}", names.join(", "))
            }
            ObjectionKind::Misordered => "the certificates are not in order".to_owned(),
            ObjectionKind::Untrusted { end: PathEnd::SelfSigned, .. } => format!("{subject} is self-signed and not trusted"),
            ObjectionKind::Untrusted { issuer, .. } => format!("no path leads to a trust anchor; the last issuer is {issuer}"),
            ObjectionKind::BadSignature { issuer } => {
                format!("the signature on {subject} does not verify under the key of {issuer}")
            }
            ObjectionKind::Expired { not_after } => format!("{subject} ended on {}", date(not_after)),
            ObjectionKind::NotYetValid { not_before } => format!("{subject} begins on {}", date(not_before)),
            ObjectionKind::NameMismatch { common_name_only: true, .. } => {
                "only the common name fits, and this client does not look at it".to_owned()
            }
            ObjectionKind::NameMismatch { .. } => "no name in the certificate covers the name asked for".to_owned(),
            ObjectionKind::WeakKey { key, wanted } => format!("the key of {subject} is {key}; {wanted} bits are wanted"),
            ObjectionKind::WeakDigest { digest } => format!("{subject} is signed with {digest}"),
            ObjectionKind::Revoked { at, .. } => format!("{subject} was revoked on {}", date(at)),
            ObjectionKind::NotStapled { no_use: None } => {
                format!("{subject} demands a stapled OCSP response, and none came")
            }
            ObjectionKind::NotStapled { no_use: Some(why) } => {
                format!("{subject} demands a stapled OCSP response, and the one that came is of no use: {why}")
            }
            ObjectionKind::NotCa { why } => format!("{subject} is no authority: {why}"),
            ObjectionKind::PathTooLong { allowed } => format!("{subject} allows {allowed} intermediates below it"),
            ObjectionKind::Usage { meant_for } => format!("{subject} is meant for {}", meant_for.join(", ")),
            ObjectionKind::NameConstraints { name } => format!("{subject} may not stand above {name}"),
            ObjectionKind::UnknownCritical { oid } => format!("{subject} has the unknown critical extension {oid}"),
            ObjectionKind::Distrusted { after } => format!("its root is distrusted for what began after {}", date(after)),
            ObjectionKind::LifetimeTooLong { days, allowed } => {
                format!("{subject} is valid for {days} days; {allowed} are allowed")
            }
            ObjectionKind::Irregular { what } => format!("{subject}: {what}"),
        }
    }
}
