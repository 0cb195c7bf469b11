use tlswhy_model::{Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::negotiate::{Change, Obstacle};

/// The server lacks secure renegotiation (RFC 5746), which the client insists on.
pub(super) static CAUSE: Cause = Cause {
    code: "legacy-renegotiation",
    family: "server",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("legacy_renegotiation.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if found.obstacle() != Some(&Obstacle::SecureRenegotiation) {
        return None;
    }
    let client = found.client_title();
    let mut finding = found.finding(
        &CAUSE,
        "The server lacks secure renegotiation (RFC 5746), which the client insists on".to_owned(),
        format!("The hello says that the client supports secure renegotiation; the ServerHello does not answer with renegotiation_info, and {client} insists on it."),
        format!("{client} ends the handshake itself after the ServerHello (OpenSSL 3: \"unsafe legacy renegotiation disabled\")."),
    );
    finding.exhibits.extend(found.failing().and_then(|seen| seen.version_exhibit()));
    let predicts = found
        .fixes()
        .into_iter()
        .find(|(change, _)| *change == Change::ServerSecureRenegotiation)
        .and_then(|(_, predicts)| predicts);
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        "Upgrade the server, or the device in front of it, to one that implements RFC 5746 (every maintained one has since 2010), or let it speak TLS 1.3",
        vec![
            "Find out what answers: an old load balancer, an inspection device or an embedded server is usual".to_owned(),
            "GnuTLS servers: remove %DISABLE_SAFE_RENEGOTIATION from the priority string".to_owned(),
            "TLS 1.3 has no renegotiation, so the demand does not apply there".to_owned(),
        ],
        "The ServerHello then carries renegotiation_info, which is all that the client asks for.",
        predicts,
    ));
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Weakens,
        "Until then, allow such servers in this one client (opens it to the renegotiation attack, CVE-2009-3555)",
        vec!["OpenSSL 3.0.4 and later: `Options = UnsafeLegacyServerConnect` in the system_default section, or SSL_OP_LEGACY_SERVER_CONNECT in the program; `openssl s_client -legacy_server_connect`".to_owned()],
        "The client then goes on without the extension.",
        None,
    ));
    finding.reproduce.push(found.s_client("-tls1_2"));
    finding.reproduce.push(found.s_client("-tls1_2 -legacy_server_connect") + " 2>&1 | grep Renegotiation");
    finding.references.extend(["RFC 5746 §3.4".to_owned(), "RFC 8446 §4.1.3".to_owned()]);
    Some(finding)
}
