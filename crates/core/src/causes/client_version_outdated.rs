use tlswhy_model::{Finding, Party, Safety, Stage};
use tlswhy_wire::ProtocolVersion;

use super::found::{Found, remedy};
use super::{told, words};
use crate::causes::Cause;
use crate::negotiate::{Change, Obstacle};

/// The client offers at most TLS 1.1, the server wants more.
pub(super) static CAUSE: Cause = Cause {
    code: "client-version-outdated",
    family: "client",
    party: Party::Client,
    stage: Stage::Negotiate,
    doc: include_str!("client_version_outdated.md"),
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
    let (highest, lowest) = (*client.iter().max()?, *server.iter().min()?);
    if highest > ProtocolVersion::TLSV1_1 || lowest <= highest {
        return None;
    }
    let (shown, title) = (words::version(highest), found.client_title());
    let software = &found.case.client.software;
    let mut finding = found.finding(
        &CAUSE,
        format!("The client offers {shown} at most"),
        format!("{title} offers {}; the server accepts {}.", words::versions(client), words::versions(server)),
        format!(
            "No version is common to both: the client ends at {shown}, and the server begins at {}.",
            words::version(lowest)
        ),
    );
    finding.exhibits.extend(found.working().and_then(|seen| seen.version_exhibit()));
    let predicts = found
        .fixes()
        .into_iter()
        .find(|(change, _)| matches!(change, Change::ClientVersions(_)))
        .and_then(|(_, predicts)| predicts);
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Safe,
        "Let the client use TLS 1.2 or 1.3: upgrade it or its TLS library, or lift the setting that caps it",
        vec![
            format!("{} {}: upgrade to a release that has TLS 1.2 switched on", software.product, software.version),
            "Java 7: `-Djdk.tls.client.protocols=TLSv1.2`; Java 6 has no TLS 1.2 in public releases".to_owned(),
            ".NET Framework before 4.7: set SchUseStrongCrypto and SystemDefaultTlsVersions in the registry; Windows 7 and 2008 R2 need KB3140245 for WinHTTP".to_owned(),
            "OpenSSL: look for `MaxProtocol` or `Protocol` lines in openssl.cnf and for a pinned version in the program; raising MinProtocol adds no version and cures nothing here".to_owned(),
            "Programs that pin one version in code (PROTOCOL_TLSv1, TLSv1_method, ssl_version) must stop doing so".to_owned(),
        ],
        format!("A client that offers {} meets a version that the server has.", words::versions(server)),
        predicts,
    ));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Weakens,
        format!("Switch {shown} on at the server for this client alone, on a port or address of its own (opens it to attacks on old TLS)"),
        vec!["OpenSSL 3 servers need `@SECLEVEL=0` in the cipher list besides the version".to_owned()],
        format!("The server then accepts {shown}."),
        None,
    ));
    finding.reproduce.push(found.s_client("-tls1_1 -cipher 'ALL:@SECLEVEL=0'"));
    finding.reproduce.push(found.s_client("-tls1_2"));
    finding.references.extend(["RFC 8996".to_owned(), "RFC 8446 §4.2.1".to_owned()]);
    Some(finding)
}
