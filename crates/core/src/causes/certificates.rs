//! What the certificate causes share: exhibits, times in words, the steps that serve a chain.

use std::fmt::Write as _;

use tlswhy_model::{Ending, Exhibit, Finding, Party, Remedy, Safety, printable};

use super::Cause;
use super::found::{Found, remedy};
use crate::case::Seen;
use crate::chain::{Certificate, Objection, Origin};
use crate::examination::{CertificateFault, FaultKind};

/// The objection, where the fault is one to a certificate.
pub(super) fn fault<'a>(found: &Found<'a>) -> Option<&'a CertificateFault> {
    match &found.fault.kind {
        FaultKind::Certificate(fault) => Some(fault),
        _ => None,
    }
}

/// A finding on a certificate: its first exhibit is the field that is at fault, its second the path.
pub(super) fn finding(
    found: &Found<'_>,
    cause: &Cause,
    fault: &CertificateFault,
    field: &str,
    says: String,
    [title, diagnosis, why]: [String; 3],
) -> Finding {
    let mut finding = found.finding(cause, title, diagnosis, why);
    finding.exhibits.clear();
    finding.exhibits.push(exhibit(&fault.objection, field, says));
    finding.exhibits.extend(message(found, &fault.objection));
    // Of a connection that was watched: the client's own word.
    let said = |seen: &&Seen<'_>| matches!(seen.attempt.ending, Ending::ByClient { description: Some(_), .. });
    finding.exhibits.extend(found.failing().filter(said).map(Seen::ending_exhibit));
    if fault.path.len() > 1 {
        finding.exhibits.push(path(fault));
    }
    finding.reproduce.push(found.tlswhy("cert", ""));
    let subject = &found.case.evidence.subject;
    let name = subject.server_name.as_deref().unwrap_or(&subject.host);
    let check = if name.parse::<std::net::IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
    finding.reproduce.push(found.s_client(&format!("-showcerts -verify_return_error {check} {name}")));
    finding
}

/// The certificate that is objected to, by its fingerprint.
pub(super) fn exhibit(objection: &Objection, field: &str, says: String) -> Exhibit {
    Exhibit::Certificate { sha256: hex(&objection.certificate), field: field.to_owned(), says }
}

/// The bytes in which it was sent.
fn message(found: &Found<'_>, objection: &Objection) -> Option<Exhibit> {
    let seen = found.failing()?;
    let (layer, list) = match seen.plain.certificate() {
        Some(list) => (tlswhy_model::Layer::Wire, &list.value),
        None => (tlswhy_model::Layer::Decrypted, seen.certificates()?),
    };
    let place = list.entries.iter().position(|entry| Certificate::read(&entry.value).sha256 == objection.certificate)?;
    let entry = list.entries.get(place)?;
    let says = format!("{}, sent as number {}", objection.subject, place + 1);
    Some(seen.bytes_exhibit(layer, entry.span.clone(), "Certificate.certificate_list", says))
}

/// The way that the client goes, from the end entity upwards.
fn path(fault: &CertificateFault) -> Exhibit {
    let mut says = String::new();
    for link in &fault.path {
        let certificate = &link.certificate;
        let origin = match link.origin {
            Origin::Sent(place) => format!("sent as number {}", place + 1),
            Origin::Anchor(_) => "trust anchor".to_owned(),
            Origin::Known(_) => format!("not sent; known from {}", source(fault, certificate)),
        };
        let arrow = if says.is_empty() { "" } else { " <- " };
        // Writing to a text cannot fail.
        let _ = write!(says, "{arrow}{} ({origin})", certificate.subject.text);
    }
    let sha256 = fault.path.last().map(|link| hex(&link.certificate.sha256)).unwrap_or_default();
    Exhibit::Certificate { sha256, field: "path".to_owned(), says }
}

/// Where a certificate that was not sent comes from.
pub(super) fn source(fault: &CertificateFault, certificate: &Certificate) -> String {
    let found = fault.elsewhere.iter().find(|(sha256, _)| *sha256 == certificate.sha256);
    found.map_or_else(|| "elsewhere".to_owned(), |(_, source)| printable(source, 200))
}

/// How a client is given a trust anchor.
pub(super) fn trust_steps(found: &Found<'_>) -> Vec<String> {
    vec![
        "One client: `curl --cacert ROOT.pem`, `SSL_CERT_FILE=ROOT.pem`, `NODE_EXTRA_CA_CERTS`, `REQUESTS_CA_BUNDLE`, `git -c http.sslCAInfo=ROOT.pem`, Java: `keytool -importcert -cacerts -file ROOT.pem`".to_owned(),
        "The whole machine: Debian `/usr/local/share/ca-certificates/ROOT.crt` and `update-ca-certificates`; RHEL `/etc/pki/ca-trust/source/anchors/` and `update-ca-trust`".to_owned(),
        "A public authority that is missing means an old store: update the package ca-certificates (certifi, the JDK)".to_owned(),
        format!("`{}` tells beforehand whether that is all", found.tlswhy("check", "--ca ROOT.pem")),
    ]
}

