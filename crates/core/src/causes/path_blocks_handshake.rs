use tlswhy_model::{Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::places;
use crate::causes::Cause;
use crate::examination::FaultKind;

/// Something between resets or swallows the handshake.
pub(super) static CAUSE: Cause = Cause {
    code: "path-blocks-handshake",
    family: "path",
    party: Party::Path,
    stage: Stage::Hello,
    doc: include_str!("path_blocks_handshake.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::Path(fault) = &found.fault.kind else {
        return None;
    };
    if fault.name.is_some() {
        return None;
    }
    let (measurement, at) = (found.measurement(), &fault.place);
    let place = places::place(measurement, at);
    let mut finding = found.finding(
        &CAUSE,
        format!("The handshake is stopped on the way, {place}"),
        format!("TCP connects, and to every ClientHello {}. {}", fault.ends.says(), places::how(measurement, fault.ends, at)),
        "A device on the way ends TLS handshakes on this port; the server never gets to answer them.".to_owned(),
    );
    finding.exhibits.insert(0, places::exhibit(measurement, at, format!("the handshake is stopped {place}")));
    finding.remedies.push(remedy(
        Party::Path,
        Safety::Manual,
        format!("Ask whoever runs the network {place} to let TLS to port {} pass", found.case.evidence.subject.port),
        vec![
            format!("What can be sent to them: {}", places::letter(found, "a TLS ClientHello", fault.ends, at)),
            "If the device is yours: look for a rule on the application (TLS, \"SSL\") or on the port, and for one that allows known applications alone".to_owned(),
            "From another network the same command tells whether that one has the device too".to_owned(),
        ],
        "The server is not what fails: a hello that gets past this place is answered by it.",
        None,
    ));
    finding.reproduce.push(found.tlswhy("trace", ""));
    finding.reproduce.push(found.s_client(""));
    finding.references.push("RFC 792 (time exceeded)".to_owned());
    Some(finding)
}
