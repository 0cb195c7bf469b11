use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::{certificates, words};
use crate::causes::Cause;
use crate::chain::{ObjectionKind, Origin};

/// An intermediate certificate is missing from what the server sends.
pub(super) static CAUSE: Cause = Cause {
    code: "chain-incomplete",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("chain_incomplete.md"),
    leads_to: &[&super::untrusted_root::CAUSE],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let fault = certificates::fault(found)?;
    let ObjectionKind::Incomplete { missing } = &fault.objection.kind else {
        return None;
    };
    let (first, source) = missing.first()?;
    let client = found.client_title();
    let names: Vec<String> = missing.iter().map(|(certificate, _)| certificate.subject.text.clone()).collect();
    let names = words::list(&names, 3);
    let sent = fault.path.iter().filter(|link| matches!(link.origin, Origin::Sent(_))).count();
    let what = if missing.len() == 1 { "an intermediate certificate" } else { "intermediate certificates" };
    let mut finding = certificates::finding(
        found,
        &CAUSE,
        fault,
        "issuer",
        format!("{}: its issuer was not sent", fault.objection.subject),
        [
            format!("The server leaves out {what}: {names}"),
            format!(
                "No path leads from the {sent} certificate{} that the server sends to an anchor in {}. With {names} added (known from {}), one does.",
                if sent == 1 { "" } else { "s" },
                fault.store,
                tlswhy_model::printable(source, 200)
            ),
            format!(
                "{client} takes only what the server sends and its own trust anchors. Browsers that fetch the issuer from the address in the certificate, or that have met it before, do not notice: \"works in the browser, fails in curl\"."
            ),
        ],
    );
    for (certificate, source) in missing {
        finding.exhibits.push(Exhibit::Certificate {
            sha256: certificates::hex(&certificate.sha256),
            field: "missing".to_owned(),
            says: format!(
                "{}, issued by {}; found in {}",
                certificate.subject.text,
                certificate.issuer.text,
                tlswhy_model::printable(source, 200)
            ),
        });
    }
    let mut steps = vec![certificates::chain_file_step(found)];
    if let Some(url) = fault.path.iter().find_map(|link| link.certificate.issuer_urls.first()) {
        steps.push(format!(
            "Or take the certificate from the authority: {} (DER; `openssl x509 -inform DER`)",
            tlswhy_model::printable(url, 200)
        ));
    }
    steps.push("With ACME clients: serve fullchain.pem, not cert.pem".to_owned());
    steps.extend(certificates::serve_steps("fullchain.pem"));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        format!("Send {} along with the server's certificate", first.subject.text),
        steps,
        "The path was built with the missing certificate added, and it ends at a trust anchor of the client.",
        None,
    ));
    finding.references.extend(["RFC 5246 §7.4.2".to_owned(), "RFC 8446 §4.4.2".to_owned()]);
    Some(finding)
}
