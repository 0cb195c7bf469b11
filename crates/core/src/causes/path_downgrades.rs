use tlswhy_model::{Exhibit, Finding, Layer, Party, Prediction, Safety, Stage};
use tlswhy_wire::ProtocolVersion;

use super::found::{Found, remedy, s_client_version};
use crate::case::Seen;
use crate::causes::Cause;
use crate::examination::{Downgrade, FaultKind};

/// Something between lowers what the two ends would agree on.
pub(super) static CAUSE: Cause = Cause {
    code: "path-downgrades",
    family: "path",
    party: Party::Path,
    stage: Stage::Negotiate,
    doc: include_str!("path_downgrades.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::Downgraded(downgrade) = &found.fault.kind else {
        return None;
    };
    let Downgrade { offered, taken, marked, at } = downgrade;
    let at = at.map(|at| format!(", {}", at.says())).unwrap_or_default();
    let through = found.working();
    let mut diagnosis = match marked {
        true => format!(
            "The hello offers {offered}. The answer takes {taken} and ends its random with the mark by which a server says that it could have done better (RFC 8446 §4.1.3): the hello that came to it did not offer {offered}."
        ),
        false => format!(
            "Both ends came to their Finished, and the server's answer to ours says that they have not seen the same handshake: {}.",
            found.failing().map(Seen::ending).unwrap_or_default()
        ),
    };
    if let Some(through) = through {
        diagnosis += &format!(" The same hello in two pieces comes through unchanged: {}.", found.success(through));
    }
    if downgrade.at.is_none() {
        diagnosis += " Where on the way it is changed cannot be seen without the right to read packets.";
    }
    let client = found.client_title();
    let why = match found.fault.blocks {
        true if !marked => "Each end signs, in its Finished, what it has seen of the handshake (RFC 8446 §4.4.4): whoever changes the hello on the way breaks it.".to_owned(),
        true => format!("{client} ends the handshake on the mark, so that nobody can force an old version on it."),
        false => format!("{client} does not look for the mark, and goes on with {taken}; others end the handshake on it."),
    };
    let title = match marked {
        true => format!("Something on the way lowers the version to {taken}{at}"),
        false => format!("Something on the way changes the ClientHello{at}"),
    };
    let mut finding = found.finding(&CAUSE, title, diagnosis, why);
    if *marked {
        finding.exhibits.extend(mark(found));
    }
    finding.exhibits.extend(downgrade.at.map(|at| at.exhibit()));
    finding.remedies.push(remedy(
        Party::Path,
        Safety::Manual,
        "Ask whoever runs the network to let the ClientHello pass unchanged",
        vec![
            format!(
                "What can be sent to them: \"On {} a ClientHello sent to {} offered {offered}; {}. A device between changes the hello. Please update it, or switch off what it does to TLS handshakes.\"",
                found.case.evidence.started_at,
                found.target(),
                match marked {
                    true => "the server's answer shows that what came to it did not (the mark of RFC 8446 §4.1.3)",
                    false => "cut into pieces it is answered to the end, and in one piece the two ends do not agree on what was said",
                }
            ),
            "If the device is yours: its maker's notes on TLS 1.3 name the release that stopped it; a rule on the highest TLS version is another place to look".to_owned(),
            "The place shows in two captures: the hello as it leaves the client and as it arrives at the server differ in supported_versions".to_owned(),
        ],
        match marked {
            true => format!("The server itself takes {offered}."),
            false => "The server takes the very hello where it comes unchanged.".to_owned(),
        },
        None,
    ));
    if found.fault.blocks && *taken == ProtocolVersion::TLSV1_2 {
        finding.remedies.push(remedy(
            Party::Client,
            Safety::Weakens,
            format!("Until then: keep the client at {taken}"),
            vec![format!("It gives up {offered} on every way, also where nothing interferes")],
            format!("A client that offers no more than {taken} is not lowered, and has nothing to object to."),
            Some(Prediction { version: Some(*taken), cipher_suite: None, group: None }),
        ));
    }
    finding.reproduce.push(found.tlswhy("trace", ""));
    finding.reproduce.push(found.s_client(""));
    finding.reproduce.push(found.s_client(s_client_version(*taken)));
    finding.references.push("RFC 8446 §4.1.3".to_owned());
    Some(finding)
}

/// The mark in the server's answer: the last eight bytes of its random, which follows the version.
fn mark(found: &Found<'_>) -> Option<Exhibit> {
    let seen = found.failing()?;
    let version = &seen.server_hello()?.legacy_version;
    let start = version.span.end.checked_add(24)?;
    let says = "the mark of a downgrade".to_owned();
    Some(seen.bytes_exhibit(Layer::Wire, start..start.checked_add(8)?, "ServerHello.random", says))
}
