use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::words;
use crate::causes::Cause;
use crate::negotiate::{Change, Obstacle};

/// No signature algorithm in common.
pub(super) static CAUSE: Cause = Cause {
    code: "no-shared-signature-algorithm",
    family: "cipher",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("no_shared_signature_algorithm.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let Obstacle::Schemes { version } = found.obstacle()? else {
        return None;
    };
    let offered = found.client.schemes.clone().unwrap_or_default();
    let taken = found.server.accepted_schemes(*version);
    let shown = words::version(*version);
    let key =
        found.server.certificate_key.map(|key| format!(" Its certificate has an {} key.", key.name())).unwrap_or_default();
    let mut finding = found.finding(
        &CAUSE,
        "Client and server have no signature algorithm in common".to_owned(),
        format!(
            "{} accepts {}; for {shown} the server signs with none of them and was seen to sign with {}.{key}",
            found.client_title(),
            words::list(&offered, 6),
            words::list(&taken, 4)
        ),
        "The server signs the key exchange with its certificate's key; it must do so with an algorithm that the client names in signature_algorithms.".to_owned(),
    );
    finding.exhibits.push(Exhibit::Setting {
        name: "ClientHello.signature_algorithms".to_owned(),
        value: words::list(&offered, 8),
        origin: found.case.client.source.clone(),
        says: "what the client accepts".to_owned(),
    });
    for (change, predicts) in found.fixes() {
        finding.remedies.push(match change {
            Change::ServerSchemes(_, schemes) => remedy(
                Party::Server,
                Safety::Safe,
                format!("Let the server sign with one that the client accepts, such as {}", words::list(&schemes, 3)),
                vec![
                    "If its list of signature algorithms is narrowed, widen it: `ssl_conf_command SignatureAlgorithms …` (nginx), `SSLOpenSSLConfCmd SignatureAlgorithms …` (Apache), `sigalgs` (HAProxy 2.8 and later)".to_owned(),
                    "If the key itself is of a kind that the client does not know (Ed25519, a rare curve, ML-DSA), add an ECDSA P-256 or RSA certificate".to_owned(),
                ],
                "A signature that the client accepts can then be made with the server's key.",
                predicts,
            ),
            Change::ClientSchemes(schemes) => remedy(
                Party::Client,
                Safety::Safe,
                format!("Let the client accept {}", words::list(&schemes, 3)),
                vec!["Look for a narrowed list: `SignatureAlgorithms` in openssl.cnf, crypto-policies, jdk.tls.client.SignatureSchemes; or upgrade the client".to_owned()],
                "The server signs so already.",
                predicts,
            ),
            _ => continue,
        });
    }
    finding.reproduce.push(found.s_client(""));
    finding.references.extend(["RFC 8446 §4.2.3".to_owned(), "RFC 5246 §7.4.1.4.1".to_owned()]);
    Some(finding)
}
