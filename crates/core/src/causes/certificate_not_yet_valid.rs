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
    let (whose, away) = (certificates::whose(fault), certificates::span(not_before - now));
    let title = format!("{whose} begins only in {away}");
    let mut finding = certificates::out_of_time(found, &CAUSE, fault, ("notBefore", not_before), title, "only from");
    if fault.clock.as_ref().is_none_or(|clock| (clock.at - now).abs() >= 12 * 3600) {
        // No other clock was seen, or it differs: the client's own may be wrong.
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
