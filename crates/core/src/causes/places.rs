//! Places on the way in words, and the letter to those who run the network there.

use tlswhy_model::{Exhibit, Finding, Party, PathMeasurement, PathPacket, Safety};

use super::found::{Found, remedy};
use crate::path::{self, Act, Barrier, Ends, Place, Sign, Who};

/// A hop in words: `hop 3 (192.0.2.1)`.
pub(super) fn hop(measurement: Option<&PathMeasurement>, ttl: u8) -> String {
    if ttl == 0 {
        return "this machine".to_owned();
    }
    let hops = measurement.map(path::hops).unwrap_or_default();
    match hops.iter().find(|hop| hop.ttl == ttl).and_then(|hop| hop.address) {
        Some(address) => format!("hop {ttl} ({address})"),
        None => format!("hop {ttl}"),
    }
}

/// Where it is: `between hop 2 (…) and hop 3 (…)`.
pub(super) fn place(measurement: Option<&PathMeasurement>, place: &Place) -> String {
    format!("between {} and {}", hop(measurement, place.after), hop(measurement, place.before))
}

/// How the place is known.
pub(super) fn how(measurement: Option<&PathMeasurement>, ends: Ends, found: &Place) -> String {
    let Place { after, before, end, by } = *found;
    match (by, ends) {
        (Sign::Time, _) => format!(
            "It is answered only where it gets as far as the server, {end} hops away, and yet sooner than the server answers a connection request: so it is something before the server."
        ),
        (Sign::Ttl, Ends::Silence) => format!(
            "Sent so that it ends at hop {after}, the router there reports it; sent so that it ends at hop {before}, nobody does, though the control still is heard of there. The server is {end} hops away."
        ),
        (Sign::Ttl, _) if after == 0 => {
            format!(
                "It is answered even when it is sent so that it ends at {}; the server is {end} hops away.",
                hop(measurement, before)
            )
        }
        (Sign::Ttl, _) => format!(
            "Sent so that it ends at hop {after} it is not answered so, sent so that it ends at hop {before} it is; the server is {end} hops away."
        ),
    }
}

/// The exhibit.
pub(super) fn exhibit(measurement: Option<&PathMeasurement>, found: &Place, says: String) -> Exhibit {
    Exhibit::Hop { after: Some(hop(measurement, found.after)), before: Some(hop(measurement, found.before)), says }
}

/// What can be sent to those who run the network.
pub(super) fn letter(found: &Found<'_>, what: &str, ends: Ends, at: &Place) -> String {
    let measurement = found.measurement();
    let asked = &found.case.evidence.subject;
    let address = found.case.address.map(|address| address.to_string()).unwrap_or_default();
    let sent = measurement.map_or(0, |measured| measured.probes.iter().filter(|probe| probe.sent == PathPacket::Test).count());
    let port = measurement.map(|measured| format!(", source port {}", measured.source_port)).unwrap_or_default();
    format!(
        "\"On {when} TCP connections to {address} port {number}{port} came about, and {what} sent on them had this end, {sent} times: {ends}. It happens {place}. {how} Please say which device there does it, and let it pass.\"",
        when = found.case.evidence.started_at,
        number = asked.port,
        ends = ends.says(),
        place = place(measurement, at),
        how = how(measurement, ends, at),
    )
}

/// Who keeps connections from coming about: `a router at hop 3 (192.0.2.1)`.
pub(super) fn who(measurement: Option<&PathMeasurement>, who: Who) -> String {
    match who {
        Who::Host { hop: Some(hop) } => format!("the address itself, {hop} hops away"),
        Who::Host { hop: None } => "the address itself".to_owned(),
        Who::Here => "this machine itself, which has no way to the address".to_owned(),
        Who::Router { hop: Some(ttl), .. } => format!("a router on the way, {}", hop(measurement, ttl)),
        Who::Router { address, hop: None } => format!("somebody on the way, {address}"),
        Who::Between { after, before } => {
            format!("something on the way, between {} and {}", hop(measurement, after), hop(measurement, before))
        }
        Who::AtTheHost { after, before } => {
            format!("the address itself ({before} hops away), or something right before it, behind {}", hop(measurement, after))
        }
        Who::AsFarAs { hop: 1 } => "something 1 hop away; whether that is the address itself could not be seen".to_owned(),
        Who::AsFarAs { hop } => format!("something {hop} hops away; whether that is the address itself could not be seen"),
        Who::Behind { hop: 0 } => "unknown: no router on the way says anything".to_owned(),
        Who::Behind { hop: ttl } => {
            format!(
                "something behind {}, the last that says anything: on the way, or the address itself",
                hop(measurement, ttl)
            )
        }
    }
}

