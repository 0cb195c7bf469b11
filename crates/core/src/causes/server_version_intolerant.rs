use tlswhy_model::{Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::examination::FaultKind;

/// The server breaks on a hello that offers a newer version or an extension unknown to it.
pub(super) static CAUSE: Cause = Cause {
    code: "server-version-intolerant",
    family: "server",
    party: Party::Server,
    stage: Stage::Hello,
    doc: include_str!("server_version_intolerant.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::VersionIntolerant { field } = &found.fault.kind else {
        return None;
    };
    let extension = *field == "extensions";
    let (failing, working) = (found.failing()?, found.working()?);
    let what = if extension { "an extension or a value that it does not know" } else { "a newer version than it has" };
    let mut finding = found.finding(
        &CAUSE,
        format!("The server breaks on a hello that offers {what}"),
        format!(
            "The client's hello ends with: {}. The same hello {} is answered: {}.",
            failing.ending(),
            if extension { "without its unusual extensions and values" } else { "without the newer version" },
            found.success(working)
        ),
        "A server must ignore versions and extensions that it does not know and choose from what is left (RFC 8446 §4.1.3, §4.2); this one gives up instead.".to_owned(),
    );
    finding.exhibits.extend(working.version_exhibit());
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Manual,
        "Upgrade the server's TLS library, or the firmware of the device that ends TLS",
        vec![
            "Find out what answers there; intolerance is a bug that vendors have fixed, often years ago".to_owned(),
            "A current proxy in front of it (nginx, HAProxy, stunnel) takes any hello and speaks old TLS to the server behind"
                .to_owned(),
        ],
        "A library that follows the RFC ignores what it does not know and negotiates.",
        None,
    ));
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Weakens,
        if extension { "Until then, switch the extension off in this one client" } else { "Until then, cap the version in this one client (gives TLS 1.3 up)" },
        vec!["OpenSSL: `MaxProtocol = TLSv1.2` for this program; curl: --tls-max 1.2; Java: -Djdk.tls.client.protocols=TLSv1.2; Node: --tls-max-v1.2".to_owned()],
        "The hello then holds nothing that the server breaks on.",
        None,
    ));
    finding.reproduce.push(found.s_client(""));
    finding.reproduce.push(found.s_client("-no_tls1_3"));
    finding.references.extend(["RFC 8446 §4.2.1".to_owned(), "RFC 8446 App. D.2".to_owned(), "RFC 8701".to_owned()]);
    Some(finding)
}
