//! Causes that an alert tells, and nothing else shows.

use tlswhy_model::{Finding, Safety};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::examination::FaultKind;

/// The finding, where this cause is what the alert suggests.
pub(super) fn finding(found: &Found<'_>, cause: &Cause) -> Option<Finding> {
    let FaultKind::Told(word) = &found.fault.kind else { return None };
    if word.decides.first() != Some(&cause.code) {
        return None;
    }
    let ending = found.failing().map(crate::case::Seen::ending).unwrap_or_default();
    let offered = found.client.versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let client = found.client_title();
    let diagnosis = match (&word.offers, found.failing().and_then(crate::case::Seen::certificates)) {
        (Some(_), _) => format!("{client} offers {offered}; what came was {ending}."),
        (None, None) => format!("{client} ended it: {ending}. The certificates themselves were not seen."),
        (None, Some(_)) => format!("{client} ended it: {ending}. By the trust store that stands for its own nothing is wrong."),
    };
    let mut finding = found.finding(cause, word.title.to_owned(), diagnosis, word.why.to_owned());
    let (party, fix) = word.fix;
    let check = format!("`{}` shows what the server does now", found.tlswhy("check", ""));
    finding.remedies.push(remedy(
        party,
        Safety::Manual,
        fix,
        vec![check],
        "It takes away what the alert complains of, if that is what it complains of.",
        None,
    ));
    finding.references.push(word.reference.to_owned());
    Some(finding)
}
