//! Application protocols that a server is asked for.
//!
//! Source: IANA, TLS Application-Layer Protocol Negotiation (ALPN) Protocol IDs,
//! <https://www.iana.org/assignments/tls-extensiontype-values>, and the drafts of HTTP/2 and SPDY that old servers still know.
//! `acme-tls/1` is left out: a server shows a certificate of its own to those that ask for it (RFC 8737).

/// Names as in the hello, the usual ones first.
pub const PROTOCOLS: &[&str] = &[
    "h2",
    "http/1.1",
    "http/1.0",
    "http/0.9",
    "spdy/3.1",
    "spdy/3",
    "spdy/2",
    "h2-16",
    "h2-15",
    "h2-14",
    "imap",
    "pop3",
    "managesieve",
    "nntp",
    "irc",
    "ftp",
    "xmpp-client",
    "xmpp-server",
    "postgresql",
    "tds/8.0",
    "mqtt",
    "dot",
    "coap",
    "sip/2",
    "stun.turn",
    "stun.nat-discovery",
    "webrtc",
    "c-webrtc",
    "ntske/1",
    "sunrpc",
    "radius/1.0",
    "radius/1.1",
    "dicom",
    "nnsp",
];
