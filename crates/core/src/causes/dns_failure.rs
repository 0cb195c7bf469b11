use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage, printable};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::examination::FaultKind;

/// The name has no usable address.
pub(super) static CAUSE: Cause = Cause {
    code: "dns-failure",
    family: "path",
    party: Party::Path,
    stage: Stage::Resolve,
    doc: include_str!("dns_failure.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::DnsFailure { error } = &found.fault.kind else {
        return None;
    };
    let host = printable(&found.case.evidence.subject.host, 120);
    let error = printable(error, 200);
    let mut finding = found.finding(
        &CAUSE,
        format!("The name {host} has no usable address"),
        format!("Resolving {host} gave no address to connect to: {error}."),
        "Without an address there is nothing to connect to; TLS is not involved yet.".to_owned(),
    );
    finding.exhibits.push(Exhibit::Setting {
        name: "resolver".to_owned(),
        value: error,
        origin: "this machine's resolver".to_owned(),
        says: "the name was not resolved".to_owned(),
    });
    finding.remedies.push(remedy(
        Party::Path,
        Safety::Manual,
        "Correct the name, its DNS records, or this machine's resolver",
        vec![
            format!("Is the name spelt right? `getent ahosts {host}` asks as programs do, /etc/hosts included"),
            format!("`dig {host} A {host} AAAA` asks DNS alone: NXDOMAIN is a missing name, SERVFAIL a broken zone or resolver, an empty answer a name without addresses"),
            "If other names fail too, look at /etc/resolv.conf and at the resolver that it names".to_owned(),
            "To go on meanwhile: `tlswhy check NAME --address IP` connects to an address and keeps the name".to_owned(),
        ],
        "With an address the connection can be tried; everything after it was not examined.",
        None,
    ));
    finding.reproduce.push(format!("getent ahosts {host}"));
    finding.references.push("RFC 1034 §4.3.1".to_owned());
    Some(finding)
}
