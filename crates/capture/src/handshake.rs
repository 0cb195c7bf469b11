//! What a capture shows of one handshake.

use std::net::SocketAddr;

use tlswhy_model::{Awaited, Exchange};
use tlswhy_wire::{AlertDescription, AlertLevel, ClientHello, ProtocolVersion, Transcript};

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Who opened the connection.
    Client,
    /// Who was called.
    Server,
}

impl Side {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Side::Client => "client",
            Side::Server => "server",
        }
    }
}

/// A connection on which TLS was spoken, or was to be.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server, or of the proxy that the client asked for it.
    pub server: SocketAddr,
    /// When what happened.
    pub times: Times,
    /// The proxy's way to the server, where one was asked.
    pub tunnel: Option<Tunnel>,
    /// Name of the STARTTLS dialogue that was held first.
    pub upgrade: Option<&'static str>,
    /// The talk before TLS; credentials are replaced.
    pub dialogue: Vec<Exchange>,
    /// What the client sent, from its hello on, as far as it is there and was kept.
    pub sent: Vec<u8>,
    /// What the server sent, from its answer to the hello on.
    pub received: Vec<u8>,
    /// The client's hello.
    pub hello: Option<ClientHello>,
    /// Version of the record that carried it.
    pub record_version: ProtocolVersion,
    /// What the server said, read.
    pub answer: Transcript,
    /// The alerts that came in the clear: who sent it, how bad it is, what it says.
    pub alerts: Vec<(Side, AlertLevel, AlertDescription)>,
    /// How it ended.
    pub outcome: Outcome,
    /// What tells that a reset came from elsewhere than from the host in whose name it was sent.
    pub forged: Option<ForgedReset>,
    /// What is worth knowing of the way it was captured.
    pub notes: Vec<&'static str>,
}

/// The note on a client that has the handshake and does not want it: so clients end that check the certificate's name by
/// themselves, afterwards.
pub(crate) const WENT_SILENTLY: &str = "the client sent nothing after the handshake and went away";

impl Handshake {
    /// Whether it was completed, and the client went away without a word of its own.
    pub fn client_went_silently(&self) -> bool {
        self.notes.contains(&WENT_SILENTLY)
    }
}

/// Times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// The first packet.
    pub started: u64,
    /// The TCP connection stood.
    pub connected: Option<u64>,
    /// The hello came by.
    pub hello: Option<u64>,
    /// The first byte of the answer came by.
    pub answered: Option<u64>,
    /// The last packet that counted.
    pub ended: u64,
}

/// What a client asked of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// `http` or `socks`.
    pub scheme: &'static str,
    /// Host to connect to, printable.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
}

/// How a handshake ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was completed.
    Established {
        /// An earlier session went on.
        resumed: bool,
    },
    /// An alert ended it.
    Alert {
        /// Who sent it.
        by: Side,
        /// What was awaited of the server then.
        awaited: Awaited,
        /// What it says; `None` where it came encrypted and only its size tells that it is one.
        alert: Option<(AlertLevel, AlertDescription)>,
    },
    /// The connection was closed (FIN) before it was complete.
    Closed {
        /// Who closed it first.
        by: Side,
        /// What was awaited of the server then.
        awaited: Awaited,
    },
    /// The connection was reset (RST) before it was complete.
    Reset {
        /// In whose name.
        by: Side,
        /// What was awaited of the server then.
        awaited: Awaited,
    },
    /// Nothing more came of the server until the capture ended.
    Silent {
        /// What was awaited.
        awaited: Awaited,
        /// For how long, in milliseconds.
        waited_ms: u64,
    },
    /// The client went away because no answer came.
    GaveUp {
        /// What it waited for.
        awaited: Awaited,
        /// For how long, in milliseconds.
        waited_ms: u64,
    },
    /// What answered does not speak TLS.
    NotTls {
        /// The protocol, where recognised.
        protocol: Option<&'static str>,
        /// The upgrade that this protocol has.
        upgrade: Option<&'static str>,
        /// The first line of what was said, printable.
        detail: String,
    },
    /// The server speaks TLS, and the client something else.
    PlainClient {
        /// What the client said first, printable.
        detail: String,
    },
    /// The client asked to start TLS and the server did not.
    UpgradeRefused {
        /// The server's answer, printable.
        reason: String,
    },
    /// The proxy did not open the way.
    TunnelRefused {
        /// Its answer, printable.
        reason: String,
    },
    /// What was sent cannot be read as TLS.
    Malformed {
        /// By whom.
        by: Side,
        /// What could not be read.
        what: &'static str,
        /// Where in what that side sent.
        at: usize,
    },
    /// The port refused the connection.
    Refused,
    /// No answer to the connection request.
    NotConnected {
        /// For how long, in milliseconds.
        waited_ms: u64,
    },
    /// The capture does not show how it ended.
    Incomplete {
        /// What is missing.
        why: &'static str,
    },
}

/// Why a reset was not sent by the host in whose name it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgedReset {
    /// In whose name.
    pub by: Side,
    /// What tells, in words.
    pub signs: Vec<String>,
}

impl Outcome {
    /// Whether the handshake failed, as far as the capture shows.
    pub fn failed(&self) -> bool {
        !matches!(self, Outcome::Established { .. } | Outcome::Incomplete { .. })
    }
}
