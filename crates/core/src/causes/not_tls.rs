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
    if let FaultKind::ProxyHeader = found.fault.kind {
        return Some(behind_a_header(found));
    }
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
        Some("http-proxy") => steps.push(
            "This is a proxy: let the client go through it (`https_proxy=http://HOST:PORT`, CONNECT), and examine the server behind it with `tlswhy SERVER --proxy http://HOST:PORT`".to_owned(),
        ),
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

/// The port is for a balancer: it reads a line of its own before TLS.
fn behind_a_header(found: &Found<'_>) -> Finding {
    let target = found.target();
    let mut finding = found.finding(
        &CAUSE,
        format!("{target} wants a header of the PROXY protocol before TLS"),
        format!(
            "No hello is answered as it is; behind the line `PROXY UNKNOWN`, which a balancer sends, the same hello is answered with TLS{}.",
            found.working().map(|seen| format!(" ({})", found.success(seen))).unwrap_or_default()
        ),
        "The port is set up for connections that come through a balancer, which tells the client's address in a line before the client's first byte. A ClientHello is no such line, and the server ends the connection without a word.".to_owned(),
    );
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Manual,
        "Connect to the balancer, or stop wanting the header where clients connect themselves",
        vec![
            "If a balancer stands in front: connect to it, and see that it sends the header to this port (HAProxy: `send-proxy` or `send-proxy-v2` on the server line; nginx stream: `proxy_protocol on`; AWS NLB and others: an attribute of the target group)".to_owned(),
            "If clients connect themselves: nginx: take `proxy_protocol` from the listen line; HAProxy: `accept-proxy` from the bind line; Postfix: `smtpd_upstream_proxy_protocol`, `postscreen_upstream_proxy_protocol`; Dovecot: `haproxy = yes` of the inet_listener".to_owned(),
            "A server that takes the header from anybody believes any address that it names: let only the balancer reach such a port".to_owned(),
        ],
        "Then both ends agree whether TLS begins with the first byte.",
        None,
    ));
    finding.reproduce.push(format!("curl -v --haproxy-protocol https://{target}/"));
    finding.references.push("proxy-protocol.txt section 2.1".to_owned());
    finding
}
