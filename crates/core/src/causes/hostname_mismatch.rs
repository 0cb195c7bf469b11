use tlswhy_model::{Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::{certificates, words};
use crate::causes::Cause;
use crate::chain::ObjectionKind;

/// No name in the certificate covers the name asked for.
pub(super) static CAUSE: Cause = Cause {
    code: "hostname-mismatch",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("hostname_mismatch.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let fault = certificates::fault(found)?;
    let ObjectionKind::NameMismatch { names, near, common_name_only } = &fault.objection.kind else {
        return None;
    };
    let client = found.client_title();
    let subject = &found.case.evidence.subject;
    let wanted = tlswhy_model::printable(subject.server_name.as_deref().unwrap_or(&subject.host), 120);
    let has = if names.is_empty() { "none at all".to_owned() } else { words::list(names, 6) };
    let near = match near {
        _ if *common_name_only => format!(
            " Only the common name would fit, and {client} does not look at it: names belong into subjectAltName (RFC 9525 §2)."
        ),
        Some((name, why)) => {
            format!(" The nearest is {}: {}.", tlswhy_model::printable(name, 120), tlswhy_model::printable(why, 200))
        }
        None => String::new(),
    };
    let mut finding = certificates::finding(
        found,
        &CAUSE,
        fault,
        "subjectAltName",
        format!("names: {has}"),
        [
            format!("No name in the server's certificate covers {wanted}"),
            format!("The certificate holds these names: {has}.{near}"),
            format!(
                "{client} asked for {wanted} and takes a certificate only for that name: otherwise anybody with any certificate could stand in for the server."
            ),
        ],
    );
    let mut steps = Vec::new();
    if subject.server_name.is_none() {
        steps.push(
            "No server name was sent, so the server showed its default certificate: connect by name, not by address".to_owned(),
        );
    }
    let renewal = match wanted.parse::<std::net::IpAddr>() {
        Ok(_) => {
            "an address goes into subjectAltName as iPAddress, which few public authorities issue: a name is better".to_owned()
        }
        Err(_) => format!("with an ACME client: `certbot certonly -d {wanted} -d …`"),
    };
    steps.push(format!(
        "Have the certificate issued for {wanted} as well (every name that clients use, as subjectAltName); {renewal}"
    ));
    steps.push(format!("Or, if there is such a certificate: give the server block for {wanted} its own (nginx: `server_name` and `ssl_certificate` of that block; Apache: ServerName/ServerAlias of the virtual host; HAProxy: the certificate in the `crt` list)"));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        format!("Serve a certificate that names {wanted}"),
        steps,
        "The name that the client compares is then among those of the certificate.",
        None,
    ));
    if let Some(name) = names.iter().find(|name| !name.starts_with('*') && !name.contains(' ')) {
        finding.remedies.push(remedy(
            Party::Client,
            Safety::Manual,
            format!("Connect by a name that the certificate has, such as {name}, if that is the same service"),
            vec!["Change the URL or host in the client's configuration; for an address, use a name, or have the address put into the certificate (subjectAltName iPAddress)".to_owned()],
            "The certificate covers that name.",
            None,
        ));
    }
    finding.references.extend(["RFC 9525 §6".to_owned(), "RFC 5280 §4.2.1.6".to_owned()]);
    Some(finding)
}
