use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage, printable};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::chain;
use crate::examination::FaultKind;

/// The server refuses this server name (or its absence).
pub(super) static CAUSE: Cause = Cause {
    code: "sni-unrecognized",
    family: "server",
    party: Party::Server,
    stage: Stage::Hello,
    doc: include_str!("sni_unrecognized.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::SniUnrecognized { name } = &found.fault.kind else {
        return None;
    };
    let target = found.target();
    let ending = found.failing().map(super::super::case::Seen::ending).unwrap_or_default();
    let known_names: Vec<String> = found
        .working()
        .and_then(|seen| seen.certificates())
        .and_then(|list| list.entries.first())
        .map(|leaf| chain::names(&leaf.value))
        .unwrap_or_default();
    let (title, diagnosis, why) = match name {
        Some(name) => {
            let name = printable(name, 120);
            let contrast = if found.working().is_some() { " The same hello without a server name is answered." } else { "" };
            (
                format!("The server does not serve the name {name}"),
                format!("To a hello for {name} the server answers: {ending}.{contrast}"),
                format!("The server is set to refuse names that it does not know, and {name} is not among them."),
            )
        }
        None => (
            "The server demands a server name (SNI), and none was sent".to_owned(),
            format!("To a hello without a server name the server answers: {ending}."),
            "The server is set to refuse hellos without a name that it knows.".to_owned(),
        ),
    };
    let mut finding = found.finding(&CAUSE, title, diagnosis, why);
    if !known_names.is_empty()
        && let Some(working) = found.working()
    {
        finding.exhibits.push(Exhibit::Ending {
            attempt: working.id(),
            says: format!("the certificate that it shows without a name is for {}", known_names.join(", ")),
        });
    }
    match name {
        Some(name) => {
            let name = printable(name, 120);
            let suggestion = if known_names.is_empty() { String::new() } else { format!(" (its default certificate names {})", known_names.join(", ")) };
            finding.remedies.push(remedy(
                Party::Server,
                Safety::Safe,
                format!("Make the server serve {name}, or connect with a name that it serves"),
                vec![
                    format!("Is the name right, and does it point to this server? Compare it with the names that the server has{suggestion}"),
                    format!("nginx: add `server_name {name};` to the server block with the certificate; the block with `ssl_reject_handshake on;` refuses all other names"),
                    format!("HAProxy: `strict-sni` refuses names without a certificate: add the certificate for {name} to crt or crt-list"),
                    "A proxy, CDN or ingress in front: add the name to its list of hosts".to_owned(),
                ],
                "The name in the hello then matches one that the server has a certificate for, and it goes on with the handshake.",
                None,
            ));
        }
        None => finding.remedies.push(remedy(
            Party::Client,
            Safety::Safe,
            "Make the client send the server's name",
            vec![
                "Connect by name instead of by address; `tlswhy check ADDRESS --sni NAME` shows that it helps".to_owned(),
                "nginx as a client: `proxy_ssl_server_name on;`; HAProxy: `sni str(NAME)` on the server line; OpenSSL: `SSL_set_tlsext_host_name`; Java before 7 and very old libraries have no SNI".to_owned(),
            ],
            "With a name the server knows which certificate to show.",
            None,
        )),
    }
    finding.reproduce.push(found.s_client(""));
    if name.is_some() && found.working().is_some() {
        finding.reproduce.push(format!("openssl s_client -connect {target} -noservername </dev/null"));
    }
    finding.references.push("RFC 6066 §3".to_owned());
    Some(finding)
}
