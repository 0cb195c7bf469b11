use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tlswhy_wire::HelloSpec;

use crate::{Attempt, Bytes, Fetched, InstalledSoftware, PathMeasurement, PathQuestion, Records, Resolution, SeenFile};

/// Number of a question within one examination.
pub type QuestionId = u32;

/// Something that only the outside can answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Question {
    /// Which addresses has this name?
    Resolve {
        /// The name, or a literal address.
        host: String,
    },
    /// What happens when this is sent?
    Probe(Box<Probe>),
    /// What happens on the way to this address?
    Path(Box<PathQuestion>),
    /// What lies at this `http` URL? Asked only where the user allowed it (`--aia`, `--online`).
    Fetch {
        /// The URL, as a certificate names it.
        url: String,
        /// What to post (an OCSP request, DER); `None` for a plain GET.
        request: Option<Bytes>,
    },
    /// Which records of this type has this name?
    Records {
        /// The name, such as `_443._tcp.example.test`.
        name: String,
        /// `TLSA` or `CAA`.
        record_type: String,
    },
    /// What lies at these paths?
    Files {
        /// Absolute paths, as the configured program would say them.
        paths: Vec<String>,
    },
    /// Which versions of these are installed?
    Software {
        /// Names of products as in [`InstalledSoftware`].
        products: Vec<String>,
    },
}

/// A question with its number and the reason for asking it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Number, to answer it by.
    pub id: QuestionId,
    /// The round of questions, from 1.
    pub round: u32,
    /// What is asked.
    pub question: Question,
    /// Why, for progress and logs.
    pub purpose: String,
}

/// One connection to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Probe {
    /// Host to connect to; resolved by the asker where no `address` is given.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// The address to use; `None` lets a proxy resolve the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// STARTTLS dialogue to hold first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<String>,
    /// What to open with.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    pub opening: Opening,
    /// How far to go.
    pub depth: Depth,
    /// Show the client certificate that the user gave, if the server asks for one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_identity: bool,
    /// What to send beyond a handshake, once it has come so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// 0 for the first time, counting up where the same is asked again on purpose.
    #[serde(default)]
    pub repetition: u32,
}

/// What a connection opens with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Opening {
    /// A ClientHello made to this description; keys are made for its key shares.
    Hello {
        /// The description.
        hello: HelloSpec,
    },
    /// These very bytes, as recorded. What is encrypted after them cannot be read.
    Replay {
        /// Bytes as on the wire.
        records: Bytes,
    },
    /// Not TLS at all: a plain-text request.
    Plain {
        /// What to send; may be empty to listen for a greeting.
        request: Bytes,
    },
}

/// How far to take a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// Until the server's choice is read: its ServerHello or HelloRetryRequest. It costs our side no key.
    Choice,
    /// Until the server's first flight is read: in TLS 1.3 with the encrypted part where we have the keys.
    Flight,
    /// Finish the handshake and listen briefly for objections.
    Finish,
    /// Finish it, and make one small HTTP request.
    Request,
}

/// Something that an ordinary client does not send, up to TLS 1.2: what comes back shows whether a server has a known weakness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Trial {
    /// After the handshake: a heartbeat request that claims [`LONG_HEARTBEAT`] bytes and has [`HEARTBEAT`], then a right one with so
    /// many. Of the first answer only its kind, the length that it claims (two bytes), and the number of bytes that it has (two bytes) are
    /// kept, in [`crate::Attempt::application`].
    Heartbeat,
    /// After the server's first flight: a ChangeCipherSpec before any key was agreed on, twice.
    EarlyCipher,
    /// After the handshake: another ClientHello.
    Renegotiation,
}

/// Bytes in the heartbeat requests of [`Trial::Heartbeat`], and bytes that the first of them claims to have.
pub const HEARTBEAT: u16 = 16;
/// See [`HEARTBEAT`]. Few enough that what a server without the check adds is what we had sent it before.
pub const LONG_HEARTBEAT: u16 = 32;

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To [`Question::Resolve`].
    Resolved(Resolution),
    /// To [`Question::Probe`].
    Attempted(Box<Attempt>),
    /// To [`Question::Path`].
    Measured(Box<PathMeasurement>),
    /// To [`Question::Fetch`].
    Fetched(Fetched),
    /// To [`Question::Records`].
    Records(Records),
    /// To [`Question::Files`], in the same order.
    Files(Vec<SeenFile>),
    /// To [`Question::Software`], in the same order.
    Software(Vec<InstalledSoftware>),
    /// Nobody can answer it here (offline, budget spent, interrupted).
    Unavailable,
}
