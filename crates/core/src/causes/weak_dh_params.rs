use tlswhy_model::{Finding, Layer, Party, Safety, Stage};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::negotiate::{Change, Obstacle};

/// The server's Diffie-Hellman group is smaller than the client allows.
pub(super) static CAUSE: Cause = Cause {
    code: "weak-dh-params",
    family: "cipher",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("weak_dh_params.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let Obstacle::DhSize { bits, floor } = found.obstacle()? else {
        return None;
    };
    let client = found.client_title();
    let mut finding = found.finding(
        &CAUSE,
        format!("The server's Diffie-Hellman group has {bits} bits, and the client wants {floor}"),
        format!("The server chose a DHE suite and sent a prime of {bits} bits; {client} allows no less than {floor}."),
        format!("{client} ends the handshake when it reads the prime (OpenSSL: \"dh key too small\")."),
    );
    if let Some(failing) = found.failing()
        && let Some(exchange) = failing.plain.server_key_exchange()
    {
        let span = exchange.value.params_span.clone();
        finding
            .exhibits
            .insert(0, failing.bytes_exhibit(Layer::Wire, span, "ServerKeyExchange.dh_p", format!("a prime of {bits} bits")));
        finding.exhibits.extend(failing.suite_exhibit());
    }
    let predicts = found
        .fixes()
        .into_iter()
        .find(|(change, _)| matches!(change, Change::ServerDhSize(_)))
        .and_then(|(_, predicts)| predicts);
    let wanted = (*floor).max(2048);
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        format!("Give the server ECDHE suites, or a Diffie-Hellman group of {wanted} bits or more"),
        vec![
            "Best: allow ECDHE suites before DHE ones (every client that is alive has them), and drop DHE".to_owned(),
            format!("Otherwise: `openssl dhparam -out dh.pem {wanted}` or the ffdhe{wanted} group of RFC 7919; nginx: `ssl_dhparam dh.pem;`, Apache: append it to the first SSLCertificateFile, HAProxy: ssl-dh-param-file, Postfix: smtpd_tls_dh1024_param_file, Java: -Djdk.tls.ephemeralDHKeySize={wanted}"),
        ],
        "A larger prime passes the client's limit; with ECDHE no finite-field group is used at all.",
        predicts,
    ));
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Weakens,
        "Until then, lower the limit in this one client (lets it accept breakable key exchanges)",
        vec!["OpenSSL: `DEFAULT@SECLEVEL=1` takes 1024 bits; or leave DHE suites out of the client's list, if the server has others: `DEFAULT:!DHE`".to_owned()],
        "The client then takes the prime, or another key exchange is chosen.",
        None,
    ));
    finding.reproduce.push(found.s_client("-tls1_2 -cipher 'DHE:@SECLEVEL=0'") + " 2>&1 | grep 'Server Temp Key'");
    finding.references.extend(["RFC 7919".to_owned(), "SSL_CTX_set_security_level(3)".to_owned()]);
    Some(finding)
}
