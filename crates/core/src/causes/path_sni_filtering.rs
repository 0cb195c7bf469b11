use tlswhy_model::{Finding, Party, Safety, Stage, printable};

use super::found::{Found, remedy};
use super::places;
use crate::causes::Cause;
use crate::examination::FaultKind;

/// Something between resets or swallows the handshake, and it depends on the server name.
pub(super) static CAUSE: Cause = Cause {
    code: "path-sni-filtering",
    family: "path",
    party: Party::Path,
    stage: Stage::Hello,
    doc: include_str!("path_sni_filtering.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::Path(fault) = &found.fault.kind else {
        return None;
    };
    let name = printable(fault.name.as_deref()?, 120);
    let (measurement, at) = (found.measurement(), &fault.place);
    let place = places::place(measurement, at);
    let mut finding = found.finding(
        &CAUSE,
        format!("The name {name} is filtered on the way, {place}"),
        format!(
            "To a hello for {name} {}; with another server name, or none, the same hello is answered. {}",
            fault.ends.says(),
            places::how(measurement, fault.ends, at)
        ),
        "A device on the way reads the server name in the hello, where it stands in the clear, and ends handshakes for this one."
            .to_owned(),
    );
    finding.exhibits.insert(0, places::exhibit(measurement, at, format!("hellos for {name} are stopped {place}")));
    finding.remedies.push(remedy(
        Party::Path,
        Safety::Manual,
        format!("Ask whoever runs the network {place} to take {name} off their filter"),
        vec![
            format!("What can be sent to them: {}", places::letter(found, &format!("a TLS ClientHello for {name}"), fault.ends, at)),
            "If the device is yours: look for the name, its domain, or a category that it was put into, among the rules of web and application filters".to_owned(),
        ],
        "The same hello with another name gets past this place and is answered: without the filter this one does too.",
        None,
    ));
    finding.reproduce.push(found.tlswhy("trace", ""));
    finding.reproduce.push(found.s_client(""));
    finding.reproduce.push(found.s_client("").replace(&format!("-servername {name}"), "-noservername"));
    finding.references.push("RFC 6066 §3".to_owned());
    finding.references.push("RFC 792 (time exceeded)".to_owned());
    Some(finding)
}
