//! What a server has or lacks beside its lists. Most of it shows in handshakes that are made anyway; three more are made for the
//! rest.

use tlswhy_model::{Depth, Ending, printable};
use tlswhy_wire::{
    AlertDescription, CipherMode, CipherSuite, ExtensionSpec, ExtensionType, HelloSpec, ProtocolVersion, ServerHello,
};

use super::VersionInventory;
use super::asker::{Asker, Reply};
use super::old;
use super::tried::Tried;
use crate::case::{Case, Seen};
use crate::knowledge::controls;
use crate::negotiate::Support;

/// The longest value of an HTTP field that is shown, in characters.
const LONGEST_VALUE: usize = 200;
/// The ports of HTTPS, where a server is asked for HTTP although it named no application protocol.
const HTTPS_PORTS: [u16; 2] = [443, 8443];

/// Something that a server has or lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its code.
    pub code: &'static str,
    /// Whether the server has it.
    pub support: Support,
    /// The attempt that shows it.
    pub attempt: Option<u32>,
    /// What was seen beside it, or why it was not asked for.
    pub says: Option<String>,
}

/// Something that shows in handshakes that are made anyway.
struct Passive {
    code: &'static str,
    /// Whether this answer would have shown it, had the server it.
    asked: fn(&Seen<'_>, &HelloSpec, &ServerHello) -> bool,
    /// Whether it shows.
    shown: fn(&Seen<'_>, &ServerHello) -> bool,
}

/// Up to TLS 1.2, but for the last.
static PASSIVE: &[Passive] = &[
    // RFC 5246 §7.4.1.3: a server that gives no id keeps no session. One that gives a ticket need not (RFC 5077 §3.4).
    Passive {
        code: "session-ids",
        asked: |_, hello, answer| is_old(answer) && hello.extension(ExtensionType::SESSION_TICKET).is_none(),
        shown: |_, answer| !answer.session_id.is_empty(),
    },
    // RFC 5077 §3.2.
    Passive {
        code: "session-tickets",
        asked: |_, hello, answer| is_old(answer) && hello.extension(ExtensionType::SESSION_TICKET).is_some(),
        shown: |_, answer| answer.extension(ExtensionType::SESSION_TICKET).is_some(),
    },
    // RFC 7627.
    Passive {
        code: "extended-master-secret",
        asked: |_, hello, answer| is_old(answer) && hello.extension(ExtensionType::EXTENDED_MASTER_SECRET).is_some(),
        shown: |_, answer| answer.has_extended_master_secret(),
    },
    // RFC 7366 §3: only with CBC.
    Passive {
        code: "encrypt-then-mac",
        asked: |_, hello, answer| {
            let row = answer.cipher_suite.details();
            is_old(answer)
                && hello.extension(ExtensionType::ENCRYPT_THEN_MAC).is_some()
                && row.is_some_and(|row| row.mode == CipherMode::Cbc)
        },
        shown: |_, answer| answer.extension(ExtensionType::ENCRYPT_THEN_MAC).is_some(),
    },
    // RFC 5746.
    Passive {
        code: "secure-renegotiation",
        asked: |_, hello, answer| is_old(answer) && hello.offers_renegotiation_info(),
        shown: |_, answer| answer.has_renegotiation_info(),
    },
    // RFC 3749.
    Passive {
        code: "compression",
        asked: |_, hello, answer| is_old(answer) && hello.compression.iter().any(|method| *method != 0),
        shown: |_, answer| answer.compression != 0,
    },
    // RFC 6520.
    Passive {
        code: "heartbeat",
        asked: |_, hello, answer| is_old(answer) && hello.extension(ExtensionType::HEARTBEAT).is_some(),
        shown: |_, answer| answer.extension(ExtensionType::HEARTBEAT).is_some(),
    },
    // RFC 6066 §8, RFC 8446 §4.4.2.1.
    Passive {
        code: "ocsp-stapling",
        asked: |seen, hello, _| hello.extension(ExtensionType::STATUS_REQUEST).is_some() && seen.certificates().is_some(),
        shown: |seen, _| {
            seen.plain.stapled_ocsp().is_some() || seen.decrypted.as_ref().and_then(|read| read.stapled_ocsp()).is_some()
        },
    },
];

/// A hello of TLS 1.2 or below with an offer of everything that [`PASSIVE`] looks for.
pub(super) fn offering(mut hello: HelloSpec) -> HelloSpec {
    // DEFLATE (RFC 3749 §2); null must always be there.
    hello.compression = vec![1, 0];
    [ExtensionSpec::SessionTicket, ExtensionSpec::EncryptThenMac, ExtensionSpec::StatusRequest, heartbeat_extension()]
        .into_iter()
        .fold(hello, HelloSpec::with_extension)
}

/// With peer_allowed_to_send (RFC 6520 §2).
pub(super) fn heartbeat_extension() -> ExtensionSpec {
    ExtensionSpec::Raw { extension_type: ExtensionType::HEARTBEAT, body: vec![1] }
}

/// Everything; questions are noted in the case.
pub(super) fn take(asker: &Asker<'_, '_>, versions: &[VersionInventory], protocols: &Tried<String>) -> Vec<Feature> {
    let old = newest(versions, is_plain);
    let further = offered(asker, old);
    let finished = finished(asker, versions, protocols);
    let seen: Vec<&Seen<'_>> = of_name(asker).chain(further).collect();
    let mut features: Vec<Feature> = PASSIVE.iter().map(|passive| passively(passive, &seen)).collect();
    features.push(fallback(asker, versions));
    features.extend(tickets(finished));
    features.extend(http(finished));
    features
}

fn passively(passive: &Passive, seen: &[&Seen<'_>]) -> Feature {
    let asked = seen.iter().filter_map(|seen| {
        let answer = seen.server_hello()?;
        (seen.chose() && (passive.asked)(seen, seen.hello()?, answer)).then_some((*seen, answer))
    });
    let asked: Vec<(&Seen<'_>, &ServerHello)> = asked.collect();
    let shown = asked.iter().find(|(seen, answer)| (passive.shown)(seen, answer));
    let (support, attempt, says) = match (shown, asked.last()) {
        (Some((seen, _)), _) => (Support::Accepted, Some(seen.id()), None),
        (None, Some((seen, _))) => {
            let handshakes = if asked.len() == 1 { "handshake" } else { "handshakes" };
            (Support::Refused, Some(seen.id()), Some(format!("offered in {} {handshakes}", asked.len())))
        }
        (None, None) => (Support::Untested, None, None),
    };
    Feature { code: passive.code, support, attempt, says }
}

/// A server that has one suite alone refuses every further hello: it is asked once more.
fn offered<'c, 'e>(asker: &Asker<'c, 'e>, old: Option<&VersionInventory>) -> Option<&'c Seen<'e>> {
    let old = old.filter(|old| old.version > ProtocolVersion::SSLV3)?;
    // Clients offer some of it as well, but never all.
    let offers = |hello: &HelloSpec| hello.extension(ExtensionType::HEARTBEAT).is_some();
    let knows = |seen: &Seen<'_>| seen.chose() && seen.hello().is_some_and(offers) && seen.server_hello().is_some_and(is_old);
    if asker.case.is_waiting() || of_name(asker).any(knows) {
        return None;
    }
    let hello = offering(old::control(old.version, asker.server_name));
    chosen(asker.ask(hello, Depth::Flight, "what it has beside its suites")?)
}

/// Whether it stops a client that was made to fall back to an older version (RFC 7507).
fn fallback(asker: &Asker<'_, '_>, versions: &[VersionInventory]) -> Feature {
    let unknown = |says: &str| Feature {
        code: "fallback-scsv",
        support: Support::Untested,
        attempt: None,
        says: (!says.is_empty()).then(|| says.to_owned()),
    };
    let mut accepted = settled(versions).filter(|found| is_accepted(found));
    let (Some(_), Some(older)) = (accepted.next(), accepted.next()) else {
        return unknown("no older version is accepted that one could fall back to");
    };
    let Some(suite) = older.suites.accepted.first().map(|(suite, _)| *suite).filter(|_| is_plain(older.version)) else {
        return unknown("");
    };
    let base = old::control(older.version, asker.server_name);
    let hello = old::with_suites(&base, &[suite, CipherSuite::TLS_FALLBACK_SCSV]);
    let purpose = format!("whether it lets a client that speaks more fall back to {}", older.version);
    match asker.ask(hello, Depth::Choice, &purpose) {
        None => unknown(""),
        Some(Reply::Chosen(seen)) => {
            let says = format!("it went on with {} after a fallback", older.version);
            Feature { support: Support::Refused, attempt: Some(seen.id()), ..unknown(&says) }
        }
        Some(Reply::Refused(seen)) if seen.alert() == Some(AlertDescription::INAPPROPRIATE_FALLBACK) => {
            Feature { support: Support::Accepted, attempt: Some(seen.id()), ..unknown("") }
        }
        Some(Reply::Refused(seen) | Reply::NoAnswer(seen)) => Feature { attempt: Some(seen.id()), ..unknown(&seen.ending()) },
    }
}

/// One handshake that is carried to its end: with a small request where the server speaks HTTP, else for its tickets alone.
fn finished<'c, 'e>(asker: &Asker<'c, 'e>, versions: &[VersionInventory], protocols: &Tried<String>) -> Option<&'c Seen<'e>> {
    let newest = newest(versions, |_| true)?;
    let is_new = newest.version == ProtocolVersion::TLSV1_3;
    // Until the application protocols are known.
    if newest.version <= ProtocolVersion::SSLV3 || protocols.accepted.is_empty() && protocols.refused.is_empty() {
        return None;
    }
    let names_http = protocols.takes(&"http/1.1".to_owned());
    let is_http = asker.upgrade.is_none()
        && (names_http || protocols.accepted.is_empty() && HTTPS_PORTS.contains(&asker.case.evidence.subject.port));
    if !is_http && !is_new {
        return None;
    }
    let base = if is_new { controls::tls13(asker.server_name) } else { old::control(newest.version, asker.server_name) };
    let hello = if is_http && names_http { base.with_alpn(&["http/1.1"]) } else { base };
    let (depth, purpose) = if is_http {
        (Depth::Request, "what it says after the handshake, and to a request")
    } else {
        (Depth::Finish, "what it says after the handshake")
    };
    chosen(asker.ask(hello, depth, purpose)?)
}

/// Tickets of TLS 1.3, and whether they are for early data (RFC 8446 §4.6.1).
fn tickets(finished: Option<&Seen<'_>>) -> [Feature; 2] {
    let unknown = |code| Feature { code, support: Support::Untested, attempt: None, says: None };
    let mut found = [unknown("tls13-session-tickets"), unknown("early-data")];
    let Some(seen) = finished.filter(|seen| seen.version() == Some(ProtocolVersion::TLSV1_3)) else { return found };
    let ticket = seen.decrypted.as_ref().and_then(|read| read.new_session_ticket());
    if ticket.is_none() && seen.attempt.ending != Ending::Completed {
        return found;
    }
    let [tickets, early] = &mut found;
    let early_data = ticket.and_then(|ticket| ticket.max_early_data);
    (tickets.support, tickets.attempt) = (support(ticket.is_some()), Some(seen.id()));
    tickets.says = ticket.map(|ticket| format!("good for {} s", ticket.lifetime));
    (early.support, early.attempt) = (support(early_data.is_some()), Some(seen.id()));
    early.says = early_data.map(|bytes| format!("up to {bytes} bytes"));
    found
}

/// What the answer to one request says of later connections (RFC 6797, RFC 7838).
fn http(finished: Option<&Seen<'_>>) -> [Feature; 2] {
    let answer = finished.and_then(|seen| Some((seen, seen.attempt.application.as_deref()?)));
    let answer = answer.filter(|(_, text)| text.starts_with(b"HTTP/"));
    ["strict-transport-security", "alt-svc"].map(|code| {
        let Some((seen, text)) = answer else {
            return Feature { code, support: Support::Untested, attempt: None, says: None };
        };
        let value = field(text, code);
        // What is not there of a head that was cut may have stood behind the cut.
        let is_whole = text.windows(4).any(|window| window == b"\r\n\r\n");
        let support = if value.is_none() && !is_whole { Support::Untested } else { support(value.is_some()) };
        // An error page often lacks what the pages have.
        let status = || {
            let line = text.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
            Some(format!("not in its answer {}", printable(&String::from_utf8_lossy(line), LONGEST_VALUE)))
        };
        Feature { code, support, attempt: Some(seen.id()), says: value.or_else(status) }
    })
}

/// A field of an HTTP head, by its name in lower case.
fn field(answer: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let values = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut of_name = values.filter(|(field, _)| field.trim().eq_ignore_ascii_case(name));
    of_name.next().map(|(_, value)| printable(value.trim(), LONGEST_VALUE))
}

/// What was seen under the name, with the same upgrade.
fn of_name<'a, 'c, 'e>(asker: &'a Asker<'c, 'e>) -> impl Iterator<Item = &'c Seen<'e>> + use<'a, 'c, 'e> {
    under(asker.case, asker.server_name).filter(|seen| seen.attempt.probe.upgrade.as_deref() == asker.upgrade)
}

/// What was seen under the name.
pub(super) fn under<'a, 'c, 'e>(
    case: &'c Case<'e>,
    server_name: Option<&'a str>,
) -> impl Iterator<Item = &'c Seen<'e>> + use<'a, 'c, 'e> {
    case.all().filter(move |seen| seen.hello().is_some_and(|hello| hello.server_name() == server_name))
}

