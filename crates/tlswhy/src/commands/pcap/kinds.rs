//! Handshakes that are alike: the same client and server, the same hello, the same end.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use tlswhy_capture::{Handshake, Outcome, Tunnel};
use tlswhy_core::knowledge::fingerprints::{ja3, ja4};
use tlswhy_wire::{CipherSuite, ProtocolVersion};

/// How many kinds are told apart, and how many bytes of their handshakes are kept; what comes after them is only counted.
const MAX_KINDS: usize = 4096;
const MAX_KEPT: usize = 64 << 20;

/// Handshakes that are alike.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The first of them.
    pub(crate) first: Handshake,
    /// Fingerprints of its hello.
    pub(crate) ja3: Option<String>,
    pub(crate) ja4: Option<String>,
    /// How many there are.
    pub(crate) count: u64,
    /// When the last of them began, in nanoseconds since 1970.
    pub(crate) last: u64,
}

/// Every kind of a capture, in the order in which they were met.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    kinds: Vec<Kind>,
    index: HashMap<Key, usize>,
    /// Bytes that are kept of them.
    kept: usize,
    /// Whether it makes no difference from which address a client comes.
    any_client: bool,
    /// Handshakes beyond the kinds that are told apart.
    pub(crate) others: u64,
}

/// In what handshakes of one kind agree.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    client: Option<IpAddr>,
    server: SocketAddr,
    tunnel: Option<(String, u16)>,
    upgrade: Option<&'static str>,
    name: Option<String>,
    ja4: Option<String>,
    version: Option<ProtocolVersion>,
    suite: Option<CipherSuite>,
    outcome: String,
    went_silently: bool,
}

impl Kind {
    /// Whether it failed, or its clients went away once it stood: who checks a certificate's name by himself does so.
    pub(crate) fn is_suspect(&self) -> bool {
        self.first.outcome.failed() || self.first.client_went_silently()
    }
}

impl Kinds {
    /// None yet; clients count as the same wherever they come from.
    pub(crate) fn of_any_client() -> Kinds {
        Kinds { any_client: true, ..Kinds::default() }
    }

    /// Counts a handshake in; the place of its kind where it is the first of it.
    pub(crate) fn add(&mut self, handshake: Handshake) -> Option<usize> {
        let ja4 = handshake.hello.as_ref().map(ja4);
        let answer = handshake.answer.server_hello();
        let key = Key {
            client: (!self.any_client).then(|| handshake.client.ip()),
            server: handshake.server,
            tunnel: handshake.tunnel.as_ref().map(|Tunnel { host, port, .. }| (host.clone(), *port)),
            upgrade: handshake.upgrade,
            name: server_name(&handshake),
            ja4: ja4.clone(),
            version: answer.map(|hello| *hello.selected_version),
            suite: answer.map(|hello| *hello.cipher_suite),
            outcome: alike(&handshake.outcome),
            went_silently: handshake.client_went_silently(),
        };
        if let Some(kind) = self.index.get(&key).and_then(|place| self.kinds.get_mut(*place)) {
            kind.count += 1;
            kind.last = kind.last.max(handshake.times.started);
            return None;
        }
        let bytes = handshake.sent.len() + handshake.received.len();
        if self.kinds.len() == MAX_KINDS || self.kept + bytes > MAX_KEPT {
            self.others += 1;
            return None;
        }
        self.kept += bytes;
        let place = self.kinds.len();
        self.index.insert(key, place);
        let ja3 = handshake.hello.as_ref().map(ja3);
        self.kinds.push(Kind { ja3, ja4, count: 1, last: handshake.times.started, first: handshake });
        Some(place)
    }

    /// The kind of this place.
    pub(crate) fn get(&self, place: usize) -> Option<&Kind> {
        self.kinds.get(place)
    }

    /// Every kind.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter()
    }
}

/// The name that the client asks for.
pub(crate) fn server_name(handshake: &Handshake) -> Option<String> {
    let hello = handshake.hello.as_ref()?;
    hello.to_spec(handshake.record_version).server_name().map(str::to_owned)
}

/// An outcome without its times.
fn alike(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Silent { awaited, .. } => format!("silent {awaited:?}"),
        Outcome::GaveUp { awaited, .. } => format!("gave up {awaited:?}"),
        Outcome::NotConnected { .. } => "not connected".to_owned(),
        other => format!("{other:?}"),
    }
}
