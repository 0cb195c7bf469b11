use tlswhy_model::{Finding, Impact, Party, Safety, Stage};

use super::certificates;
use super::found::{Found, remedy};
use super::told;
use crate::causes::Cause;
use crate::chain::ObjectionKind;

/// A certificate on the path was revoked by its issuer.
pub(super) static CAUSE: Cause = Cause {
    code: "certificate-revoked",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("certificate_revoked.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if let Some(finding) = told::finding(found, &CAUSE) {
        return Some(finding);
    }
    let fault = certificates::fault(found)?;
    let ObjectionKind::Revoked { at, reason, said_by } = &fault.objection.kind else {
        return None;
    };
    let (client, subject) = (found.client_title(), &fault.objection.subject);
    let reason_words = reason.as_ref().map(|reason| format!(", reason {reason}")).unwrap_or_default();
    let mut finding = certificates::finding(
        found,
        &CAUSE,
        fault,
        "serialNumber",
        format!("revoked on {}{reason_words}, says {said_by}", certificates::time(*at)),
        [
            "A certificate of the server was revoked".to_owned(),
            format!("{subject} was revoked on {}{reason_words}; {said_by} says so.", certificates::time(*at)),
            format!(
                "The issuer no longer stands by the certificate: {client} ends the handshake where it is told so. Clients that do not ask go on as if nothing were."
            ),
        ],
    );
    if !found.fault.blocks {
        finding.impact = Impact::Latent;
        finding.why_it_fails =
            format!("{client} does not look at revocation, and goes on; Firefox, GnuTLS and others end the handshake here.");
    }
    let mut steps = vec![
        "Find out why it was revoked: a stolen key, a wrong issuance by the authority (it then wrote a mail), somebody's `certbot revoke`".to_owned(),
        "Make a new key, have a new certificate issued (`certbot certonly --force-renewal`), serve it; delete the old response where one is kept for stapling".to_owned(),
    ];
    steps.extend(certificates::serve_steps("fullchain.pem"));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        "Replace the certificate, with a new key",
        steps,
        "A revocation cannot be taken back; a new certificate has a serial number that is on no list.",
        None,
    ));
    finding.references.extend(["RFC 6960".to_owned(), "RFC 5280 §5.3.1".to_owned()]);
    Some(finding)
}
