//! What software that is too old has in common, whose ever it is.

use tlswhy_model::{Exhibit, Finding, Party, Safety};

use super::Cause;
use super::found::{Found, remedy};
use crate::configuration::OutdatedSoftware;
use crate::examination::FaultKind;
use crate::knowledge::software::title;

/// Puts software of this side into words.
pub(super) fn outdated(found: &Found<'_>, cause: &Cause) -> Option<Finding> {
    let FaultKind::SoftwareOutdated(outdated) = &found.fault.kind else { return None };
    if outdated.party != cause.party {
        return None;
    }
    let OutdatedSoftware { party, software, needs, since, source, .. } = &**outdated;
    let (name, product) = (software.title(), title(software.product));
    let (whose, side, other) = match party {
        Party::Server => ("The server's", "The server", "the client"),
        _ => ("The client's", found.client_title(), "the server"),
    };
    let first = since.as_ref().map_or_else(
        || "No version of it that is known here can".to_owned(),
        |since| format!("{product} {since} was the first that could"),
    );
    let mut finding = found.finding(
        cause,
        format!("{whose} {name} cannot do {needs}"),
        format!("{side} runs with {name} ({}); {needs} is what {other} needs. {first}.", software.seen),
        "This version cannot: no setting of it adds what it was written without, so nothing is common to both sides."
            .to_owned(),
    );
    finding.exhibits.insert(
        0,
        Exhibit::Software {
            party: *party,
            product: product.clone(),
            version: software.version.clone(),
            says: format!("this version cannot do {needs}"),
        },
    );
    let predicts = found.fixes().into_iter().find_map(|(change, predicts)| {
        (crate::configuration::changes_the_server(&change) == (*party == Party::Server)).then_some(predicts).flatten()
    });
    let to = since.as_ref().map_or_else(|| "a current release".to_owned(), |since| format!("{since} or later"));
    finding.remedies.push(remedy(
        *party,
        Safety::Safe,
        format!("Upgrade {product} to {to}, and start what uses it again"),
        vec![
            "Take the release that its makers or your distribution still mend: `tlswhy software` lists what is installed, and until when".to_owned(),
            "A library is loaded when a program starts: restart it, a reload keeps the old one".to_owned(),
            "A copy that is bundled with a program, or built into it, is upgraded with that program".to_owned(),
        ],
        format!("A version that can do {needs} has it on by default or can be told to; {other} offers it already."),
        predicts,
    ));
    if *party == Party::Server {
        finding.remedies.push(remedy(
            Party::Server,
            Safety::Safe,
            "Where it cannot be upgraded, put a current TLS proxy in front of it",
            vec![
                "HAProxy or nginx of a current release, on the port of the old server; the old one listens on loopback alone"
                    .to_owned(),
            ],
            "The client then negotiates with the proxy.",
            None,
        ));
    }
    finding.reproduce.push("tlswhy software -v".to_owned());
    finding.references.extend(source.split_whitespace().map(str::to_owned));
    Some(finding)
}
