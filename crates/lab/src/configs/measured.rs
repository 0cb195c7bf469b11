//! The result of a measurement.

use tlswhy_wire::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion};

use super::leaf::Leaf;

/// What a server does for one [`super::Look`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Nobody listens on the port.
    pub closed: bool,
    /// What the port says instead of TLS.
    pub not_tls: Option<String>,
    /// How the refusal looks where no version was accepted: that of the newest version.
    pub refusal: Option<String>,
    /// The alert of that refusal.
    pub alert: Option<AlertDescription>,
    /// The versions that led to a handshake, newest first, each tried alone.
    pub versions: Vec<ProtocolVersion>,
    /// The version below 1.3 at which `suites` were found, the highest.
    pub suites_at: Option<ProtocolVersion>,
    /// Suites below TLS 1.3, in the order in which the server took them from a hello that has all of them.
    pub suites: Vec<CipherSuite>,
    /// Suites of TLS 1.3, likewise.
    pub suites_13: Vec<CipherSuite>,
    /// Groups of TLS 1.3, likewise; a server asks for them in a HelloRetryRequest.
    pub groups_13: Vec<NamedGroup>,
    /// Groups of ECDHE below TLS 1.3; `None` where no suite with an RSA signature shows them. (With an ECDSA certificate the
    /// client's groups have to name the certificate's curve too.)
    pub groups_12: Option<Vec<NamedGroup>>,
    /// Whether the server's order of suites counts below TLS 1.3; `None` with fewer than two suites.
    pub server_preference: Option<bool>,
    /// The leaf certificates that were seen, each once.
    pub leaves: Vec<Leaf>,
    /// Whether a client certificate is asked for; `None` where no flight could be read.
    pub asks_certificate: Option<bool>,
    /// What it chose of `h2` and `http/1.1`; `None`: nothing, or it refused.
    pub alpn: Option<String>,
    /// How many connections that took.
    pub connections: u32,
}
