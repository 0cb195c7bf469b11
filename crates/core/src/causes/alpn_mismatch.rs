use tlswhy_model::{Finding, Party, Safety, Stage, printable};

use super::found::{Found, remedy};
use super::words;
use crate::causes::Cause;
use crate::negotiate::Obstacle;

/// No application protocol in common.
pub(super) static CAUSE: Cause = Cause {
    code: "alpn-mismatch",
    family: "server",
    party: Party::Server,
    stage: Stage::Application,
    doc: include_str!("alpn_mismatch.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if found.obstacle() != Some(&Obstacle::Alpn) {
        return None;
    }
    let offered: Vec<String> = found.client.alpn.iter().map(|name| printable(name, 60)).collect();
    let shown = words::list(&offered, 6);
    let mut finding = found.finding(
        &CAUSE,
        format!("The server speaks none of the application protocols that the client offers ({shown})"),
        format!(
            "{} offers {shown} (ALPN). The server ends the handshake{}.",
            found.client_title(),
            if found.working().is_some() { "; the same hello without ALPN is answered" } else { " for that" }
        ),
        "A server that supports ALPN and finds no protocol of its own in the list must end the handshake with no_application_protocol (RFC 7301 §3.2).".to_owned(),
    );
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        format!("Let the server offer one of {shown}"),
        vec![
            "HAProxy: `alpn h2,http/1.1` on the bind line; nginx: `http2 on;` (1.25.1 and later) or `listen … ssl http2`; Go: `NextProtos` of tls.Config; Java: SSLParameters.setApplicationProtocols".to_owned(),
            "A proxy or load balancer in front must offer it too: it is the one that negotiates".to_owned(),
        ],
        "A protocol that both name is chosen, and the handshake goes on.",
        None,
    ));
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Safe,
        "Let the client offer what the server speaks, or no ALPN at all",
        vec!["curl: --http1.1 or --no-alpn; OpenSSL: `-alpn`; gRPC needs h2 at the server".to_owned()],
        "Without the extension the server does not negotiate a protocol.",
        None,
    ));
    let alpn = found.client.alpn.iter().map(|name| printable(name, 60)).collect::<Vec<_>>().join(",");
    finding.reproduce.push(found.s_client(&format!("-alpn {alpn}")));
    finding.reproduce.push(found.s_client(""));
    finding.references.push("RFC 7301 §3.2".to_owned());
    Some(finding)
}
