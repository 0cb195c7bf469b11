//! By whose order a server chooses among the suites that it has.

use tlswhy_model::Depth;
use tlswhy_wire::{CipherSuite, Encryption, HelloSpec, ProtocolVersion};

use super::asker::{Asker, Reply};

/// By whose order a server chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// It is not known, or there is nothing to choose.
    #[default]
    Unknown,
    /// It takes the first of the client's that it has.
    Client,
    /// It has an order of its own: that in which its suites were found.
    Server,
}

/// Tells it from what the server takes when its suites are offered the other way round. Beside it: whether a server with an
/// order of its own still takes ChaCha20 for a client that has it first (OpenSSL's `PrioritizeChaCha`).
pub(super) fn find_order(
    asker: &Asker<'_, '_>,
    version: ProtocolVersion,
    in_order: &[CipherSuite],
    depth: Depth,
    hello: impl Fn(Vec<CipherSuite>) -> HelloSpec,
) -> (Order, Option<bool>) {
    let choice = |suites: Vec<CipherSuite>, purpose: &str| match asker.ask(hello(suites), depth, purpose)? {
        Reply::Chosen(seen) if seen.version() == Some(version) => seen.suite(),
        _ => None,
    };
    let Some(reversed) = reversed(in_order) else {
        return (Order::Unknown, None);
    };
    let first = reversed.first().copied();
    let chosen = choice(reversed, &format!("by whose order it chooses at {version}"));
    if chosen.is_some() && chosen == first {
        return (Order::Client, None);
    }
    if chosen.is_none() || chosen != in_order.first().copied() {
        return (Order::Unknown, None);
    }
    let Some(chacha_first) = chacha_first(in_order) else {
        return (Order::Server, None);
    };
    let chosen = choice(chacha_first, &format!("whether it takes ChaCha20 for those that have it first at {version}"));
    (Order::Server, chosen.map(is_chacha))
}

/// The suites the other way round, but with ChaCha20 at the end, for that has rules of its own; `None` where nothing could be told
/// from it.
pub(super) fn reversed(in_order: &[CipherSuite]) -> Option<Vec<CipherSuite>> {
    let (chacha, mut others): (Vec<CipherSuite>, Vec<CipherSuite>) =
        in_order.iter().rev().partition(|suite| is_chacha(**suite));
    others.extend(chacha);
    (others.len() > 1 && others.first() != in_order.first()).then_some(others)
}

/// ChaCha20 before everything else; `None` where it is first anyway, or the server has none.
pub(super) fn chacha_first(in_order: &[CipherSuite]) -> Option<Vec<CipherSuite>> {
    let (mut chacha, others): (Vec<CipherSuite>, Vec<CipherSuite>) = in_order.iter().partition(|suite| is_chacha(**suite));
    if chacha.is_empty() || in_order.first().copied().is_some_and(is_chacha) {
        return None;
    }
    chacha.extend(others);
    Some(chacha)
}

pub(super) fn is_chacha(suite: CipherSuite) -> bool {
    suite.details().is_some_and(|row| row.encryption == Encryption::Chacha20Poly1305)
}
