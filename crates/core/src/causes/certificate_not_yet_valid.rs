use tlswhy_model::{Finding, Party, Safety, Stage};

use super::certificates;
use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::chain::ObjectionKind;

/// A certificate on the path is before its start, or the client's clock is behind.
pub(super) static CAUSE: Cause = Cause {
    code: "certificate-not-yet-valid",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("certificate_not_yet_valid.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let fault = certificates::fault(found)?;
    let ObjectionKind::NotYetValid { not_before } = fault.objection.kind else {
        return None;
    };
    let now = found.case.now();
    let (client, subject) = (found.client_title(), &fault.objection.subject);
    let away = certificates::span(not_before - now);
    let which = if certificates::is_leaf(fault) { "The server's certificate" } else { "A certificate above the server's" };
    let mut finding = certificates::finding(
        found,
        &CAUSE,
        fault,
        "notBefore",
        format!("notBefore is {}", certificates::time(not_before)),
        [
            format!("{which} begins only in {away}"),
            format!(
                "{subject} is valid only from {}; it is {} by this machine's clock.",
                certificates::time(not_before),
                certificates::time(now)
            ),
            format!(
                "{client} accepts a certificate only between its notBefore and its notAfter, for every certificate of the path."
            ),
        ],
    );
    certificates::other_clock(
        &mut finding,
        fault,
        now,
        &["The clocks of client and server disagree, and by the server's the certificate is within its time"],
    );
    if certificates::clock_is_wrong(fault, now) {
        finding.party = Party::Client;
        finding.remedies.push(certificates::set_the_clock());
    }
    if fault.clock.as_ref().is_none_or(|clock| (clock.at - now).abs() >= 12 * 3600) {
        // Nobody else's clock was seen: either may be wrong.
        finding.remedies.push(certificates::set_the_clock());
    }
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Manual,
        "Serve the certificate that is valid now, until this one begins",
        vec![
            "Put the former certificate back, or wait; an authority of your own: compare its clock with the time".to_owned(),
            format!("It begins on {}", certificates::time(not_before)),
        ],
        "The client then meets a certificate within its time.",
        None,
    ));
    finding.references.push("RFC 5280 §4.1.2.5".to_owned());
    Some(finding)
}
