use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage, printable};

use super::certificates;
use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::examination::{FaultKind, TlsInspection};

/// Something between ends TLS and signs certificates of its own.
pub(super) static CAUSE: Cause = Cause {
    code: "path-tls-inspection",
    family: "path",
    party: Party::Path,
    stage: Stage::Authenticate,
    doc: include_str!("path_tls_inspection.md"),
    // Its certificates, its versions and its ciphers are what the client meets.
    leads_to: &[
        &super::untrusted_root::CAUSE,
        &super::chain_incomplete::CAUSE,
        &super::chain_misordered::CAUSE,
        &super::certificate_unsuitable::CAUSE,
        &super::weak_key_or_digest::CAUSE,
        &super::server_version_outdated::CAUSE,
        &super::version_ranges_disjoint::CAUSE,
        &super::no_shared_cipher::CAUSE,
        &super::no_shared_group::CAUSE,
        &super::no_shared_signature_algorithm::CAUSE,
        &super::client_certificate_required::CAUSE,
    ],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::Inspected(inspection) = &found.fault.kind else {
        return None;
    };
    let subject = &found.case.evidence.subject;
    let name = printable(subject.server_name.as_deref().unwrap_or(&subject.host), 120);
    let issuer = printable(&inspection.issuer, 200);
    let mut diagnosis =
        format!("The certificate shown for {name} is signed by {issuer}.{} {}", signs(inspection), place(found, inspection));
    if let Some((_, answer)) = &inspection.answer {
        let reason = answer.reason.as_ref().map(|reason| format!(" and says why: {reason}")).unwrap_or_default();
        diagnosis += &format!(" It does not reach the server itself: to a request it answers {}{reason}.", answer.status);
    }
    let why = "The client shakes hands with the device, and the device with the server. The certificates, versions and ciphers that the client meets are the device's; the server's are hidden behind it.";
    let mut finding = found.finding(&CAUSE, inspection.says(), diagnosis, why.to_owned());
    finding.exhibits.clear();
    finding.exhibits.extend(inspection.at.map(|at| at.exhibit()));
    finding.exhibits.push(Exhibit::Certificate {
        sha256: certificates::hex(&inspection.certificate),
        field: "issuer".to_owned(),
        says: issuer.clone(),
    });
    if let Some((invented, attempt)) = &inspection.invented {
        finding
            .exhibits
            .push(Exhibit::Ending { attempt: *attempt, says: format!("a certificate made for {invented} was shown") });
    }
    if let Some((attempt, answer)) = &inspection.answer {
        finding
            .exhibits
            .push(Exhibit::Ending { attempt: *attempt, says: format!("{} answered {}", answer.product, answer.status) });
    }
    if let Some((_, answer)) = &inspection.answer {
        let reason = answer.reason.clone().unwrap_or_else(|| answer.status.clone());
        finding.remedies.push(remedy(
            Party::Path,
            Safety::Manual,
            format!("Mend what stands between the device and the server: {reason}"),
            vec![
                format!("From the device's side of the network `{}` tells what the server is missing", found.tlswhy("check", "")),
                "A device with an old TLS library, or with a store of authorities of its own, may refuse what clients would accept: its log has the reason".to_owned(),
            ],
            "The device passes on what the server says as soon as its own handshake with it succeeds.",
            None,
        ));
    }
    finding.remedies.push(remedy(
        Party::Path,
        Safety::Manual,
        format!("Ask whoever runs the device to exempt {name} from inspection"),
        vec![format!("What can be sent to them: {}", letter(found, inspection, &name))],
        "Client and server then shake hands with each other again.",
        None,
    ));
    if inspection.distrusted {
        finding.remedies.push(remedy(
            Party::Client,
            Safety::Weakens,
            format!("If your own organisation inspects TLS and wants this: give the client the root above {issuer} as a trust anchor"),
            [
                vec![
                    "It opens: whoever has the device's key can read and change everything that this client sends, to whatever server".to_owned(),
                    "Get the root from your organisation, and compare its fingerprint; do not take it from the connection".to_owned(),
                ],
                certificates::trust_steps(found),
            ]
            .concat(),
            "The path of the device's certificates then ends at a trust anchor.",
            None,
        ));
    }
    finding.reproduce.push(found.tlswhy("trace", ""));
    let invented = inspection.invented.as_ref().map_or("no-such-name.invalid", |(name, _)| name);
    finding.reproduce.push(format!(
        "openssl s_client -connect {} -servername {invented} </dev/null | openssl x509 -noout -subject -issuer -ext subjectAltName",
        found.target()
    ));
    finding.references.push("RFC 3234 §2 (middleboxes)".to_owned());
    finding.references.push("RFC 8446 §9.3".to_owned());
    Some(finding)
}

/// By what it is known.
fn signs(inspection: &TlsInspection) -> String {
    let mut says = String::new();
    if let Some((invented, _)) = &inspection.invented {
        says += &format!(" For {invented}, a name that cannot exist, one was made as well.");
    }
    if inspection.other_key {
        says += " Its key is none of those that the server is known to have (--expect).";
    }
    if inspection.shared_key {
        says += " The server's certificate and that of its authority have one and the same key, as only a device does that signs for itself.";
    }
    says
}

/// Where it stands.
fn place(found: &Found<'_>, inspection: &TlsInspection) -> String {
    match (&inspection.at, &found.case.evidence.subject.via) {
        (Some(at), _) => format!("TCP ends {}, and the way to the server goes on behind it.", at.says()),
        (None, Some(_)) => "The connection goes through the proxy that was named: it is at the proxy, or behind it.".to_owned(),
        (None, None) => {
            "Where was not seen: a device that leaves no trace in the way, or a program on this machine.".to_owned()
        }
    }
}

fn letter(found: &Found<'_>, inspection: &TlsInspection, name: &str) -> String {
    let subject = &found.case.evidence.subject;
    let at = inspection.at.map(|at| format!(" {}", at.says())).unwrap_or_default();
    format!(
        "\"On {when} a TLS connection to {target} (server name {name}) was ended by a device{at}, which showed a certificate signed by {issuer}, SHA-256 {sha256}. Please exempt {name} port {port} from TLS inspection.\"",
        when = found.case.evidence.started_at,
        target = found.target(),
        issuer = printable(&inspection.issuer, 200),
        sha256 = certificates::hex(&inspection.certificate),
        port = subject.port,
    )
}