fn chosen<'c, 'e>(reply: Reply<'c, 'e>) -> Option<&'c Seen<'e>> {
    match reply {
        Reply::Chosen(seen) => Some(seen),
        Reply::Refused(_) | Reply::NoAnswer(_) => None,
    }
}

fn support(has: bool) -> Support {
    if has { Support::Accepted } else { Support::Refused }
}

/// The newest version of this kind that is accepted; `None` while one before it is still open.
pub(super) fn newest(versions: &[VersionInventory], is_wanted: impl Fn(ProtocolVersion) -> bool) -> Option<&VersionInventory> {
    settled(versions).find(|found| is_accepted(found) && is_wanted(found.version))
}

/// The versions, newest first, up to the first that is still open.
fn settled(versions: &[VersionInventory]) -> impl Iterator<Item = &VersionInventory> {
    versions.iter().take_while(|found| found.attempt.is_some())
}

fn is_accepted(found: &VersionInventory) -> bool {
    found.support == Support::Accepted
}

/// SSL 3.0 to TLS 1.2.
fn is_plain(version: ProtocolVersion) -> bool {
    (ProtocolVersion::SSLV3..=ProtocolVersion::TLSV1_2).contains(&version)
}

fn is_old(answer: &ServerHello) -> bool {
    is_plain(answer.selected_version.value)
}
