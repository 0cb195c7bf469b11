use tlswhy_model::{Finding, Party, Stage};

use super::found::Found;
use super::software::outdated;
use crate::causes::Cause;

/// The client's software cannot do what is needed.
pub(super) static CAUSE: Cause = Cause {
    code: "client-software-outdated",
    family: "software",
    party: Party::Client,
    stage: Stage::Negotiate,
    doc: include_str!("client_software_outdated.md"),
    leads_to: &[
        &super::client_version_outdated::CAUSE,
        &super::no_shared_cipher::CAUSE,
        &super::no_shared_group::CAUSE,
        &super::no_shared_signature_algorithm::CAUSE,
        &super::version_ranges_disjoint::CAUSE,
    ],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    outdated(found, &CAUSE)
}
