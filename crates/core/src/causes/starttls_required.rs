use tlswhy_model::{Finding, Party, Safety, Stage, printable};

use super::found::{Found, remedy};
use super::not_tls;
use crate::causes::Cause;
use crate::examination::FaultKind;

/// It speaks a protocol that starts TLS only when asked.
pub(super) static CAUSE: Cause = Cause {
    code: "starttls-required",
    family: "server",
    party: Party::Client,
    stage: Stage::Upgrade,
    doc: include_str!("starttls_required.md"),
    leads_to: &[&not_tls::CAUSE],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::StarttlsRequired { upgrade } = &found.fault.kind else {
        return None;
    };
    let known = tlswhy_wire::upgrade::upgrade(upgrade)?;
    let target = found.target();
    let subject = &found.case.evidence.subject;
    let said = match found.failing().map(|seen| &seen.attempt.ending) {
        Some(tlswhy_model::Ending::NotTls { detail, .. }) => {
            format!("It answered: {}.", printable(detail, 160))
        }
        _ => "It did not answer the ClientHello.".to_owned(),
    };
    let after = match found.working() {
        Some(working) => {
            format!(" After the {} dialogue the same hello is answered with TLS ({}).", known.title, found.success(working))
        }
        None => String::new(),
    };
    let mut finding = found.finding(
        &CAUSE,
        format!("{target} speaks {}: TLS has to be asked for first (STARTTLS)", known.title),
        format!("{target} speaks {} in plain text and was sent a ClientHello at once. {said}{after}", known.title),
        "The server expects commands of its own protocol; a ClientHello is noise to it. The client must ask for TLS in that protocol and begin the handshake only then.".to_owned(),
    );
    let mut steps = vec![format!(
        "In the client, choose STARTTLS (also called \"explicit TLS\" or \"TLS if available\") instead of SSL/TLS for port {}",
        subject.port
    )];
    if let Some((scheme, port)) = known.tls_scheme {
        steps.push(format!("Connect to the port where TLS starts at once, if the server offers it: {port} ({scheme})"));
    }
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Safe,
        format!("Make the client ask for TLS by {} STARTTLS", known.title),
        steps,
        "The dialogue ends with the server waiting for a ClientHello, which is what the client sends anyway.",
        None,
    ));
    finding.reproduce.push(match known.openssl {
        Some(word) => format!("openssl s_client -connect {target} -starttls {word} </dev/null"),
        None => format!("tlswhy check {target} --starttls {}", known.name),
    });
    finding.references.push(known.reference.to_owned());
    Some(finding)
}
