use tlswhy_model::{Finding, Party, Safety, Stage};

use super::certificates;
use super::found::{Found, remedy};
use super::told;
use crate::causes::Cause;
use crate::chain::ObjectionKind;

/// A certificate on the path is past its end.
pub(super) static CAUSE: Cause = Cause {
    code: "certificate-expired",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("certificate_expired.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if let Some(finding) = told::finding(found, &CAUSE) {
        return Some(finding);
    }
    let fault = certificates::fault(found)?;
    let ObjectionKind::Expired { not_after } = fault.objection.kind else {
        return None;
    };
    let now = found.case.now();
    let (whose, away) = (certificates::whose(fault), certificates::span(now - not_after));
    let title = format!("{whose} ended {away} ago");
    let mut finding = certificates::out_of_time(found, &CAUSE, fault, ("notAfter", not_after), title, "until");
    if certificates::clock_is_wrong(fault, now) {
        finding.remedies.push(certificates::set_the_clock());
    }
    let issuer = certificates::objected(fault).map(certificates::issuer).unwrap_or_default();
    let (summary, mut steps) = if certificates::is_leaf(fault) {
        (
            "Renew the server's certificate".to_owned(),
            vec![
                format!(
                    "It was issued by {issuer}: renew it there; with an ACME client `certbot renew` (or what renews it), and find out why that did not run: its log, its timer, the challenge"
                ),
                "Then make the server read it: a renewed file changes nothing until the server is reloaded".to_owned(),
            ],
        )
    } else {
        (
            format!("Replace {}, which is no certificate of your own, by its successor", fault.objection.subject),
            vec![
                "Take the current chain from the authority and serve that; leave out a cross-signed certificate that has ended"
                    .to_owned(),
                certificates::chain_file_step(found),
            ],
        )
    };
    steps.extend(certificates::serve_steps("fullchain.pem"));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        summary,
        steps,
        "A certificate within its time takes the place of the one that has ended; nothing else on the path is objected to for its time.",
        None,
    ));
    finding.references.push("RFC 5280 §4.1.2.5".to_owned());
    Some(finding)
}