/// How that is known, as one sentence or two.
pub(super) fn how_barred(measurement: &PathMeasurement, barrier: &Barrier) -> String {
    match (&barrier.act, barrier.who) {
        (Act::Message { words, .. }, who) => {
            format!("An ICMP message says \"{words}\"; it comes from {}.", self::who(Some(measurement), who))
        }
        (_, Who::Host { hop: Some(hop) }) => {
            format!(
                "Requests sent so that they end at hop {hop} are answered, and a datagram sent so far is answered by the address."
            )
        }
        (Act::Reset, Who::Between { after, before }) => format!(
            "Requests sent so that they end at hop {before} are refused, those that end at hop {after} are not; and datagrams go on behind hop {before}, so that the address is farther."
        ),
        (Act::Lost, Who::Between { after, before } | Who::AtTheHost { after, before }) => format!(
            "Requests sent so that they end at hop {after} are reported by the router there; of those sent farther nothing is heard, though a datagram to the same address is at hop {before}."
        ),
        (Act::Reset, who) => format!("The refusal comes from {}.", self::who(Some(measurement), who)),
        (Act::Lost, who) => format!("What loses the requests is {}.", self::who(Some(measurement), who)),
    }
}

/// What can be sent to those who run the network, of connections that do not come about.
pub(super) fn letter_of_barrier(found: &Found<'_>, measurement: &PathMeasurement, barrier: &Barrier) -> String {
    let requests = measurement.probes.iter().filter(|probe| probe.sent == PathPacket::ConnectionRequest && probe.ttl.is_none());
    format!(
        "\"On {when} TCP connection requests (SYN) were sent to {address} port {number}, source port {port}, {sent} times: {says}. {how} Please say what there does it, and let them pass.\"",
        when = found.case.evidence.started_at,
        address = measurement.question.address,
        number = found.case.evidence.subject.port,
        port = measurement.source_port,
        sent = requests.count(),
        says = barrier.says(),
        how = how_barred(measurement, barrier),
    )
}

/// What a finding says besides where connections are kept from coming about by somebody on the way.
pub(super) fn bar(finding: &mut Finding, found: &Found<'_>, measurement: &PathMeasurement, barrier: &Barrier) {
    let whose = who(Some(measurement), barrier.who);
    finding.party = Party::Path;
    if let Some((after, before)) = barrier.place() {
        let (after, before) = (Some(hop(Some(measurement), after)), Some(hop(Some(measurement), before)));
        finding.exhibits.insert(0, Exhibit::Hop { after, before, says: barrier.says() });
    }
    let no_way = matches!(barrier.act, Act::Message { is_rule: false, .. });
    let (wish, why) = if no_way {
        (
            "look for the host, or for its route, from there",
            "Who says so has no route, or gets no answer where the host should be: once the host is up and the route stands, requests are answered.",
        )
    } else {
        (
            "let TCP connections to the port pass",
            "The address is farther away than what stops the requests: once they pass, the server answers them itself.",
        )
    };
    finding.remedies.push(remedy(
        Party::Path,
        Safety::Manual,
        format!("Ask whoever runs the network there ({whose}) to {wish}"),
        vec![format!("What can be sent to them: {}", letter_of_barrier(found, measurement, barrier))],
        why,
        None,
    ));
    finding.reproduce.push(found.tlswhy("trace", ""));
}

/// What can be sent to those who run the network, of flights that their size keeps from coming through.
pub(super) fn letter_of_size(found: &Found<'_>, seen: &str, place: &str, how: &str) -> String {
    let address = found.case.address.map(|address| address.to_string()).unwrap_or_default();
    let port = found.measurement().map(|measured| format!(", source port {}", measured.source_port)).unwrap_or_default();
    format!(
        "\"On {when} TLS handshakes with {address} port {number}{port} had this end: {seen} It happens {place}. {how} Please say what there does it, and mend it.\"",
        when = found.case.evidence.started_at,
        number = found.case.evidence.subject.port,
    )
}
