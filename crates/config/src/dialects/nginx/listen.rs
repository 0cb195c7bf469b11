//! `listen` lines.

use std::net::IpAddr;

use super::tree::Node;

/// A `listen` directive.
#[derive(Clone, Debug)]
pub(super) struct Listen<'n> {
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
    /// `[::]:443` and `*:443` are sockets of their own.
    pub(super) six: bool,
    pub(super) ssl: bool,
    pub(super) default: bool,
    /// The directive; `None` where a server has none and listens on port 80 for it.
    pub(super) line: Option<&'n Node>,
}

/// A socket: what servers are chosen by.
pub(super) type Socket = (Option<IpAddr>, u16, bool);

impl Listen<'_> {
    /// The socket that it opens.
    pub(super) fn socket(&self) -> Socket {
        (self.address, self.port, self.six)
    }
}

/// A socket as `listen` would have it.
pub(super) fn place((address, port, six): Socket) -> String {
    match (address, six) {
        (Some(address), true) => format!("[{address}]:{port}"),
        (Some(address), false) => format!("{address}:{port}"),
        (None, true) => format!("[::]:{port}"),
        (None, false) => format!("*:{port}"),
    }
}

/// What a `listen` line says.
pub(super) enum Listening<'n> {
    /// These sockets: several for a range of ports.
    At(Vec<Listen<'n>>),
    /// A socket of the file system, or UDP (QUIC): nobody reaches it by a TCP port.
    Elsewhere,
    /// An address that is a name, or nothing that can be read.
    Unclear,
}

/// Most ports of one range: what lies beyond is not read, since each is a socket to be held against all servers.
const MOST_PORTS: u16 = 1024;

impl<'n> Listening<'n> {
    /// An address of `listen`: `443`, `a:443`, `[::1]:443`, `*:443`, `a` (port 80), `8000-8010`; then its words.
    pub(super) fn of(node: &'n Node) -> Listening<'n> {
        let argument = node.argument();
        let has = |flag: &str| node.arguments().skip(1).any(|word| word == flag);
        if argument.starts_with("unix:") || has("quic") || has("udp") {
            return Listening::Elsewhere;
        }
        let ports = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
            (first <= last && last - first < MOST_PORTS).then_some(first..=last)
        };
        let bare_port = argument.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && !argument.is_empty();
        let (host, range) = match argument.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, ports(port)),
            _ if bare_port => ("*", ports(argument)),
            _ => (argument, Some(80..=80)),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let address = match bare {
            "*" | "0.0.0.0" | "::" => Some(None),
            "localhost" => Some(Some(IpAddr::from([127, 0, 0, 1]))),
            bare => bare.parse().ok().map(Some),
        };
        let (Some(range), Some(address)) = (range, address) else { return Listening::Unclear };
        let (ssl, default) = (has("ssl"), has("default_server") || has("default"));
        let six = host.starts_with('[');
        Listening::At(range.map(|port| Listen { address, port, six, ssl, default, line: Some(node) }).collect())
    }
}
