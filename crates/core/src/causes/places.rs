//! Places on the way in words, and the letter to those who run the network there.

use tlswhy_model::{Exhibit, PathMeasurement, PathPacket};

use super::found::Found;
use crate::path::{self, Ends, Place, Sign};

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
    let measurement = found.case.path();
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
