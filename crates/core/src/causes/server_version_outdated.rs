use tlswhy_model::{Finding, Party, Remedy, Safety, Stage};
use tlswhy_wire::ProtocolVersion;

use super::found::{Found, remedy, s_client_version};
use super::{told, words};
use crate::causes::Cause;
use crate::configuration::NoVersionLeft;
use crate::examination::FaultKind;
use crate::negotiate::{Change, Obstacle};

/// The server accepts at most TLS 1.1.
pub(super) static CAUSE: Cause = Cause {
    code: "server-version-outdated",
    family: "server",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("server_version_outdated.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if let Some(finding) = told::finding(found, &CAUSE) {
        return Some(finding);
    }
    if let FaultKind::NoVersionLeft(left) = &found.fault.kind {
        return Some(none_left(found, left));
    }
    let highest = match found.obstacle()? {
        Obstacle::Versions { server, client } => {
            let highest = *server.iter().max()?;
            // A client that is no newer itself is the outdated one.
            let client_is_newer = client.is_empty() || client.iter().min().is_some_and(|lowest| *lowest > highest);
            (highest <= ProtocolVersion::TLSV1_1 && client_is_newer).then_some(highest)?
        }
        Obstacle::LegacySignature { version } => *version,
        _ => return None,
    };
    let shown = words::version(highest);
    let client = found.client_title();
    let legacy = matches!(found.obstacle(), Some(Obstacle::LegacySignature { .. }));
    let title = format!("The server speaks {shown} at most");
    let diagnosis = match (legacy, found.fault.blocks) {
        (true, _) => format!(
            "To a hello that offers up to {} the server answers with {shown} and a signed key exchange.",
            words::versions(found.client.versions.get(..1).unwrap_or_default())
        ),
        (false, true) => format!(
            "The server accepts {} and nothing newer; {client} offers {}.",
            words::versions(&accepted(found, highest)),
            words::versions(&found.client.versions)
        ),
        (false, false) => {
            format!("The server takes {shown} at most. {client} still accepts that; most clients of today do not.")
        }
    };
    let why = if legacy {
        format!(
            "In {shown} the key exchange is signed with SHA-1 (and MD5), which {client} refuses; it ends the handshake itself (\"legacy sigalg disallowed or unsupported\")."
        )
    } else if found.fault.blocks && found.client.versions.contains(&highest) {
        format!(
            "{shown} is all that both have, it is deprecated (RFC 8996), and what the two still offer in it does not fit together."
        )
    } else if found.fault.blocks {
        format!("No version is common to both: the client begins above {shown}, where the server ends.")
    } else {
        "TLS 1.0 and 1.1 are deprecated (RFC 8996): browsers and current libraries refuse them.".to_owned()
    };
    let mut finding = found.finding(&CAUSE, title, diagnosis, why);
    finding.exhibits.extend(found.failing().or(found.working()).and_then(|seen| seen.version_exhibit()));
    finding.remedies.push(newer_versions(found));
    if found.fault.blocks && highest >= ProtocolVersion::TLSV1_0 {
        finding.remedies.push(remedy(
            Party::Client,
            Safety::Weakens,
            format!("Until then, allow {shown} in this one client (opens it to attacks on old TLS)"),
            vec![format!(
                "OpenSSL 3: minimum version {highest} together with cipher list `DEFAULT@SECLEVEL=0`, for this connection only"
            )],
            format!("The client then accepts {shown}, with the signatures and suites that come with it."),
            None,
        ));
    }
    finding.reproduce.push(found.s_client(s_client_version(highest)));
    finding.reproduce.push(found.s_client("-tls1_2"));
    finding.references.extend(["RFC 8996".to_owned(), "RFC 8446 §4.2.1".to_owned()]);
    Some(finding)
}

/// Nothing is accepted at all: the library takes away what the lines switch on.
fn none_left(found: &Found<'_>, left: &NoVersionLeft) -> Finding {
    let mut finding = found.finding(
        &CAUSE,
        "No version of TLS is left on at the server".to_owned(),
        format!(
            "Its configuration switches on {} and nothing newer; {}. {} offers {}.",
            words::versions(&left.named),
            left.taken_away.join("; "),
            found.client_title(),
            words::versions(&found.client.versions)
        ),
        "A version counts only where the server's library leaves it on as well. With none left every hello is refused, whoever sends it."
            .to_owned(),
    );
    finding.remedies.push(newer_versions(found));
    finding.reproduce.push(found.s_client("-tls1_2"));
    finding.references.extend(["RFC 8996".to_owned(), "SSL_CTX_set_security_level(3)".to_owned()]);
    finding
}

/// The server gets the versions of today.
fn newer_versions(found: &Found<'_>) -> Remedy {
    let fixes = found.fixes().into_iter();
    let predicts = fixes.filter(|(change, _)| matches!(change, Change::ServerVersions(_))).find_map(|(_, predicts)| predicts);
    remedy(
        Party::Server,
        Safety::Safe,
        "Switch TLS 1.2 and 1.3 on at the server; if its software cannot, upgrade it or put a TLS proxy in front",
        words::server_protocol_steps(),
        "The client offers these versions already; once the server has one of them, it is the highest that both have and is chosen.",
        predicts,
    )
}

fn accepted(found: &Found<'_>, highest: ProtocolVersion) -> Vec<ProtocolVersion> {
    let mut versions = found.server.accepted_versions();
    if versions.is_empty() {
        versions.push(highest);
    }
    versions
}
