use serde::{Deserialize, Serialize};

use crate::{Bytes, Remedy};

/// One cause that was found, with its evidence and its remedies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// Code of the cause; an open set.
    pub cause: String,
    /// Family of the cause: client, server, path, software, cipher, certificate.
    pub family: String,
    /// Who must act.
    pub party: Party,
    /// Where in the course of a connection it stands.
    pub stage: Stage,
    /// Its place in the order in which the client meets them; 1 is the root.
    pub order: u32,
    /// What it does to the judged client.
    pub impact: Impact,
    /// What the claim rests on.
    pub confidence: Confidence,
    /// One sentence that makes sense alone.
    pub title: String,
    /// What was seen.
    pub diagnosis: String,
    /// Why that makes the handshake fail.
    pub why_it_fails: String,
    /// Causes that merely follow from this one.
    #[serde(default)]
    pub explains: Vec<String>,
    /// Names of the judged clients that it concerns, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affects: Vec<String>,
    /// The evidence; the first is the primary one.
    pub exhibits: Vec<Exhibit>,
    /// What mends it, best first.
    pub remedies: Vec<Remedy>,
    /// Commands of well-known tools that show it by hand.
    #[serde(default)]
    pub reproduce: Vec<String>,
    /// RFC sections and vendors' pages.
    #[serde(default)]
    pub references: Vec<String>,
}

/// Who is at fault, and so who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// The one that connects.
    Client,
    /// What stands between.
    Path,
    /// The one that is connected to.
    Server,
}

/// Where in the course of a connection a cause stands, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The name becomes an address.
    Resolve,
    /// TCP.
    Connect,
    /// A proxy opens a tunnel.
    Tunnel,
    /// STARTTLS.
    Upgrade,
    /// The hello is received and understood.
    Hello,
    /// Version, suite, group, signature are agreed.
    Negotiate,
    /// The server proves who it is.
    Authenticate,
    /// The client proves who it is.
    ClientAuth,
    /// What runs over TLS.
    Application,
}

/// What a finding does to the judged client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// It fails because of this.
    Blocks,
    /// It works, worse than it should.
    Degrades,
    /// It works for this client, and will not for others or later.
    Latent,
}

/// What a claim rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A contrast: two attempts that differ in just this thing, one fails and one works.
    Confirmed,
    /// The fact itself is visible in the failing exchange or in the effective configuration.
    Observed,
    /// Every rival cause of this ending was examined and is absent.
    Inferred,
    /// It fits, and rivals are still open.
    Suspected,
}

/// One piece of evidence that a finding cites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Exhibit {
    /// Bytes of a message of an attempt.
    Message {
        /// The attempt.
        attempt: u32,
        /// Who sent it.
        direction: Direction,
        /// Which stored bytes `start` and `end` count in.
        layer: Layer,
        /// First byte.
        start: u64,
        /// Byte after the last.
        end: u64,
        /// The bytes (cut after 64).
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        hex: Bytes,
        /// Name of the field, such as `Alert.description`.
        field: String,
        /// What it says.
        says: String,
    },
    /// How an attempt ended.
    Ending {
        /// The attempt.
        attempt: u32,
        /// In words.
        says: String,
    },
    /// Two attempts that differ in little: one fails, one works.
    Contrast {
        /// The one that fails.
        fails: u32,
        /// The one that works.
        works: u32,
        /// In which fields of the hello or of the dialogue they differ.
        differs_in: Vec<String>,
        /// In words.
        says: String,
    },
    /// A value in effect and where it comes from.
    Setting {
        /// Name of the setting.
        name: String,
        /// Its value.
        value: String,
        /// Where it comes from.
        origin: String,
        /// In words.
        says: String,
    },
    /// A part of a file.
    File {
        /// Path as read.
        path: String,
        /// First byte.
        start: u64,
        /// Byte after the last.
        end: u64,
        /// Line of the first byte.
        line: u32,
        /// Column of the first byte.
        column: u32,
        /// In words.
        says: String,
    },
    /// A certificate.
    Certificate {
        /// SHA-256 of its DER.
        sha256: String,
        /// The field of it.
        field: String,
        /// In words.
        says: String,
    },
    /// A place on the way.
    Hop {
        /// Last hop that still carried it.
        after: Option<String>,
        /// First hop that did not.
        before: Option<String>,
        /// In words.
        says: String,
    },
    /// A piece of software and its version.
    Software {
        /// Whose.
        party: Party,
        /// Product.
        product: String,
        /// Version.
        version: String,
        /// In words.
        says: String,
    },
    /// The user's own error text.
    Complaint {
        /// The text.
        text: String,
        /// What it means.
        says: String,
    },
}

/// Direction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Sent by the client.
    FromClient,
    /// Sent by the server.
    FromServer,
}

/// Which stored bytes an offset counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// `sent` or `received` of the attempt.
    Wire,
    /// `decrypted` of the attempt.
    Decrypted,
}
