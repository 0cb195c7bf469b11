//! The peer that a text is about, and the command that asks it.

use tlswhy_model::{NamedPeer, NextStep};
use tlswhy_wire::upgrade::UPGRADES;

use super::matcher::Hit;
use crate::knowledge::symptoms::{End, Peer, tables};

/// The longest name that DNS allows.
const LONGEST_NAME: usize = 253;

/// The peer that a hit names. Only what can be a name or an address is taken, so that it can stand in a command.
pub(super) fn named(row: &Peer, hit: &Hit, line: &[u8]) -> Option<NamedPeer> {
    let part = |range: Option<std::ops::Range<usize>>| std::str::from_utf8(line.get(range?)?).ok();
    let host = part(hit.group.clone())?.trim_end_matches('.');
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    let usable = host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host.len() <= LONGEST_NAME
        && host.chars().all(is_name)
        && !row.except.iter().any(|other| other.eq_ignore_ascii_case(host));
    let port = part(hit.port.clone()).and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    usable.then(|| NamedPeer { host: host.to_owned(), port })
}

/// The command to run next where `cause` leads, for a text of this end.
pub(super) fn next(cause: Option<&str>, end: Option<End>, peer: Option<&NamedPeer>) -> NextStep {
    let fits = |causes: &[String]| causes.is_empty() || cause.is_some_and(|cause| causes.iter().any(|code| code == cause));
    let row = tables().next.iter().find(|row| fits(&row.causes) && (row.end.is_none() || row.end == end));
    let (command, why) = row.map_or(("tlswhy {target}", ""), |row| (row.command.as_str(), row.why.as_str()));
    NextStep { command: command.replace("{target}", &target(peer)), why: why.to_owned() }
}

/// The peer as a command wants it; a port of a protocol that starts TLS when asked says which.
fn target(peer: Option<&NamedPeer>) -> String {
    let Some(peer) = peer else { return "HOST:PORT".to_owned() };
    match peer.port {
        None => peer.host.clone(),
        Some(port) => match upgrade(port) {
            Some(name) => format!("{}:{port} --starttls {name}", peer.host),
            None => format!("{}:{port}", peer.host),
        },
    }
}

/// The protocol that starts TLS when asked on this port.
fn upgrade(port: u16) -> Option<&'static str> {
    let usual = UPGRADES.iter().find(|upgrade| upgrade.port == port).map(|upgrade| upgrade.name);
    usual.or_else(|| tables().upgrades.iter().find(|row| row.port == port).map(|row| row.protocol.as_str()))
}
