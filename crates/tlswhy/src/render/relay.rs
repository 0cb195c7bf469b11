//! What passed a relay, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::AnsiColor;
use serde::Serialize;
use tlswhy_core::knowledge::likeness::nearest;
use tlswhy_gather::observe::Unreached;
use tlswhy_model::{Ending, Tool};

use super::capture::Row;
use super::page::{ASIDE, HEADING, Page};
use super::words;
use crate::commands::pcap::Kind;
use crate::commands::relay::Tally;

/// Name of the document.
const FORMAT: &str = "tlswhy-relay";
/// Its version.
const FORMAT_VERSION: &str = "1.1";
/// What people read in the place of a cause that is not known.
const OPEN: &str = "undetermined";
/// How many kinds of clients are shown to people.
const MOST_CLIENTS: usize = 20;
/// Beyond this a client is only like another.
const ALIKE: usize = 5;
/// Column of the text beside a number.
const TEXT: usize = 8;

/// Between whom a relay stands.
pub(crate) struct Place {
    pub(crate) target: String,
    pub(crate) listening: String,
    /// RFC 3339, UTC.
    pub(crate) since: String,
}

/// Counts of connections.
pub(crate) struct Connections {
    pub(crate) all: u64,
    /// Carried and not watched.
    pub(crate) overlooked: u64,
}

/// What passed.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Relay"))]
pub(crate) struct Summary {
    format: &'static str,
    format_version: &'static str,
    tool: Tool,
    target: String,
    listening: String,
    started_at: String,
    connections: u64,
    handshakes: u64,
    failed: u64,
    /// Handshakes that stood, and whose client went away without a word.
    given_up: u64,
    without_tls: u64,
    /// Connections for which the server was not reached.
    unreached: u64,
    /// Why it was not.
    unreached_for: Vec<NotReached>,
    /// Connections that were carried and not watched, for want of memory.
    overlooked: u64,
    causes: Vec<Counted>,
    clients: Vec<Client>,
    rows: Vec<Row>,
}

/// One way in which the server was not reached.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NotReached {
    /// The address that was tried; absent where the name has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    says: String,
    /// `null` where the reason lies here.
    cause: Option<&'static str>,
    count: u64,
}

/// How many handshakes fail of a cause.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Counted {
    /// `None` where it stayed undetermined.
    cause: Option<String>,
    count: u64,
}

/// Clients with the same fingerprint.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Client {
    ja4: Option<String>,
    /// The known client that is nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<Nearest>,
    handshakes: u64,
    failed: u64,
    causes: Vec<Counted>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Nearest {
    name: String,
    title: String,
    distance: usize,
}

impl Summary {
    /// Of what passed so far.
    pub(crate) fn of(place: &Place, tally: &Tally, connections: &Connections) -> Summary {
        let mut by_client: BTreeMap<Option<&str>, Vec<(&Kind, Option<&str>)>> = BTreeMap::new();
        for (kind, cause) in tally.judged() {
            by_client.entry(kind.ja4.as_deref()).or_default().push((kind, cause));
        }
        let mut clients: Vec<Client> = by_client.into_iter().map(|(ja4, kinds)| Client::of(ja4, &kinds, tally)).collect();
        clients.sort_by_key(|client| std::cmp::Reverse((client.failed, client.handshakes)));
        Summary {
            format: FORMAT,
            format_version: FORMAT_VERSION,
            tool: Tool::default(),
            target: place.target.clone(),
            listening: place.listening.clone(),
            started_at: place.since.clone(),
            connections: connections.all,
            handshakes: tally.handshakes,
            failed: tally.failed,
            given_up: tally.given_up,
            without_tls: tally.without_tls,
            unreached: tally.unreached,
            unreached_for: tally.ways.iter().map(|(why, count)| NotReached::of(why, *count)).collect(),
            overlooked: connections.overlooked,
            causes: counted(tally.causes(tally.judged())),
            clients,
            rows: tally.judged().map(|(kind, cause)| Row::of(kind, cause.map(str::to_owned))).collect(),
        }
    }

    /// It in one line.
    pub(crate) fn in_short(&self) -> String {
        format!("{}{}", self.headline(), after(&self.causes))
    }

