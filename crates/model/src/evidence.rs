use std::collections::HashSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    Answer, Attempt, Bytes, ClientProfile, FileContent, GivenConfiguration, InstalledSoftware, MOST_FILE_BYTES,
    PathMeasurement, Question, SeenFile, Tool,
};

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
    /// Further trust stores, of other clients than the judged ones; as far as they bear on the certificates seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<NamedStore>,
    /// Certificates that the server did not send and that may stand in for a missing one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_certificates: Vec<KnownCertificate>,
    /// SHA-256 of the public keys (SubjectPublicKeyInfo) of which the server must have one, by what is known of it elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub expected_keys: Vec<Bytes>,
    /// What was fetched from the addresses that certificates name (issuers, OCSP, revocation lists).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetched: Vec<Fetched>,
    /// Records of the domain name system that bear on certificates (TLSA, CAA).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Records>,
    /// The client certificate that was to be shown to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The configurations that were to be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configurations: Vec<GivenConfiguration>,
    /// What lay at the paths that their reading needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SeenFile>,
    /// Versions of the software concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub software: Vec<InstalledSoftware>,
    /// Every connection tried, in order.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// What was measured of the way to the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathMeasurement>,
    /// Whether every address of the name was to be examined, or the first that answers.
    #[serde(default)]
    pub all_addresses: bool,
    /// Whether everything that the server accepts was to be asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// Whether the connections were somebody else's and only watched: the first attempt is the one that is judged, the judged client
    /// is the one that made it, and no question can be asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watched: bool,
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

/// A trust store by the name under which client profiles refer to it (`system`, `mozilla`, `java`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamedStore {
    /// The name.
    pub name: String,
    /// What it holds.
    pub anchors: TrustAnchors,
}

/// A certificate that the server did not send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KnownCertificate {
    /// DER.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub certificate: Bytes,
    /// Where it comes from: a path, a URL.
    pub source: String,
}

/// The answer to one HTTP request to an address that a certificate names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fetched {
    /// The URL.
    pub url: String,
    /// What was posted (an OCSP request, DER); `None` for a plain GET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub request: Option<Bytes>,
    /// The body of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub body: Option<Bytes>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Records of one name and type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Records {
    /// The name asked for.
    pub name: String,
    /// `TLSA` or `CAA`.
    pub record_type: String,
    /// Each record in presentation format (RFC 6698 §2.2, RFC 8659 §4.1.1).
    pub records: Vec<String>,
    /// Whether the resolver vouches for them (DNSSEC, AD bit).
    #[serde(default)]
    pub authenticated: bool,
    /// Why there are none, where that is not just because none exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A client certificate with its chain; never its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// Where it comes from: a path.
    pub source: String,
    /// DER, end entity first.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub certificates: Vec<Bytes>,
    /// Whether the key that was given with it is the certificate's.
    pub key_matches: bool,
}

impl Evidence {
    /// Keeps the answer to a question about files or software, up to [`MOST_FILE_BYTES`]. What was asked for and not answered counts
    /// as missing, so that nobody asks again.
    pub fn keep(&mut self, question: &Question, answer: Answer) {
        match answer {
            Answer::Files(files) => {
                let length = |file: &SeenFile| match &file.content {
                    FileContent::Bytes { bytes, .. } => bytes.len(),
                    _ => 0,
                };
                let mut total: usize = self.files.iter().map(length).sum();
                self.files.extend(files.into_iter().map(|file| match total.saturating_add(length(&file)) {
                    more if more <= MOST_FILE_BYTES => {
                        total = more;
                        file
                    }
                    _ => SeenFile { content: FileContent::beyond_the_bound(), ..file },
                }));
            }
            Answer::Software(software) => self.software.extend(software),
            _ => {}
        }
        match question {
            Question::Files { paths } => {
                let answered: HashSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
                let missing: Vec<String> = paths.iter().filter(|path| !answered.contains(path.as_str())).cloned().collect();
                let missing = missing.into_iter();
                self.files.extend(missing.map(|path| SeenFile { path, real_path: None, content: FileContent::Missing }));
            }
            Question::Software { products } => {
                for product in products {
                    if !self.software.iter().any(|software| software.product == *product) {
                        let source = "nobody said".to_owned();
                        self.software.push(InstalledSoftware {
                            product: product.clone(),
                            version: None,
                            source,
                            ..InstalledSoftware::default()
                        });
                    }
                }
            }
            _ => {}
        }
    }

    /// The attempt with this number.
    pub fn attempt(&self, id: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }
}
