use tlswhy_model::{Ending, Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::places;
use crate::causes::Cause;
use crate::examination::FaultKind;
use crate::path::Act;

/// No answer to the connection.
pub(super) static CAUSE: Cause = Cause {
    code: "connect-timeout",
    family: "path",
    party: Party::Path,
    stage: Stage::Connect,
    doc: include_str!("connect_timeout.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if found.fault.kind != FaultKind::ConnectTimeout {
        return None;
    }
    let target = found.target();
    let ending = &found.failing()?.attempt.ending;
    let measured = found.barrier();
    let on_the_way = measured.as_ref().filter(|(_, barrier)| barrier.is_on_the_way());
    let (mut title, mut seen) = match ending {
        Ending::Unreachable { detail } => (
            "The network says that the server cannot be reached".to_owned(),
            format!("The connection to {target} failed: {}.", tlswhy_model::printable(detail, 120)),
        ),
        _ => (
            "The server does not answer the connection request".to_owned(),
            format!("{}: {}.", target, found.failing()?.ending()),
        ),
    };
    if let Some((measurement, barrier)) = &measured {
        seen = format!("{seen} {}", places::how_barred(measurement, barrier));
    }
    if let Some((measurement, barrier)) = on_the_way {
        let act = if barrier.act == Act::Lost { "lost to" } else { "turned away by" };
        title = format!("Connection requests are {act} {}", places::who(Some(measurement), barrier.who));
    }
    let mut finding = found.finding(
        &CAUSE,
        title,
        seen,
        "TCP does not stand, so no TLS is spoken: packets are dropped on the way, the host is down, or the address is wrong."
            .to_owned(),
    );
    if let Some((measurement, barrier)) = on_the_way {
        places::bar(&mut finding, found, measurement, barrier);
    }
    finding.remedies.push(remedy(
        Party::Path,
        Safety::Manual,
        "Find out where the connection requests are lost",
        vec![
            "Is the address right? Compare it with the server's own (`ip addr`), and try its other addresses".to_owned(),
            "From another network: if it answers there, a firewall or a security group on this way drops it".to_owned(),
            "On the server: `tcpdump -n 'tcp port PORT and tcp[tcpflags] & tcp-syn != 0'` shows whether the requests arrive".to_owned(),
        ],
        "Silence means that nobody answered, not even with a refusal: once the packets pass and the host is up, TCP is answered within a round trip.",
        None,
    ));
    finding.reproduce.push(format!("nc -vz -w 5 {} {}", found.case.evidence.subject.host, found.case.evidence.subject.port));
    finding.references.push("RFC 9293 §3.8.3".to_owned());
    Some(finding)
}