    /// Writes it for people.
    pub(crate) fn write(&self, out: &mut dyn Write, verbose: bool, width: usize) -> io::Result<()> {
        let mut page = Page::new(out, width);
        page.blank()?;
        let (word, colour) = match (self.handshakes, self.failed) {
            (0, _) => ("Nothing", AnsiColor::Yellow),
            (_, 0) => ("None failed", AnsiColor::Green),
            _ => ("Failed", AnsiColor::Red),
        };
        page.headline(word, colour.on_default().bold(), &words::sentence(&self.headline()))?;
        page.paragraph(0, ASIDE, &self.aside())?;
        for Counted { cause, count } in &self.causes {
            page.labelled(0, &format!("{count:>6}"), HEADING, TEXT, cause.as_deref().unwrap_or(OPEN))?;
        }
        for NotReached { says, cause, count, .. } in &self.unreached_for {
            page.labelled(0, &format!("{count:>6}"), HEADING, TEXT, &format!("{}: {says}", cause.unwrap_or(OPEN)))?;
        }
        if !self.clients.is_empty() {
            page.blank()?;
            page.paragraph(0, HEADING, "By kind of client")?;
        }
        let shown = if verbose { self.clients.len() } else { MOST_CLIENTS };
        for client in self.clients.iter().take(shown) {
            page.labelled(0, &format!("{:>6}", client.handshakes), HEADING, TEXT, &client.in_words())?;
        }
        if self.clients.len() > shown {
            page.paragraph(TEXT, ASIDE, &format!("and {} more kinds; -v shows them.", self.clients.len() - shown))?;
        }
        Ok(())
    }

    fn headline(&self) -> String {
        let Summary { handshakes, failed, target, .. } = self;
        match (handshakes, failed) {
            (0, _) => format!("no TLS handshake passed to {target}"),
            (1, 0) => format!("the one handshake with {target} was completed"),
            (_, 0) => format!("{handshakes} handshakes with {target}"),
            (1, _) => format!("the one handshake with {target} failed"),
            _ => format!("{failed} of {handshakes} handshakes with {target} failed"),
        }
    }

    fn aside(&self) -> String {
        let mut parts = vec![format!("{} connections since {}", self.connections, self.started_at)];
        for (count, what) in [
            (self.given_up, "whose client went away without a word once the handshake stood"),
            (self.without_tls, "without a TLS handshake"),
            (self.unreached, "for which the server was not reached"),
            (self.overlooked, "carried and not watched, for there were too many at a time"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        words::sentence(&parts.join("; "))
    }
}

impl NotReached {
    fn of(why: &Unreached, count: u64) -> NotReached {
        let cause = match (&why.ending, why.address) {
            (_, None) => Some("dns-failure"),
            (Ending::Refused, _) => Some("port-closed"),
            (Ending::ConnectTimedOut { .. } | Ending::Unreachable { .. }, _) => Some("connect-timeout"),
            _ => None,
        };
        let address = why.address.map(|address| address.to_string());
        NotReached { address, says: not_reached(why), cause, count }
    }
}

/// Why a server was not reached, in words.
pub(crate) fn not_reached(why: &Unreached) -> String {
    let ending = words::ending(&why.ending);
    why.address.map_or_else(|| ending.clone(), |address| format!("{address}: {ending}"))
}

impl Client {
    fn of(ja4: Option<&str>, kinds: &[(&Kind, Option<&str>)], tally: &Tally) -> Client {
        let first = kinds.first().map(|(kind, _)| &kind.first);
        let hello = first.and_then(|first| Some(first.hello.as_ref()?.to_spec(first.record_version)));
        let alike = hello.and_then(|hello| nearest(&hello, 1).into_iter().next());
        let count = |failing: bool| {
            let counted = kinds.iter().filter(|(kind, _)| !failing || kind.first.outcome.failed());
            counted.map(|(kind, _)| kind.count).sum()
        };
        Client {
            ja4: ja4.map(str::to_owned),
            nearest: alike.map(|alike| Nearest {
                name: alike.client.name,
                title: alike.client.title,
                distance: alike.distance,
            }),
            handshakes: count(false),
            failed: count(true),
            causes: counted(tally.causes(kinds.iter().copied())),
        }
    }

    fn in_words(&self) -> String {
        let who = match (&self.nearest, &self.ja4) {
            (Some(nearest), _) if nearest.distance == 0 => nearest.title.clone(),
            (Some(nearest), _) if nearest.distance <= ALIKE => format!("most like {}", nearest.title),
            (_, Some(_)) => "a client that is not known here".to_owned(),
            (_, None) => "without a hello that could be read".to_owned(),
        };
        let ja4 = self.ja4.as_deref().map(|ja4| format!(" (JA4 {ja4})")).unwrap_or_default();
        let failed = match self.failed {
            0 => "none failed".to_owned(),
            failed => format!("{failed} failed"),
        };
        words::sentence(&format!("{who}{ja4}: {failed}{}", after(&self.causes)))
    }
}

fn counted(causes: Vec<(Option<&str>, u64)>) -> Vec<Counted> {
    causes.into_iter().map(|(cause, count)| Counted { cause: cause.map(str::to_owned), count }).collect()
}

fn after(causes: &[Counted]) -> String {
    let all: Vec<String> =
        causes.iter().map(|Counted { cause, count }| format!("{count} {}", cause.as_deref().unwrap_or(OPEN))).collect();
    if all.is_empty() { String::new() } else { format!(": {}", all.join(", ")) }
}
