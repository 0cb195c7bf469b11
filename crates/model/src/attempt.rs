use serde::{Deserialize, Serialize};
use tlswhy_wire::{AlertDescription, AlertLevel};

use crate::{Bytes, Probe};

/// One connection that was tried: what was asked with it, every byte of it, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attempt {
    /// Number by which findings cite it; counts from 1 in the order of asking.
    pub id: u32,
    /// The round of questions that it belonged to; counts from 1.
    pub round: u32,
    /// What was asked.
    pub probe: Probe,
    /// Address and port connected to (of the target, also where a proxy carried the connection).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// When what happened.
    pub timing: Timing,
    /// Plain-text dialogue before TLS: tunnel and STARTTLS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dialogue: Vec<Exchange>,
    /// What we sent from the hello on, as on the wire.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub sent: Bytes,
    /// What came back from the hello on, as on the wire.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub received: Bytes,
    /// The server's handshake messages that came encrypted, decrypted and without record headers (TLS 1.3; up to TLS 1.2 those of a
    /// renegotiation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub decrypted: Option<Bytes>,
    /// First bytes of what the application answered after the handshake, decrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub application: Option<Bytes>,
    /// How it ended.
    pub ending: Ending,
    /// What the packets of a watched connection tell besides, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// What tells that the reset of a watched connection did not come from the host in whose name it was sent, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forged_reset: Vec<String>,
}

/// Times in milliseconds since the attempt began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timing {
    /// When the attempt began, in milliseconds after `started_at` of the evidence.
    pub started_ms: f64,
    /// The TCP connection stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_ms: Option<f64>,
    /// The hello was on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello_sent_ms: Option<f64>,
    /// The first byte of the answer to the hello was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_ms: Option<f64>,
    /// The ending was known.
    pub ended_ms: f64,
}

/// One side's turn in the plain-text dialogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Exchange {
    /// Who spoke.
    pub from: Speaker,
    /// What was said; credentials are replaced before they get here.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub bytes: Bytes,
}

/// Who spoke in a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// tlswhy.
    Client,
    /// The other side.
    Server,
    /// The proxy on the way.
    Proxy,
}

/// How an attempt ended. Every ending is kept apart: an alert is not a close, a close is not a reset, and none of them is
/// silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Ending {
    /// The handshake was finished, and the server said nothing against it while we waited.
    Completed,
    /// The server answered as far as was asked for (see [`crate::Depth`]); we ended it.
    Answered,
    /// The handshake went as far as this program can carry it (a key exchange it does not compute); `at` says where.
    NotCarriedFurther {
        /// What would have been needed.
        reason: String,
    },
    /// A fatal alert (or `close_notify`) came.
    Alert {
        /// `warning` or `fatal`.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        level: AlertLevel,
        /// What it says.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        description: AlertDescription,
        /// What we were waiting for.
        awaited: Awaited,
        /// Whether the alert itself came encrypted.
        encrypted: bool,
    },
    /// The other side closed the connection in an orderly way (FIN).
    Closed {
        /// What we were waiting for.
        awaited: Awaited,
    },
    /// The connection was reset (RST).
    Reset {
        /// What we were waiting for.
        awaited: Awaited,
    },
    /// Nothing came within the time.
    TimedOut {
        /// What we were waiting for.
        awaited: Awaited,
        /// How long, in milliseconds.
        waited_ms: u64,
    },
    /// The client itself ended it; only of a connection that was watched.
    ByClient {
        /// Its alert; `None` where it closed or reset the connection without one, or where the alert came encrypted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
        description: Option<AlertDescription>,
        /// What it was waiting for.
        awaited: Awaited,
        /// How long it had waited, in milliseconds; 0 where it was answered.
        waited_ms: u64,
    },
    /// The port refused the connection.
    Refused,
    /// The network said that it cannot be reached.
    Unreachable {
        /// The operating system's word for it.
        detail: String,
    },
    /// No answer to the connection request.
    ConnectTimedOut {
        /// How long, in milliseconds.
        waited_ms: u64,
    },
    /// What answered does not speak TLS.
    NotTls {
        /// The protocol recognised, `None` if unknown.
        protocol: Option<String>,
        /// The upgrade (STARTTLS) that this protocol has.
        upgrade: Option<String>,
        /// First line of what was said, printable.
        detail: String,
    },
    /// The proxy did not open the tunnel.
    TunnelRefused {
        /// The proxy's answer, printable.
        reason: String,
    },
    /// The server did not start TLS when asked in its own protocol.
    UpgradeRefused {
        /// The server's answer, printable.
        reason: String,
    },
    /// It spoke TLS and what it sent cannot be read.
    Malformed {
        /// What could not be read.
        what: String,
        /// Where, in `received` or `decrypted`.
        at: u64,
    },
    /// The attempt could not be made from here.
    Impossible {
        /// Why.
        reason: String,
    },
}

/// What we were waiting for when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// The proxy's answer.
    TunnelAnswer,
    /// The server's part of the STARTTLS dialogue.
    UpgradeAnswer,
    /// ServerHello, or anything at all after the hello.
    ServerHello,
    /// The rest of the server's first flight.
    ServerFlight,
    /// The server's Finished (TLS 1.2 and below).
    ServerFinished,
    /// Nothing in particular: the handshake stood, and we listened for objections.
    AfterFinished,
    /// The answer to our small application request.
    Application,
    /// The answer to what a probe tried beyond a handshake ([`crate::Trial`]).
    Trial,
}
