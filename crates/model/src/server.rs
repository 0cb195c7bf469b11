use serde::{Deserialize, Serialize};
use tlswhy_wire::ProtocolVersion;

use crate::CertificateView;

/// Everything that a server accepts, as far as it was asked (`check --full`). Numbers of attempts are those of the evidence; a
/// report holds only the attempts that its findings cite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerView {
    /// Each version, newest first.
    pub versions: Vec<VersionView>,
    /// Application protocols (ALPN), those that it prefers first.
    pub application_protocols: ValuesView,
    /// The end-entity certificates that it showed under the name, each once.
    pub certificates: Vec<ShownCertificate>,
    /// The smallest prime of finite-field Diffie-Hellman that it sent, up to TLS 1.2; absent where none was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest_prime: Option<PrimeView>,
    /// What it has or lacks beside these lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureView>,
    /// Kinds of hellos that every server has to take: `refused` where it breaks on one, beside the same hello without that peculiarity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quirks: Vec<FeatureView>,
    /// Weaknesses that were tried for (`--no-vulnerability-probes` tries for none): `accepted` where the server has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vulnerabilities: Vec<FeatureView>,
    /// Its request for a client certificate; absent where none was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificateView>,
}

/// A prime of finite-field Diffie-Hellman.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrimeView {
    /// Its size.
    pub bits: u32,
    /// The attempt that shows it.
    pub attempt: u32,
    /// The name under which many servers share it; absent for a prime that is in no such list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<String>,
    /// Whether half of it is prime too; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_safe: Option<bool>,
    /// Whether two handshakes got the same public value; absent where only one showed this prime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuses_key: Option<bool>,
}

/// Something that a server has or lacks. Accepted: it was seen; refused: it was offered, or asked for, and the server passed over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FeatureView {
    /// Its code, such as `session-tickets`.
    pub name: String,
    /// Whether the server has it.
    pub acceptance: Acceptance,
    /// The attempt that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What was seen beside it, or why it was not asked for: the server's own words are escaped and cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// A request for a client certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientCertificateView {
    /// The attempt that shows it.
    pub attempt: u32,
    /// Whether a client without one is turned away; absent where no handshake without one was carried to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Names of the authorities whose certificates it takes; empty: it names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
}

/// Whether a server has something. Silence is `untested`, never `refused`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Acceptance {
    /// It was seen to choose it.
    Accepted,
    /// It was seen to refuse it where it had nothing else to choose.
    Refused,
    /// It was not asked, or did not answer.
    #[default]
    Untested,
}

/// What a server accepts at one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VersionView {
    /// The version.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub version: ProtocolVersion,
    /// Whether the server has it.
    pub acceptance: Acceptance,
    /// The attempt that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What came instead, where it was not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// Cipher suites; of SSLv2 its cipher kinds. In the server's own order where `suite_order` says `server`.
    pub cipher_suites: ValuesView,
    /// By whose order it chooses among them; absent where that could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite_order: Option<OrderView>,
    /// With an order of its own: whether it takes ChaCha20 for a client that has it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chacha_first: Option<bool>,
    /// Named groups; below TLS 1.3 only at the highest version that is accepted.
    pub groups: ValuesView,
    /// Signature schemes of the handshake, in TLS 1.2 and 1.3.
    pub signature_schemes: ValuesView,
}

/// By whose order a server chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OrderView {
    /// The client's.
    Client,
    /// Its own.
    Server,
}

/// What became of the values of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ValuesView {
    /// Accepted, in the order in which the server chose them while all before was left out.
    #[serde(default)]
    pub accepted: Vec<AcceptedValue>,
    /// Refused, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// The attempt that refused the last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_in: Option<u32>,
    /// Not asked, or asked and not answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untested: Vec<String>,
}

/// A value that the server chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AcceptedValue {
    /// Its IANA name, or its number in hexadecimal; text of the server for an application protocol.
    pub name: String,
    /// The attempt in which it was chosen.
    pub attempt: u32,
    /// What is weak about it: codes of notices, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weaknesses: Vec<String>,
}

/// An end-entity certificate that the server showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShownCertificate {
    /// The first attempt that showed it.
    pub attempt: u32,
    /// The certificate.
    pub certificate: CertificateView,
}
