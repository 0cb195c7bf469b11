use serde::{Deserialize, Serialize};
use tlswhy_wire::{HelloSpec, ProtocolVersion};

/// A client that is judged: its hello, and what the bytes cannot tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientProfile {
    /// Name for `--client`, kebab-case.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What the program is.
    pub software: Software,
    /// Whether it belongs to the panel of well-known clients.
    #[serde(default)]
    pub panel: bool,
    /// Where the hello comes from.
    pub source: String,
    /// The hello; its server name is replaced by the one asked for.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    pub hello: HelloSpec,
    /// What it accepts and insists on.
    pub policy: ClientPolicy,
}

/// A product and its version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Software {
    /// Product name.
    pub product: String,
    /// Version of it.
    pub version: String,
    /// The TLS library that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// Where the version was read, of a client that showed it itself; absent in a profile that stands for a kind of client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_from: Option<String>,
}

/// [`ClientProfile::name`] of a client that was watched: its hello is what its files had left of its abilities.
pub const WATCHED_CLIENT: &str = "watched-client";

/// What a client accepts and insists on beyond what its hello says. A missing key means: not known, nothing is concluded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ClientPolicy {
    /// Lowest version that it accepts from a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub minimum_version: Option<ProtocolVersion>,
    /// OpenSSL's security level, 0 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_level: Option<u8>,
    /// Smallest RSA key in a certificate, bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_rsa_bits: Option<u32>,
    /// Smallest finite-field Diffie-Hellman prime, bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_dh_bits: Option<u32>,
    /// Smallest elliptic-curve key in a certificate, bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_ecdsa_bits: Option<u32>,
    /// Refuses a server of TLS 1.2 and below that lacks RFC 5746.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_secure_renegotiation: Option<bool>,
    /// Refuses a server of TLS 1.2 and below without extended_master_secret (RFC 7627), as FIPS policies do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_extended_master_secret: Option<bool>,
    /// Accepts SHA-1 in the server's handshake signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allows_sha1_signatures: Option<bool>,
    /// OpenSSL 3.0 and later at level 1 and above: in TLS 1.1 and below a signed key exchange (DHE, ECDHE) fails locally.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legacy_signature_refused: Option<bool>,
    /// Ends the handshake on the downgrade mark in ServerHello.random (RFC 8446 §4.1.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks_downgrade_sentinel: Option<bool>,
    /// Fetches missing intermediates (AIA).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetches_aia: Option<bool>,
    /// Accepts a certificate by its common name where it has no subjectAltName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_name_fallback: Option<bool>,
    /// The same where an address was asked for; absent: as for names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_name_addresses: Option<bool>,
    /// In which order the certificates may be sent: `any` (end entity first, the rest anyhow), `forward` (each issuer somewhere
    /// behind what it issued), `exact` (each issuer right behind it).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_order: Option<String>,
    /// Tries another path to a trust anchor where the first is no good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries_alternative_paths: Option<bool>,
    /// A trusted certificate ends the path even where it is not self-signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepts_partial_chain: Option<bool>,
    /// Has many public intermediates already (preloaded or remembered), so that it may not miss one that was not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preloads_intermediates: Option<bool>,
    /// Takes a wildcard that is part of a label, such as `w*.example.test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_wildcards: Option<bool>,
    /// Takes anyExtendedKeyUsage for serverAuth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepts_any_purpose: Option<bool>,
    /// Accepts certificates signed with SHA-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allows_sha1_certificates: Option<bool>,
    /// Accepts certificates signed with MD5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allows_md5_certificates: Option<bool>,
    /// Refuses a certificate that must be stapled (RFC 7633) and is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforces_must_staple: Option<bool>,
    /// Refuses a certificate that a stapled OCSP response calls revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heeds_stapled_ocsp: Option<bool>,
    /// Refuses a path whose trust anchor itself is past its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks_anchor_validity: Option<bool>,
    /// Longest validity of an end-entity certificate under a public root, in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_lifetime_days: Option<u32>,
    /// Demands everything that RFC 5280 and the Baseline Requirements demand of certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict_certificates: Option<bool>,
    /// Nobody saw whether it checks certificates at all: a recorded client that ended before it met one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_unknown: Option<bool>,
    /// Trust store: `system`, `mozilla`, `java`, `apple`, `windows`, `own`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_store: Option<String>,
    /// Where these facts come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_source: Option<String>,
}

/// What this machine's `openssl` showed of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalOpenssl {
    /// Output of `openssl version -a`.
    pub version_text: String,
    /// Records of the hello that `openssl s_client` sends, system policy applied.
    pub hello: crate::Bytes,
    /// The hello that it sends when asked to offer weak groups and schemes: those that the security level forbids are
    /// missing from it.
    pub level_hello: Option<crate::Bytes>,
}
