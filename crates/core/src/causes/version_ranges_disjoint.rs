use tlswhy_model::{Finding, Party, Safety, Stage};
use tlswhy_wire::ProtocolVersion;

use super::found::{Found, remedy};
use super::{told, words};
use crate::causes::Cause;
use crate::negotiate::{Change, Obstacle};

/// Both sides are modern enough and still share no version.
pub(super) static CAUSE: Cause = Cause {
    code: "version-ranges-disjoint",
    family: "server",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("version_ranges_disjoint.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if let Some(finding) = told::finding(found, &CAUSE) {
        return Some(finding);
    }
    let Obstacle::Versions { client, server } = found.obstacle()? else {
        return None;
    };
    let modern =
        |versions: &[ProtocolVersion]| versions.iter().max().is_some_and(|highest| *highest >= ProtocolVersion::TLSV1_2);
    if !modern(client) || !modern(server) || client.iter().any(|version| server.contains(version)) {
        return None;
    }
    let mut finding = found.finding(
        &CAUSE,
        format!("Client and server share no version: {} against {}", words::versions(client), words::versions(server)),
        format!("{} offers {}; the server accepts {}.", found.client_title(), words::versions(client), words::versions(server)),
        "Both are modern enough, and their ranges do not meet, so the server cannot choose a version.".to_owned(),
    );
    finding.exhibits.extend(found.working().and_then(|seen| seen.version_exhibit()));
    for (change, predicts) in found.fixes() {
        finding.remedies.push(match change {
            Change::ServerVersions(versions) => remedy(
                Party::Server,
                Safety::Safe,
                format!("Switch {} on at the server as well", words::versions(&versions)),
                vec![
                    "nginx: `ssl_protocols TLSv1.2 TLSv1.3;` in the http block or the default server of the listen socket".to_owned(),
                    "Apache: `SSLProtocol -all +TLSv1.2 +TLSv1.3` (without the plus signs the last word alone counts: `SSLProtocol TLSv1.2 TLSv1.3` is 1.3 only)".to_owned(),
                    "HAProxy: `ssl-min-ver TLSv1.2`, no ssl-max-ver, no force-tlsv1x; Java: look at jdk.tls.server.protocols".to_owned(),
                ],
                "The added version is one that the client offers; adding it takes nothing away from the clients that work now.",
                predicts,
            ),
            Change::ClientVersions(versions) => remedy(
                Party::Client,
                Safety::Safe,
                format!("Let the client use {}", words::versions(&versions)),
                vec![
                    "Upgrade the client or its TLS library: OpenSSL has TLS 1.3 since 1.1.1, Java since 11 and 8u341, Go since 1.13, GnuTLS since 3.6.5".to_owned(),
                    "If the library has it, look for a cap: `MaxProtocol` in openssl.cnf, jdk.tls.client.protocols, --tls-max, a version pinned in code".to_owned(),
                ],
                "The client then offers a version that the server accepts already.",
                predicts,
            ),
            _ => continue,
        });
    }
    finding.reproduce.push(found.s_client("-tls1_2"));
    finding.reproduce.push(found.s_client("-tls1_3"));
    finding.references.push("RFC 8446 §4.2.1".to_owned());
    Some(finding)
}
