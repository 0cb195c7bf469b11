use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{Attempt, Bytes, ClientProfile, Tool};

/// What was seen, without opinion. Can be saved, mailed, and judged again anywhere, offline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Evidence {
    /// `tlswhy-evidence`.
    pub format: String,
    /// `MAJOR.MINOR`.
    pub format_version: String,
    /// Who wrote it.
    pub tool: Tool,
    /// When the examination began, RFC 3339 UTC. Certificates are judged at this time.
    pub started_at: String,
    /// What was examined.
    pub subject: Subject,
    /// What the name resolved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// The judged clients; the first is the one that the subject names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientProfile>,
    /// The trust anchors that bear on the certificates seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustAnchors>,
    /// Every connection tried, in order.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Whether every address of the name was to be examined, or the first that answers.
    #[serde(default)]
    pub all_addresses: bool,
    /// Whether names and addresses were taken out.
    #[serde(default)]
    pub redacted: bool,
}

/// What was examined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subject {
    /// The target as given.
    pub target: String,
    /// Host to connect to.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// Address and port used, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The name sent as SNI; `None` where none is sent.
    pub server_name: Option<String>,
    /// STARTTLS dialogue that the user asked for.
    pub upgrade: Option<String>,
    /// The application protocol that the user named by the URL scheme, such as `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// Proxy on the way, without credentials.
    pub via: Option<String>,
    /// Title of the judged client (several are joined by a comma).
    pub client: String,
}

/// What the resolver said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resolution {
    /// The name asked for.
    pub host: String,
    /// Addresses in the resolver's order.
    pub addresses: Vec<IpAddr>,
    /// The resolver's complaint, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took.
    pub elapsed_ms: f64,
}

/// The trust anchors that bear on the certificates seen: those whose subject one of them names as its issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrustAnchors {
    /// Where they come from: a path, or the name of a store.
    pub source: String,
    /// How many the store holds.
    pub total: u32,
    /// DER of the certificates that bear on the matter.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub certificates: Vec<Bytes>,
}

impl Evidence {
    /// The attempt with this number.
    pub fn attempt(&self, id: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }
}
