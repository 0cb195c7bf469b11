use tlswhy_model::{Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::places;
use crate::causes::Cause;
use crate::examination::FaultKind;

/// The port refuses connections.
pub(super) static CAUSE: Cause = Cause {
    code: "port-closed",
    family: "path",
    party: Party::Server,
    stage: Stage::Connect,
    doc: include_str!("port_closed.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if found.fault.kind != FaultKind::PortClosed {
        return None;
    }
    let target = found.target();
    let port = found.case.evidence.subject.port;
    let refused = format!("The connection to {target} was refused at once, before a byte of TLS was sent.");
    let measured = found.barrier();
    let on_the_way = measured.as_ref().filter(|(_, barrier)| barrier.is_on_the_way());
    let (title, why) = match on_the_way {
        Some((measurement, barrier)) => (
            format!("Connections to port {port} are refused by {}", places::who(Some(measurement), barrier.who)),
            "The refusal does not come from the server: no request gets to it, so no handshake can begin.".to_owned(),
        ),
        None => (
            format!("The port {port} refuses connections"),
            "Nothing listens on the port, or a firewall answers for it; no handshake can begin.".to_owned(),
        ),
    };
    let seen = match &measured {
        Some((measurement, barrier)) => format!("{refused} {}", places::how_barred(measurement, barrier)),
        None => refused,
    };
    let mut finding = found.finding(&CAUSE, title, seen, why);
    match on_the_way {
        Some((measurement, barrier)) => places::bar(&mut finding, found, measurement, barrier),
        None => finding.remedies.push(remedy(
            Party::Server,
            Safety::Manual,
            format!("Start the service that should listen on port {port}, or use the port that it listens on"),
            vec![
                "On the server: `ss -ltnp` shows which addresses and ports are listened on; a service bound to 127.0.0.1 refuses the others".to_owned(),
                "See why the service does not run: `systemctl status SERVICE`, `journalctl -u SERVICE`".to_owned(),
                "If it runs, look for a firewall rule that rejects (not drops) this port".to_owned(),
            ],
            "A refusal (RST) is the answer of a host that is reached and has nothing on the port: once something listens there, the connection comes about.",
            None,
        )),
    }
    finding.reproduce.push(format!("nc -vz {} {port}", found.case.evidence.subject.host));
    finding.references.push("RFC 9293 §3.10.7.1".to_owned());
    Some(finding)
}
