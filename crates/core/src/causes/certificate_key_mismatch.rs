use tlswhy_model::{Exhibit, Finding, Layer, Party, Safety, Stage};

use super::certificates;
use super::found::{Found, remedy};
use super::told;
use crate::causes::Cause;
use crate::examination::FaultKind;

/// Key and certificate do not belong together.
pub(super) static CAUSE: Cause = Cause {
    code: "certificate-key-mismatch",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("certificate_key_mismatch.md"),
    leads_to: &[&super::cipher_certificate_mismatch::CAUSE, &super::no_shared_cipher::CAUSE],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    if let Some(finding) = told::finding(found, &CAUSE) {
        return Some(finding);
    }
    if found.fault.kind != FaultKind::KeyMismatch {
        return None;
    }
    let Some(failing) = found.failing() else {
        return Some(configured(found));
    };
    let client = found.client_title();
    let mut finding = found.finding(
        &CAUSE,
        "The server's key is not that of its certificate".to_owned(),
        "The server signed the handshake, and the signature does not verify under the key in the certificate that it sent.".to_owned(),
        format!("The signature is what proves that the server owns the certificate; {client} ends the handshake when it does not hold (decrypt_error, bad signature)."),
    );
    finding.exhibits.clear();
    let (layer, list) = match failing.plain.certificate() {
        Some(list) => (Layer::Wire, &list.value),
        None => (Layer::Decrypted, failing.certificates()?),
    };
    if let Some(leaf) = list.entries.first() {
        let says = "the certificate whose key the signature was checked with".to_owned();
        finding.exhibits.push(failing.bytes_exhibit(layer, leaf.span.clone(), "Certificate.certificate_list", says));
    }
    finding
        .exhibits
        .push(Exhibit::Ending { attempt: failing.id(), says: "the handshake's signature does not verify".to_owned() });
    let mut steps = vec![
        "`tlswhy cert FULLCHAIN.pem --key KEY.pem` compares the two files; by hand: `openssl x509 -in FULLCHAIN.pem -noout -pubkey` and `openssl pkey -in KEY.pem -pubout` must print the same".to_owned(),
        "Usual reasons: the key of the former certificate, of another name, or a chain file whose first certificate is not the server's own".to_owned(),
    ];
    steps.extend(certificates::serve_steps("fullchain.pem"));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        "Give the server the key that belongs to its certificate, or a new certificate for its key",
        steps,
        "The signature then verifies under the certificate's key.",
        None,
    ));
    finding.reproduce.push(found.s_client(""));
    finding.references.extend(["RFC 8446 §4.4.3".to_owned(), "RFC 5246 §7.4.3".to_owned()]);
    Some(finding)
}

/// The same before any handshake: the files that are configured do not belong together.
fn configured(found: &Found<'_>) -> Finding {
    let client = found.client_title();
    let mut finding = found.finding(
        &CAUSE,
        "The configured key is not that of the certificate".to_owned(),
        "The public half of the configured key differs from the key in the configured certificate.".to_owned(),
        format!(
            "Where the kinds of key are the same the program refuses to start; where they differ it starts, and no handshake with {client} succeeds: the server cannot prove that it owns the certificate."
        ),
    );
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        "Configure the key that belongs to the certificate, or the certificate that belongs to the key",
        vec![
            "Which of the two lines is wrong no file says; usually one of them still names what was there before the last renewal"
                .to_owned(),
            "`tlswhy cert FULLCHAIN.pem --key KEY.pem` compares two files".to_owned(),
        ],
        "The signature of the handshake then verifies under the certificate's key.",
        None,
    ));
    finding.references.push("RFC 8446 §4.4.3".to_owned());
    finding
}
