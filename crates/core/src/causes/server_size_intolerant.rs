use tlswhy_model::{Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::examination::FaultKind;

/// The server itself breaks on a hello of a certain length, or on one split over several segments or records.
pub(super) static CAUSE: Cause = Cause {
    code: "server-size-intolerant",
    family: "server",
    party: Party::Server,
    stage: Stage::Hello,
    doc: include_str!("server_size_intolerant.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::SizeIntolerant { fails, works, split } = &found.fault.kind else {
        return None;
    };
    let (failing, working) = (found.failing()?, found.working()?);
    let (title, diagnosis) = if *split {
        (
            "The server breaks on a hello that is split".to_owned(),
            format!(
                "The hello in several pieces ends with: {}. In one piece it is answered: {}.",
                failing.ending(),
                found.success(working)
            ),
        )
    } else {
        (
            format!("The server breaks on a hello of {fails} bytes"),
            format!(
                "A hello of {fails} bytes ends with: {}. One of {works} bytes, which differs in its length, is answered: {}.",
                failing.ending(),
                found.success(working)
            ),
        )
    };
    let why = "A hello may have any length up to 2^24 bytes and be cut anywhere (RFC 8446 §5.1); this server, or the device that ends TLS for it, reads only some lengths or only the first piece.";
    let mut finding = found.finding(&CAUSE, title, diagnosis, why.to_owned());
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Manual,
        "Upgrade the TLS software, or the firmware of the load balancer, that answers there",
        vec![
            "Hellos of 256 to 511 bytes: an old fault of load balancers (the length looks like an SSLv2 record); clients pad around it (RFC 7685)".to_owned(),
            "Hellos over one segment (about 1,400 bytes): a server that reads once and takes that for the whole; post-quantum key shares make hellos that long".to_owned(),
        ],
        "Software that collects the whole hello before it reads it takes any length.",
        None,
    ));
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Weakens,
        "Until then, change the length of this one client's hello",
        vec![
            "Too long: leave the post-quantum group out (OpenSSL: `Groups = X25519:P-256`; Go: GODEBUG=tlsmlkem=0), which gives up its protection".to_owned(),
            "256 to 511 bytes: OpenSSL pads with SSL_OP_TLSEXT_PADDING; fewer suites or no ALPN shorten it".to_owned(),
        ],
        "The hello then has a length that the server takes.",
        None,
    ));
    finding.reproduce.push(found.s_client(""));
    finding.references.extend(["RFC 7685".to_owned(), "RFC 8446 §5.1".to_owned()]);
    Some(finding)
}
