use tlswhy_model::{Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::{certificates, words};
use crate::causes::Cause;
use crate::chain::ObjectionKind;

/// A certificate on the path may not be used in this way.
pub(super) static CAUSE: Cause = Cause {
    code: "certificate-unsuitable",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("certificate_unsuitable.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let fault = certificates::fault(found)?;
    let (client, subject) = (found.client_title(), &fault.objection.subject);
    let (field, says, title) = match &fault.objection.kind {
        ObjectionKind::Malformed { what, at } => {
            ("encoding", format!("{what}, at byte {at}"), format!("{subject} cannot be read: {what} at byte {at}"))
        }
        ObjectionKind::BadSignature { issuer } => (
            "signatureValue",
            format!("does not verify under the key of {issuer}"),
            format!("The signature on {subject} does not verify under the key of {issuer}"),
        ),
        ObjectionKind::NotStapled { no_use } => (
            "tlsFeature",
            "status_request (must-staple)".to_owned(),
            match no_use {
                None => format!("{subject} demands a stapled OCSP response, and the server sends none"),
                Some(why) => {
                    format!("{subject} demands a stapled OCSP response, and the one that the server sends is of no use: {why}")
                }
            },
        ),
        ObjectionKind::NotCa { why } => {
            ("basicConstraints", why.clone(), format!("{subject} signed a certificate and is no authority: {why}"))
        }
        ObjectionKind::PathTooLong { allowed } => (
            "basicConstraints.pathLenConstraint",
            allowed.to_string(),
            format!("{subject} allows {allowed} intermediates below it, and there are more"),
        ),
        ObjectionKind::Usage { meant_for } => (
            "extKeyUsage",
            words::list(meant_for, 4),
            format!("{subject} is not meant for TLS servers, but for {}", words::list(meant_for, 4)),
        ),
        ObjectionKind::NameConstraints { name } => (
            "nameConstraints",
            name.clone(),
            format!("{subject} may not stand above a certificate for {name} (name constraints)"),
        ),
        ObjectionKind::UnknownCritical { oid } => {
            ("extensions", oid.clone(), format!("{subject} has a critical extension that the client does not know: {oid}"))
        }
        ObjectionKind::LifetimeTooLong { days, allowed } => (
            "validity",
            format!("{days} days"),
            format!("{subject} is valid for {days} days, and the client takes no more than {allowed}"),
        ),
        ObjectionKind::Irregular { what } => ("certificate", what.clone(), format!("{subject}: {what}")),
        _ => return None,
    };
    let diagnosis = format!("{title}.");
    let why = format!("{client} takes a path only if every certificate on it may be used in its place: this one may not.");
    let mut finding = certificates::finding(found, &CAUSE, fault, field, says, [title, diagnosis, why]);
    let (summary, mut steps) = match &fault.objection.kind {
        ObjectionKind::NotStapled { no_use: Some(_) } => (
            "Make the server fetch a new OCSP response, or have the certificate issued without must-staple",
            vec!["See what it holds: `openssl s_client -connect HOST:PORT -status`; a file of responses (nginx `ssl_stapling_file`, HAProxy FILE.ocsp) must be renewed before its nextUpdate; a server that fetches by itself needs a way to the responder (nginx: `resolver`), and its log says why it has none".to_owned()],
        ),
        ObjectionKind::NotStapled { no_use: None } => (
            "Switch OCSP stapling on, or have the certificate issued without must-staple",
            vec!["nginx: `ssl_stapling on; ssl_stapling_verify on; resolver …;`; Apache: `SSLUseStapling on` and SSLStaplingCache; HAProxy: a FILE.ocsp beside the certificate, or `ocsp-update on`".to_owned()],
        ),
        _ if certificates::is_leaf(fault) => (
            "Have the server's certificate issued anew, for a TLS server",
            vec!["extendedKeyUsage serverAuth, keyUsage digitalSignature, basicConstraints CA:FALSE; an authority of your own: see the extension section of its configuration".to_owned()],
        ),
        _ => (
            "Serve a chain whose every certificate is a proper authority for the one below it",
            vec!["Take the authority's current chain; an authority of your own: basicConstraints critical CA:TRUE, keyUsage keyCertSign, a pathLen that leaves room, constraints that cover the names".to_owned()],
        ),
    };
    steps.extend(certificates::serve_steps("fullchain.pem"));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        summary,
        steps,
        "Then every certificate of the path may be used in its place.",
        None,
    ));
    finding.references.extend(["RFC 5280 §4.2.1".to_owned(), "RFC 5280 §6.1".to_owned()]);
    Some(finding)
}
