use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage};
use tlswhy_wire::ProtocolVersion;

use super::found::{Found, remedy, s_client_version};
use super::words;
use crate::causes::Cause;
use crate::negotiate::{Change, Obstacle};

/// A version is shared, and no cipher suite in it.
pub(super) static CAUSE: Cause = Cause {
    code: "no-shared-cipher",
    family: "cipher",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("no_shared_cipher.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let Obstacle::Suites { version } = found.obstacle()? else {
        return None;
    };
    let version = *version;
    let shown = words::version(version);
    let offered = found.client.suites_at(version);
    let taken = found.server.accepted_suites(version);
    let mut finding = found.finding(
        &CAUSE,
        format!("Client and server share {shown} and no cipher suite in it"),
        format!(
            "{} offers {} suites for {shown} ({}); the server refuses every one of them{}.",
            found.client_title(),
            offered.len(),
            words::list(&offered, 3),
            if taken.is_empty() { String::new() } else { format!(" and was seen to take {}", words::list(&taken, 3)) }
        ),
        "The server chooses a suite from the client's list; with none in common there is nothing to choose, and it answers with handshake_failure.".to_owned(),
    );
    finding.exhibits.extend(found.working().and_then(|seen| seen.suite_exhibit()));
    let below_13 = version <= ProtocolVersion::TLSV1_2;
    for (change, predicts) in found.fixes() {
        finding.remedies.push(match change {
            Change::ServerSuites(_, suites) => {
                let steps = if below_13 {
                    let list = words::cipher_list(suites.get(..suites.len().min(4)).unwrap_or_default());
                    vec![
                        format!("Add to the server's list, for example: {list}"),
                        format!("Take Mozilla's intermediate list: {}", words::INTERMEDIATE),
                        "nginx: `ssl_ciphers`; Apache: `SSLCipherSuite`; HAProxy: `ssl-default-bind-ciphers` and `ciphers` on the bind line; Postfix: tls_medium_cipherlist behind the grade".to_owned(),
                        "These settings count up to TLS 1.2 only; TLS 1.3 has its own".to_owned(),
                    ]
                } else {
                    vec![
                        format!("Allow {} in the server's TLS 1.3 suites", words::list(&suites, 3)),
                        "nginx: `ssl_conf_command Ciphersuites …`; Apache: `SSLCipherSuite TLSv1.3 …`; HAProxy: `ssl-default-bind-ciphersuites` and `ciphersuites`".to_owned(),
                    ]
                };
                let why = "The client offers these suites already, and the server's certificate can be used with them.";
                remedy(Party::Server, Safety::Safe, "Allow a current suite that the client offers", steps, why, predicts)
            }
            Change::ClientSuites(suites) => remedy(
                Party::Client,
                Safety::Safe,
                "Let the client offer a current suite that the server takes",
                vec![
                    format!("The server takes {}", words::list(&suites, 3)),
                    "Look for a narrowed list in the client: `CipherString` and `Ciphersuites` in openssl.cnf, jdk.tls.disabledAlgorithms, a list set in code; or upgrade a client that does not have them".to_owned(),
                ],
                "The server then finds one of its own suites in the client's list.",
                predicts,
            ),
            _ => continue,
        });
    }
    if finding.remedies.is_empty() {
        finding.remedies.push(remedy(
            Party::Server,
            Safety::Manual,
            "Neither side offers a suite that could be proposed to the other: bring both up to date",
            vec![
                format!(
                    "The server was seen to take only {}: give it a current list ({})",
                    words::list(&taken, 3),
                    words::INTERMEDIATE
                ),
                "If the client has no suite with ECDHE and AES-GCM or ChaCha20, upgrade it".to_owned(),
            ],
            "Current software has these suites in common.",
            None,
        ));
    }
    if let Some(setting) = offered_exhibit(found, &offered) {
        finding.exhibits.push(setting);
    }
    let one = taken.first().and_then(|suite| suite.details()?.openssl_name);
    finding.reproduce.push(found.s_client(s_client_version(version)));
    if let (true, Some(name)) = (below_13 && version == ProtocolVersion::TLSV1_2, one) {
        finding.reproduce.push(found.s_client(&format!("-tls1_2 -cipher {name}:@SECLEVEL=0")));
    }
    finding.references.extend(["RFC 5246 §7.4.1.3".to_owned(), "RFC 8446 §4.1.1".to_owned()]);
    Some(finding)
}

fn offered_exhibit(found: &Found<'_>, offered: &[tlswhy_wire::CipherSuite]) -> Option<Exhibit> {
    (!offered.is_empty()).then(|| Exhibit::Setting {
        name: "ClientHello.cipher_suites".to_owned(),
        value: words::list(offered, 8),
        origin: found.case.client.source.clone(),
        says: "what the client offers".to_owned(),
    })
}
