use tlswhy_model::{Finding, Party, Safety, Stage};

use super::certificates;
use super::found::{Found, remedy};
use super::told;
use crate::causes::Cause;
use crate::chain::{ObjectionKind, Origin, PathEnd};
use crate::examination::CertificateFault;

/// The chain ends at a root, or at itself, that the client does not trust.
pub(super) static CAUSE: Cause = Cause {
    code: "untrusted-root",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("untrusted_root.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if let Some(finding) = told::finding(found, &CAUSE) {
        return Some(finding);
    }
    let fault = certificates::fault(found)?;
    let (client, store) = (found.client_title(), &fault.store);
    let top = fault.path.last().map(|link| &link.certificate);
    let name = top.map_or_else(|| fault.objection.subject.clone(), |top| top.subject.text.clone());
    let alone = fault.path.len() <= 1 && top.is_some_and(|top| top.self_issued);
    let (title, diagnosis) = match &fault.objection.kind {
        ObjectionKind::Untrusted { end: PathEnd::IssuerUnknown, issuer } => (
            format!("The chain leads to {issuer}, which the client does not know"),
            format!(
                "The last certificate of the chain, {name}, was issued by {issuer}, which was neither sent nor is it in {store}."
            ),
        ),
        ObjectionKind::Untrusted { .. } if alone => (
            "The server's certificate is self-signed, and the client does not trust it".to_owned(),
            format!("{name} vouches for itself; no authority stands behind it, and it is not in {store}."),
        ),
        ObjectionKind::Untrusted { .. } => (
            format!("The chain ends at {name}, which the client does not trust"),
            format!(
                "Every certificate of the chain is there up to its root, {name}, and {store} does not hold that root.{}",
                elsewhere(fault)
            ),
        ),
        ObjectionKind::Distrusted { after } => (
            format!("The client's trust store distrusts what {name} issued after {}", certificates::time(*after)),
            format!(
                "{name} is in the client's trust store for certificates that began before {} only, and this one is younger.",
                certificates::time(*after)
            ),
        ),
        _ => return None,
    };
    let says = match top {
        Some(top) => format!("{}, issued by {}", top.subject.text, top.issuer.text),
        None => name.clone(),
    };
    let why = format!(
        "{client} accepts a server only if a chain of signatures leads from its certificate to one in the client's trust store ({store})."
    );
    let mut finding = certificates::finding(found, &CAUSE, fault, "issuer", says, [title, diagnosis, why]);
    if let ObjectionKind::Distrusted { .. } = fault.objection.kind {
        finding.remedies.push(remedy(
            Party::Server,
            Safety::Safe,
            "Get a certificate from another authority",
            vec!["The authority is being removed from the trust stores: no setting of the server brings it back".to_owned()],
            "The new certificate leads to a root that the store trusts without a date.",
            None,
        ));
    } else {
        finding.remedies.push(remedy(
            Party::Server,
            Safety::Safe,
            "If strangers are to connect: serve a certificate of a public authority",
            vec!["An ACME client gets one without cost (Let's Encrypt and others)".to_owned()],
            "Its root is in the clients' stores already.",
            None,
        ));
        finding.remedies.push(remedy(
            Party::Client,
            Safety::Manual,
            format!("If it is your own authority: give the client {name} as a trust anchor, after comparing its fingerprint with what its owner says"),
            certificates::trust_steps(found),
            "The path then ends at a trust anchor.",
            None,
        ));
    }
    finding.references.push("RFC 5280 §6".to_owned());
    Some(finding)
}

/// Who else trusts the root, or where it was found.
fn elsewhere(fault: &CertificateFault) -> String {
    match fault.path.last() {
        Some(top) if matches!(top.origin, Origin::Known(_)) => {
            format!(
                " (The root itself was not sent, which is right; it is known from {}.)",
                certificates::source(fault, &top.certificate)
            )
        }
        _ => String::new(),
    }
}
