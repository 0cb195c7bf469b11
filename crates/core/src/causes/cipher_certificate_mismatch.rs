use tlswhy_model::{Confidence, Finding, Party, Remedy, Safety, Stage};

use super::found::{Found, remedy, s_client_version};
use super::words;
use crate::causes::{Cause, no_shared_cipher};
use crate::chain::KeyKind;
use crate::examination::FaultKind;

/// Suites are shared, and none can be used with the kind of key in the server's certificate.
pub(super) static CAUSE: Cause = Cause {
    code: "cipher-certificate-mismatch",
    family: "cipher",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("cipher_certificate_mismatch.md"),
    leads_to: &[&no_shared_cipher::CAUSE],
    examine,
};

const ANOTHER_KIND: &str = "The suites that the server allows need another kind of key than its certificate has (ECDHE-ECDSA-… with an RSA certificate, or the reverse), so it finds none usable whatever the client offers.";

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::CertificateMismatch { version, key, curve } = &found.fault.kind else {
        return None;
    };
    let shown = words::version(*version);
    let key_name = key.map(KeyKind::name);
    let (title, diagnosis, why) = match (&key_name, curve) {
        (Some(key), true) => (
            format!("The client does not support the curve of the server's {key} certificate"),
            format!("In {shown} the server has an {key} certificate, and {} does not name that curve among its groups ({}).", found.client_title(), words::list(&found.client.groups, 4)),
            "In TLS 1.2 and below the curve of an ECDSA certificate must be one of the client's groups (RFC 8422 §5.1.1); otherwise every ECDSA suite is unusable, and the server says that none is shared.".to_owned(),
        ),
        (Some(key), false) if found.fault.works.is_some() => (
            format!("No suite of the client can be used with the server's {key} certificate"),
            format!("The server has an {key} certificate; for {shown} {} offers no suite that authenticates with such a key.", found.client_title()),
            "A suite of TLS 1.2 and below names the kind of key that signs; a server whose certificate is of another kind cannot use it, though it may have it in its list.".to_owned(),
        ),
        _ if found.fault.confidence == Confidence::Observed => (
            format!("The server has no {shown} suite that fits its certificate"),
            format!(
                "By its configuration {shown} is switched on at the server, and the suites allowed for it need another kind of key than that of its certificate{}.",
                key_name.map(|key| format!(" ({key})")).unwrap_or_default()
            ),
            ANOTHER_KIND.to_owned(),
        ),
        _ => (
            format!("The server has no {shown} suite that fits its certificate"),
            format!(
                "{shown} is switched on at the server, and every suite is refused to a hello that offers all of them{}. Other versions are refused with another word.",
                key_name.map(|key| format!(", though it has an {key} certificate")).unwrap_or_default()
            ),
            ANOTHER_KIND.to_owned(),
        ),
    };
    let mut finding = found.finding(&CAUSE, title, diagnosis, why);
    finding.explains.push(no_shared_cipher::CAUSE.code.to_owned());
    finding.exhibits.extend(found.working().and_then(|seen| seen.suite_exhibit()));
    if *curve {
        finding.remedies.push(another_curve());
        finding.reproduce.push(found.s_client(s_client_version(*version)));
        finding.references.push("RFC 8422 §5.1.1".to_owned());
        return Some(finding);
    }
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        "Allow suites for the kind of key that the certificate has, or add a certificate of the other kind",
        vec![
            "See the kind of key: `openssl x509 -in CERT -noout -text | grep 'Public Key Algorithm'`; see the list: `openssl ciphers -v 'LIST'` (column Au)".to_owned(),
            format!("A list that fits both kinds: {}", words::INTERMEDIATE),
            "nginx: repeat ssl_certificate and ssl_certificate_key for an RSA and an ECDSA pair (1.11.0 and later); Apache: repeat SSLCertificateFile and SSLCertificateKeyFile; HAProxy: files `.rsa` and `.ecdsa` beside each other".to_owned(),
            "nginx -t, apachectl configtest and haproxy -c do not notice the mismatch; only a handshake does".to_owned(),
        ],
        "With a suite for that kind of key the server can prove who it is, and a common suite is found.",
        None,
    ));
    finding.reproduce.push(found.s_client(s_client_version(*version)));
    finding.references.extend(["RFC 5246 §7.4.2".to_owned(), "RFC 8422 §5.1.1".to_owned()]);
    Some(finding)
}

/// No suite helps: the certificate's own curve is what the client lacks.
fn another_curve() -> Remedy {
    remedy(
        Party::Server,
        Safety::Safe,
        "Get a certificate for a key that every client knows: RSA, or ECDSA on P-256",
        vec![
            "A new key: `openssl ecparam -name prime256v1 -genkey -noout -out key.pem` (or `openssl genrsa -out key.pem 2048`); have the certificate issued for it, and put both in place of the present pair".to_owned(),
            "nginx, Apache and HAProxy can hold it beside the present one, and choose by what the client offers".to_owned(),
        ],
        "With a curve of the client's own, or none at all, the suites for that certificate are usable.",
        None,
    )
}
