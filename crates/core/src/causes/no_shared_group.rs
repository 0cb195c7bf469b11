use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::words;
use crate::causes::Cause;
use crate::negotiate::{Change, Obstacle};

/// No key-exchange group (curve) in common.
pub(super) static CAUSE: Cause = Cause {
    code: "no-shared-group",
    family: "cipher",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("no_shared_group.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let Obstacle::Groups { version } = found.obstacle()? else {
        return None;
    };
    let taken = found.server.accepted_groups(*version);
    let shown = words::version(*version);
    let mut finding = found.finding(
        &CAUSE,
        "Client and server have no key-exchange group in common".to_owned(),
        format!(
            "{} offers {}; for {shown} the server takes none of them and was seen to take {}.",
            found.client_title(),
            words::list(&found.client.groups, 6),
            words::list(&taken, 4)
        ),
        "Version and suite are shared, and the key exchange needs a group that both have; in TLS 1.2 and below OpenSSL reports that as \"no shared cipher\".".to_owned(),
    );
    if let Some(group) = found.working().and_then(|seen| seen.group())
        && let Some(working) = found.working()
    {
        finding.exhibits.push(Exhibit::Ending { attempt: working.id(), says: format!("the server chose the group {group}") });
    }
    for (change, predicts) in found.fixes() {
        finding.remedies.push(match change {
            Change::ServerGroups(_, groups) => remedy(
                Party::Server,
                Safety::Safe,
                format!("Allow {} at the server", words::list(&groups, 3)),
                vec![
                    format!("nginx: `ssl_ecdh_curve {}` (or `auto`), in the default server of the listen socket", openssl_list(&groups)),
                    format!("Apache: `SSLOpenSSLConfCmd Groups {}` in the first virtual host of the port; HAProxy: `curves` on the bind line or ssl-default-bind-curves", openssl_list(&groups)),
                    "Elsewhere: `Groups` (older name `Curves`) of the TLS library; Java: jdk.tls.namedGroups".to_owned(),
                ],
                "The client offers these groups already; with one of them on the server's list too the key exchange can be made.",
                predicts,
            ),
            Change::ClientGroups(groups) => remedy(
                Party::Client,
                Safety::Safe,
                format!("Let the client offer {}", words::list(&groups, 3)),
                vec!["Look for a narrowed list: `Groups` or `Curves` in openssl.cnf, --curves, jdk.tls.namedGroups; or upgrade a client that lacks the group".to_owned()],
                "The server then finds one of its own groups in the client's list.",
                predicts,
            ),
            _ => continue,
        });
    }
    let names = openssl_list(&taken);
    if !names.is_empty() {
        finding.reproduce.push(found.s_client(&format!("-groups {names}")));
    }
    finding.reproduce.push(found.s_client(""));
    finding.references.extend(["RFC 8446 §4.2.7".to_owned(), "RFC 8422 §5.1.1".to_owned()]);
    Some(finding)
}

fn openssl_list(groups: &[tlswhy_wire::NamedGroup]) -> String {
    let names: Vec<&str> = groups.iter().filter_map(|group| group.openssl_name().or(group.name())).take(4).collect();
    names.join(":")
}
