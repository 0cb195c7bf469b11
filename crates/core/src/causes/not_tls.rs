use tlswhy_model::{Finding, Party, Safety, Stage, printable};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::examination::FaultKind;

/// What answers on the port does not speak TLS.
pub(super) static CAUSE: Cause = Cause {
    code: "not-tls",
    family: "server",
    party: Party::Server,
    stage: Stage::Hello,
    doc: include_str!("not_tls.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::NotTls { protocol, detail, declined } = &found.fault.kind else {
        return None;
    };
    let target = found.target();
    let (protocol, detail) = (protocol.as_deref(), printable(detail, 200));
    let speaks = protocol.map_or_else(|| "something that is not TLS".to_owned(), |protocol| format!("{protocol} without TLS"));
    let (diagnosis, why) = if *declined {
        (
            format!(
                "{target} speaks {}, and does not start TLS when asked to: {detail}.",
                protocol.unwrap_or("its own protocol")
            ),
            "The protocol could be upgraded to TLS, and this server declines; so no handshake begins.",
        )
    } else {
        (
            format!("The answer to the ClientHello was not TLS but {}: {detail}", protocol.unwrap_or("unknown")),
            "The client waits for a ServerHello and reads another protocol; OpenSSL calls that \"wrong version number\", which has nothing to do with versions.",
        )
    };
    let mut finding = found.finding(&CAUSE, format!("{target} speaks {speaks}"), diagnosis, why.to_owned());
    let mut steps = vec![
        "Is it the right port? TLS usually has a port of its own (443 beside 80, 993 beside 143, 465 beside 25)".to_owned(),
    ];
    match protocol {
        Some("http") => steps.extend([
            "nginx: the listen line needs the word ssl: `listen 443 ssl;`".to_owned(),
            "Apache: the virtual host of the port needs `SSLEngine on` and a certificate; HAProxy: the bind line needs `ssl crt FILE`".to_owned(),
            "If the answer is a proxy's or a portal's error page, the proxy must be told to tunnel (CONNECT), or be left out".to_owned(),
        ]),
        _ if *declined => steps.push("Switch TLS on in that service (certificate, key, and the setting that offers it), and reload it".to_owned()),
        _ => steps.push("Switch TLS on for that service on this port, or connect without TLS if that is what it is meant to speak".to_owned()),
    }
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Manual,
        "Connect to the port where TLS is spoken, or switch TLS on at this one",
        steps,
        "A handshake needs a TLS server at the other end; the present one answers in its own protocol whatever the hello offers.",
        None,
    ));
    finding.reproduce.push(match protocol {
        Some("http") => format!("curl -sv http://{target}/"),
        _ => format!("nc {} {}", found.case.evidence.subject.host, found.case.evidence.subject.port),
    });
    finding.references.push("RFC 8446 §5.1".to_owned());
    Some(finding)
}
