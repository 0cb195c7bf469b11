use tlswhy_model::{Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::software::outdated;
use crate::causes::Cause;
use crate::negotiate::Obstacle;

/// The server's software cannot do what is needed.
pub(super) static CAUSE: Cause = Cause {
    code: "server-software-outdated",
    family: "software",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("server_software_outdated.md"),
    leads_to: &[
        &super::legacy_renegotiation::CAUSE,
        &super::no_shared_cipher::CAUSE,
        &super::no_shared_group::CAUSE,
        &super::no_shared_signature_algorithm::CAUSE,
        &super::server_version_outdated::CAUSE,
        &super::version_ranges_disjoint::CAUSE,
    ],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    outdated(found, &CAUSE).or_else(|| without_extended_master_secret(found))
}

/// What no current library lacks where it is left as it is. Its version was not seen, so a setting may be it as well.
fn without_extended_master_secret(found: &Found<'_>) -> Option<Finding> {
    let Obstacle::ExtendedMasterSecret = found.obstacle()? else { return None };
    let client = found.client_title();
    let mut finding = found.finding(
        &CAUSE,
        "The server lacks the extended master secret".to_owned(),
        format!(
            "{client} offers extended_master_secret and insists on it; the server answers without it. Whether its software cannot, or a setting keeps it from that, cannot be told from here."
        ),
        "Clients under FIPS rules end a handshake of TLS 1.2 that does not bind the keys to the whole handshake (RFC 7627).".to_owned(),
    );
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        "Upgrade the server's TLS library, or let it speak TLS 1.3, which needs no such extension",
        vec![
            "OpenSSL has it since 1.1.0, GnuTLS since 3.4, Go since 1.21".to_owned(),
            "Where the library is newer: look for what switches it off (SSL_OP_NO_EXTENDED_MASTER_SECRET, -Djdk.tls.useExtendedMasterSecret=false)".to_owned(),
        ],
        "The server then answers with the extension that the client offers.",
        None,
    ));
    finding.reproduce.push(found.s_client("-tls1_2"));
    finding.references.push("RFC 7627".to_owned());
    Some(finding)
}
