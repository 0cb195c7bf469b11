use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::configuration::{Place, Restriction};
use crate::examination::FaultKind;

/// A setting takes away what the client's software could do.
pub(super) static CAUSE: Cause = Cause {
    code: "client-policy-restricts",
    family: "client",
    party: Party::Client,
    stage: Stage::Negotiate,
    doc: include_str!("client_policy_restricts.md"),
    leads_to: &[
        &super::client_version_outdated::CAUSE,
        &super::no_shared_cipher::CAUSE,
        &super::no_shared_group::CAUSE,
        &super::no_shared_signature_algorithm::CAUSE,
        &super::version_ranges_disjoint::CAUSE,
        &super::weak_dh_params::CAUSE,
        &super::weak_key_or_digest::CAUSE,
    ],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::PolicyRestricts(restriction) = &found.fault.kind else {
        return None;
    };
    let (line, client) = (&restriction.line, found.client_title());
    let is_mute = restriction.is_of_all();
    if let Some(says) = &restriction.stops {
        return Some(stopped(found, restriction, says));
    }
    let (diagnosis, why_it_fails) = if is_mute {
        (
            format!("No version is left to {client}: {} takes the last of them away ({}).", line.where_it_stands(), line.from),
            format!("Without a version {} sends no hello, and connects to no server.", restriction.service),
        )
    } else {
        (
            format!(
                "The server takes {}; {client} could, and {} takes it away ({}).",
                restriction.takes,
                line.where_it_stands(),
                line.from
            ),
            format!(
                "What a client does not offer, a server cannot choose: the setting governs {}, and without {} nothing is common to both sides.",
                restriction.service, restriction.takes
            ),
        )
    };
    let mut finding = found.finding(
        &CAUSE,
        format!("`{}` keeps {client} from {}", line.quoted(), restriction.takes),
        diagnosis,
        why_it_fails,
    );
    finding.exhibits.insert(0, line.exhibit(format!("takes away {}", restriction.takes)));
    finding.exhibits.dedup_by(|a: &mut Exhibit, b: &mut Exhibit| a == b);
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Safe,
        format!("Allow {} in {}", restriction.takes, line.where_it_stands()),
        steps(line),
        if is_mute {
            format!("{client} then has a version to begin with.")
        } else {
            format!("{client} then offers {}, which the server takes.", restriction.takes)
        },
        None,
    ));
    finding.reproduce.push(found.s_client(""));
    finding.references.push("RFC 8446 §4.2.1".to_owned());
    Some(finding)
}

/// The program ends at a line of its file, or makes no connection with it.
fn stopped(found: &Found<'_>, restriction: &Restriction, says: &str) -> Finding {
    let (line, client) = (&restriction.line, found.client_title());
    let says = tlswhy_model::printable(says, 300);
    let mut finding = found.finding(
        &CAUSE,
        format!("{} keeps {client} from every connection", line.where_it_stands()),
        format!("`{}` ({}): {says}.", line.quoted(), line.from),
        format!("With this line {} makes no connection, whatever the server can do.", restriction.service),
    );
    finding.exhibits.insert(0, line.exhibit("stops the client"));
    finding.exhibits.dedup_by(|a: &mut Exhibit, b: &mut Exhibit| a == b);
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Manual,
        format!("Mend {}, or take it out", line.where_it_stands()),
        steps(line),
        format!("{client} then takes its file, and begins a handshake."),
        None,
    ));
    finding
}

fn steps(line: &Place) -> Vec<String> {
    let mut steps = vec![format!("Change `{}` ({})", line.quoted(), line.from)];
    if line.line.as_ref().is_some_and(|line| line.path.ends_with("openssl.cnf")) {
        steps.push(
            "If other programs rely on the line: give this program a copy of the file of its own, with OPENSSL_CONF=/path/to/copy in its environment".to_owned(),
        );
    }
    if line.line.as_ref().is_some_and(|line| line.path.ends_with("/gnutls/config")) {
        steps.push(
            "If other programs rely on the line: give this program a copy of the file of its own, with GNUTLS_SYSTEM_PRIORITY_FILE=/path/to/copy in its environment".to_owned(),
        );
    }
    if line.line.as_ref().is_some_and(|line| line.path.contains("/crypto-policies/back-ends/")) {
        steps.push(
            "The file is generated: `update-crypto-policies --show` names the policy, a module of your own changes it (crypto-policies(7))".to_owned(),
        );
    }
    if line.name.starts_with("jdk.") && line.line.as_ref().is_some_and(|line| line.path.ends_with("/java.security")) {
        steps.push(format!(
            "If other programs rely on the line: give this program a file of its own with a whole list `{}=…` in it, and -Djava.security.properties=/path/to/file on its command line",
            line.name
        ));
    }
    steps.push("Programs read it at their start: start them again".to_owned());
    steps
}
