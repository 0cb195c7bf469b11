//! The causes: one file each, with its page (`<code>.md`) beside it.
//!
//! To add a cause: write `<code>.rs` and `<code>.md`, and name it in [`CAUSES`]. The page's first line is the cause in one
//! sentence; its headings are Diagnosis, Cause, Fix, Why it works, References; `tlswhy explain <code>` prints it.
//!
//! A cause owns the faults of its kind in a [`Story`](crate::examination::Story) and puts them into words: what was seen, why that fails, what mends it,
//! how to see it by hand. Same evidence, same words.

mod certificates;
mod found;
mod places;
mod software;
mod told;
mod words;

mod alpn_mismatch;
mod certificate_expired;
mod certificate_key_mismatch;
mod certificate_not_yet_valid;
mod certificate_revoked;
mod certificate_unsuitable;
mod chain_incomplete;
mod chain_misordered;
mod cipher_certificate_mismatch;
mod client_certificate_required;
mod client_policy_restricts;
mod client_software_outdated;
mod client_version_outdated;
mod config_shadowed;
mod connect_timeout;
mod dns_failure;
mod hostname_mismatch;
mod legacy_renegotiation;
mod no_shared_cipher;
mod no_shared_group;
mod no_shared_signature_algorithm;
mod not_tls;
mod path_blocks_handshake;
mod path_downgrades;
mod path_size_intolerance;
mod path_sni_filtering;
mod path_tls_inspection;
mod port_closed;
mod server_size_intolerant;
mod server_software_outdated;
mod server_version_intolerant;
mod server_version_outdated;
mod sni_unrecognized;
mod starttls_required;
mod untrusted_root;
mod version_ranges_disjoint;
mod weak_dh_params;
mod weak_key_or_digest;

pub use found::Found;
use tlswhy_model::{Finding, Party, Stage};

/// One cause of the contract.
pub struct Cause {
    /// Its code; never changes its meaning.
    pub code: &'static str,
    /// Its family.
    pub family: &'static str,
    /// Who must act.
    pub party: Party,
    /// Where in the course of a connection it stands.
    pub stage: Stage,
    /// Its page, Markdown.
    pub doc: &'static str,
    /// Causes that may merely follow from it.
    pub leads_to: &'static [&'static Cause],
    /// Puts a fault into words, if it is one of this cause.
    pub examine: fn(&Found<'_>) -> Option<Finding>,
}

impl Cause {
    /// The first line of the page: the cause in one sentence.
    pub fn sentence(&self) -> &'static str {
        self.doc.lines().next().unwrap_or_default()
    }
}

/// Every cause that this version finds, by code.
pub static CAUSES: &[&Cause] = &[
    &alpn_mismatch::CAUSE,
    &certificate_expired::CAUSE,
    &certificate_key_mismatch::CAUSE,
    &certificate_not_yet_valid::CAUSE,
    &certificate_revoked::CAUSE,
    &certificate_unsuitable::CAUSE,
    &chain_incomplete::CAUSE,
    &chain_misordered::CAUSE,
    &cipher_certificate_mismatch::CAUSE,
    &client_certificate_required::CAUSE,
    &client_policy_restricts::CAUSE,
    &client_software_outdated::CAUSE,
    &client_version_outdated::CAUSE,
    &config_shadowed::CAUSE,
    &connect_timeout::CAUSE,
    &dns_failure::CAUSE,
    &hostname_mismatch::CAUSE,
    &legacy_renegotiation::CAUSE,
    &no_shared_cipher::CAUSE,
    &no_shared_group::CAUSE,
    &no_shared_signature_algorithm::CAUSE,
    &not_tls::CAUSE,
    &path_blocks_handshake::CAUSE,
    &path_downgrades::CAUSE,
    &path_size_intolerance::CAUSE,
    &path_sni_filtering::CAUSE,
    &path_tls_inspection::CAUSE,
    &port_closed::CAUSE,
    &server_size_intolerant::CAUSE,
    &server_software_outdated::CAUSE,
    &server_version_intolerant::CAUSE,
    &server_version_outdated::CAUSE,
    &sni_unrecognized::CAUSE,
    &starttls_required::CAUSE,
    &untrusted_root::CAUSE,
    &version_ranges_disjoint::CAUSE,
    &weak_dh_params::CAUSE,
    &weak_key_or_digest::CAUSE,
];
