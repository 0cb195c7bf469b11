use tlswhy_model::{Finding, Party, Safety, Stage};

use super::certificates;
use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::chain::ObjectionKind;

/// A certificate's key or signature is weaker than the client's security level.
pub(super) static CAUSE: Cause = Cause {
    code: "weak-key-or-digest",
    family: "certificate",
    party: Party::Server,
    stage: Stage::Authenticate,
    doc: include_str!("weak_key_or_digest.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let fault = certificates::fault(found)?;
    let (client, subject) = (found.client_title(), &fault.objection.subject);
    let whose = certificates::whose(fault);
    let level = found.case.client.policy.security_level.map(|level| format!(" (security level {level})")).unwrap_or_default();
    let (field, says, title, diagnosis) = match &fault.objection.kind {
        ObjectionKind::WeakKey { key, wanted } => (
            "subjectPublicKeyInfo",
            format!("the key is {key}"),
            format!("{whose} has a key of {key}, and the client wants at least {wanted} bits"),
            format!("The key of {subject} is {key}; {client} allows none below {wanted} bits{level}."),
        ),
        ObjectionKind::WeakDigest { digest } => (
            "signatureAlgorithm",
            format!("signed with {digest}"),
            format!("{whose} is signed with {digest}, which the client does not accept"),
            format!("{subject} is signed with {digest}; {client} does not accept that in a certificate{level}."),
        ),
        _ => return None,
    };
    let why = format!(
        "Such a key or digest can be forged with known means, so {client} ends the handshake when it reads the certificate (OpenSSL: \"ee key too small\", \"ca key too small\", \"ca md too weak\")."
    );
    let mut finding = certificates::finding(found, &CAUSE, fault, field, says, [title, diagnosis, why]);
    let (summary, mut steps) = if certificates::is_leaf(fault) {
        (
            "Have the server's certificate issued anew, with a strong key and SHA-256",
            vec!["`openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 …` or rsa:2048, then a certificate from the authority; your own authority: `-sha256`".to_owned()],
        )
    } else {
        (
            "Have the chain issued anew by an authority with a strong key and SHA-256",
            vec!["The authority that signs is what is too weak: a public one has a newer intermediate (take its current chain); one of your own needs a new key (3072 bits or P-256) or a new certificate signed with SHA-256".to_owned()],
        )
    };
    steps.extend(certificates::serve_steps("fullchain.pem"));
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        summary,
        steps,
        "Key and digest then pass the client's floor.",
        None,
    ));
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Weakens,
        "Until then, lower the floor in this one client (it then takes certificates that can be forged)",
        vec!["OpenSSL: `DEFAULT@SECLEVEL=1` takes 1024 bits, `@SECLEVEL=0` takes SHA-1 and MD5; Java: `jdk.certpath.disabledAlgorithms`".to_owned()],
        "The client then no longer minds.",
        None,
    ));
    finding.references.extend(["SSL_CTX_set_security_level(3)".to_owned(), "RFC 9155".to_owned()]);
    Some(finding)
}
