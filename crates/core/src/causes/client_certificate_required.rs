use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage};
use tlswhy_wire::AlertDescription;

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::examination::FaultKind;

/// The server ends the handshake, or the connection right after it, for want of a client certificate.
pub(super) static CAUSE: Cause = Cause {
    code: "client-certificate-required",
    family: "client",
    party: Party::Client,
    stage: Stage::ClientAuth,
    doc: include_str!("client_certificate_required.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::ClientCertificate { http, refused } = &found.fault.kind else {
        return None;
    };
    let failing = found.failing()?;
    let shown = if refused.is_some() { "the client's certificate was sent" } else { "none was sent" };
    let diagnosis = match http {
        Some(product) => format!(
            "The server asked for a client certificate, {shown}, the handshake was completed, and {product} answered the request with its error page for a {} certificate.",
            if refused.is_some() { "refused" } else { "missing" }
        ),
        None => {
            format!("The server asked for a client certificate (CertificateRequest), {shown}, and then: {}.", failing.ending())
        }
    };
    let (title, why) = match refused.as_deref() {
        None => (
            "The server wants a client certificate, and the client has none to show".to_owned(),
            "The server is set to admit only clients that prove who they are; the client has no certificate for it, or none that the server's list of authorities admits.".to_owned(),
        ),
        Some([]) => (
            "The server refuses the client's certificate".to_owned(),
            format!("Nothing is wrong with the certificate that could be seen from here: {}.", by_the_alert(failing.alert())),
        ),
        Some(wrong) => (
            format!("The server refuses the client's certificate: {}", wrong.first().map_or("", String::as_str)),
            format!("What is wrong with it, as far as can be seen from here: {}.", wrong.join("; ")),
        ),
    };
    let mut finding = found.finding(&CAUSE, title, diagnosis, why);
    if refused.is_some()
        && let Some(identity) = &found.case.evidence.identity
    {
        let leaf = identity.certificates.first().map(|der| crate::chain::Certificate::read(der));
        finding.exhibits.extend(leaf.map(|leaf| Exhibit::Certificate {
            sha256: leaf.fingerprint(),
            field: "issuer".to_owned(),
            says: format!(
                "shown from {}: {}, issued by {}",
                tlswhy_model::printable(&identity.source, 200),
                leaf.subject.text,
                leaf.issuer.text
            ),
        }));
    }
    if let Some(request) = failing.certificate_request() {
        let authorities = crate::chain::names_of(&request.authorities);
        let says = if authorities.is_empty() {
            "the server asks for a certificate and names no authorities".to_owned()
        } else {
            format!("the server asks for a certificate of one of: {}", authorities.join("; "))
        };
        finding.exhibits.push(Exhibit::Ending { attempt: failing.id(), says });
    }
    if let (Some(_), Some(answer)) = (http, &failing.attempt.application) {
        let line = String::from_utf8_lossy(answer);
        let line = tlswhy_model::printable(line.lines().next().unwrap_or_default(), 120);
        finding.exhibits.push(Exhibit::Ending { attempt: failing.id(), says: format!("the application answered: {line}") });
    }
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Safe,
        "Give the client a certificate and key from an authority that the server accepts",
        vec![
            "curl: `--cert CERT --key KEY`; OpenSSL: `-cert CERT -key KEY`; Java: javax.net.ssl.keyStore; nginx as a client: proxy_ssl_certificate and proxy_ssl_certificate_key".to_owned(),
            format!("If it has one: `{}` says whether the server takes it, and what is wrong with it", found.tlswhy("check", "--cert CERT --key KEY")),
        ],
        "The server can then verify the client, which is what it waits for.",
        None,
    ));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Weakens,
        "Let the server admit clients without a certificate (anyone can then connect)",
        vec!["nginx: `ssl_verify_client optional;` or `off`; Apache: `SSLVerifyClient optional` or `none`; HAProxy: `verify optional` or `none`".to_owned()],
        "The handshake then ends well without one.",
        None,
    ));
    finding.reproduce.push(format!("curl -sv https://{}/", found.target()));
    finding.reproduce.push(found.s_client("").replace(" </dev/null", ""));
    finding.references.extend(["RFC 8446 §4.4.2.4".to_owned(), "RFC 5246 §7.4.6".to_owned()]);
    Some(finding)
}

/// What the server may mind, by its own word.
fn by_the_alert(alert: Option<AlertDescription>) -> &'static str {
    match alert {
        Some(AlertDescription::UNKNOWN_CA) => {
            "the server knows no authority above it; that authority is not in its list, or an intermediate is missing"
        }
        Some(AlertDescription::CERTIFICATE_EXPIRED) => {
            "the server takes it for expired; see the server's clock, and the intermediates that the server itself holds"
        }
        Some(AlertDescription::CERTIFICATE_REVOKED) => "the server takes it for revoked",
        Some(AlertDescription::UNSUPPORTED_CERTIFICATE) => {
            "the server does not take it for this purpose (key usage, extended key usage, kind of key)"
        }
        _ => "the server does not trust who issued it, or admits only certain names",
    }
}