/// A time, in UTC.
pub(super) fn time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How far two times are apart, in the largest unit that fits.
pub(super) fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Whether another clock shows that it is the client's own that is wrong.
pub(super) fn clock_is_wrong(fault: &CertificateFault, now: i64) -> bool {
    fault.clock.as_ref().is_some_and(|clock| clock.blames_the_client(now, &fault.path))
}

/// A finding on a certificate that is out of its time: `field` of it is `at`; `until` says which side of that it is valid on.
/// What another clock shows is added; where that blames the client's own, the client must act.
pub(super) fn out_of_time(
    found: &Found<'_>,
    cause: &Cause,
    fault: &CertificateFault,
    (field, at): (&str, i64),
    title: String,
    until: &str,
) -> Finding {
    let now = found.case.now();
    let (client, subject) = (found.client_title(), &fault.objection.subject);
    let diagnosis = format!("{subject} is valid {until} {}; it is {} by this machine's clock.", time(at), time(now));
    let why = format!(
        "{client} accepts a certificate only between its notBefore and its notAfter, for every certificate of the path."
    );
    let says = format!("{field} is {}", time(at));
    let mut finding = finding(found, cause, fault, field, says, [title, diagnosis, why]);
    if let Some(clock) = &fault.clock {
        let apart = (clock.at - now).abs();
        let agrees = if apart < 120 { "which agrees".to_owned() } else { format!("{} apart", span(apart)) };
        finding.exhibits.push(Exhibit::Ending {
            attempt: clock.attempt,
            says: format!("{} {}; this machine's clock says {}, {agrees}", clock.says, time(clock.at), time(now)),
        });
    }
    if clock_is_wrong(fault, now) {
        finding.party = Party::Client;
        finding.title =
            "The clocks of client and server disagree, and by the server's the certificate is within its time".to_owned();
        // The other side's word against ours: it fits, and no third clock was asked.
        finding.confidence = tlswhy_model::Confidence::Inferred;
    }
    finding
}

/// Whose certificate it is, to begin a title with.
pub(super) fn whose(fault: &CertificateFault) -> &'static str {
    if is_leaf(fault) { "The server's certificate" } else { "A certificate above the server's" }
}

/// How a clock is set.
pub(super) fn set_the_clock() -> Remedy {
    remedy(
        Party::Client,
        Safety::Safe,
        "Set the client's clock",
        vec![
            "`timedatectl` shows it and whether it is synchronised; `timedatectl set-ntp true` keeps it so; machines without a battery need the time from the network before TLS".to_owned(),
        ],
        "By the right time the certificate is valid.",
        None,
    )
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How the usual servers are given a chain file.
pub(super) fn serve_steps(file: &str) -> Vec<String> {
    vec![
        format!(
            "nginx: `ssl_certificate {file};` (end entity first, then the intermediates); then `nginx -t && nginx -s reload`"
        ),
        format!(
            "Apache since 2.4.8: `SSLCertificateFile {file}`, without SSLCertificateChainFile; then `apachectl configtest && apachectl graceful`"
        ),
        format!("HAProxy: `bind … ssl crt FILE`, FILE being {file} followed by the key; then reload"),
        format!(
            "Postfix: `smtpd_tls_chain_files = KEY, {file}`; Dovecot: `ssl_cert = <{file}`; PostgreSQL: `ssl_cert_file = '{file}'`; others: the file or key store that holds the end entity's certificate"
        ),
    ]
}

/// How to have the chain file written.
pub(super) fn chain_file_step(found: &Found<'_>) -> String {
    let command = found.tlswhy("check", "--save-chain fullchain.pem");
    format!("`{command}` writes the file: end entity first, nothing superfluous, tried before it is written")
}

/// Who issued a certificate, in words for a step.
pub(super) fn issuer(certificate: &Certificate) -> String {
    certificate.issuer.organizations.first().cloned().unwrap_or_else(|| certificate.issuer.text.clone())
}

/// The certificate that is objected to, where it stands on the path.
pub(super) fn objected(fault: &CertificateFault) -> Option<&Certificate> {
    let link = fault.path.iter().find(|link| link.certificate.sha256 == fault.objection.certificate)?;
    Some(&link.certificate)
}

/// Whether it is the end entity's own.
pub(super) fn is_leaf(fault: &CertificateFault) -> bool {
    fault.path.first().is_none_or(|link| link.certificate.sha256 == fault.objection.certificate)
}
