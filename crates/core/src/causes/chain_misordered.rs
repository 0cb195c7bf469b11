use tlswhy_model::{Finding, Party, Safety, Stage};

use super::certificates;
use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::chain::{ObjectionKind, Origin};

/// What the server sends does not follow in order, and the client minds.
pub(super) static CAUSE: Cause = Cause {
    code: "chain-misordered",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("chain_misordered.md"),
    leads_to: &[&super::untrusted_root::CAUSE],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let fault = certificates::fault(found)?;
    if fault.objection.kind != ObjectionKind::Misordered {
        return None;
    }
    let client = found.client_title();
    let places: Vec<String> = fault
        .path
        .iter()
        .filter_map(|link| match link.origin {
            Origin::Sent(place) => Some((place + 1).to_string()),
            _ => None,
        })
        .collect();
    let mut finding = certificates::finding(
        found,
        &CAUSE,
        fault,
        "place",
        format!("in order, the certificates would be those sent as number {}", places.join(", ")),
        [
            "The server sends its certificates in an order that the client does not take".to_owned(),
            format!(
                "All that is needed is there, but no certificate is followed by its issuer throughout: in order they are number {}.",
                places.join(", ")
            ),
            format!(
                "{client} looks for each issuer behind the certificate that it issued and nowhere else. Most other clients sort the list themselves and do not notice."
            ),
        ],
    );
    let mut steps = vec![
        certificates::chain_file_step(found),
        "Or sort the file by hand: the server's own certificate, then its issuer, then that one's issuer; the root can be left out".to_owned(),
    ];
    steps.extend(certificates::serve_steps("fullchain.pem"));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        "Put the certificates in order: each followed by the one that issued it",
        steps,
        "Sorted, the same certificates make a path that this client follows.",
        None,
    ));
    finding.references.extend(["RFC 5246 §7.4.2".to_owned(), "RFC 8446 §4.4.2".to_owned()]);
    Some(finding)
}
