//! What a client demands of a path, from its profile.

use tlswhy_model::ClientPolicy;

use super::judgement::{Order, PathPolicy};

impl PathPolicy {
    /// Of a profile. What it does not say is as OpenSSL has it by default.
    pub fn of(policy: &ClientPolicy) -> PathPolicy {
        let is = |key: Option<bool>| key == Some(true);
        if is(policy.strict_certificates) {
            return PathPolicy::strict();
        }
        PathPolicy {
            minimum_rsa_bits: policy.minimum_rsa_bits,
            minimum_ecdsa_bits: policy.minimum_ecdsa_bits,
            allows_sha1: is(policy.allows_sha1_certificates),
            allows_md5: is(policy.allows_md5_certificates),
            common_name_fallback: is(policy.common_name_fallback),
            common_name_addresses: is(policy.common_name_addresses.or(policy.common_name_fallback)),
            partial_wildcards: is(policy.partial_wildcards),
            accepts_any_purpose: policy.accepts_any_purpose != Some(false),
            order: match policy.chain_order.as_deref() {
                Some("forward") => Order::Forward,
                Some("exact") => Order::Exact,
                _ => Order::Any,
            },
            tries_alternatives: is(policy.tries_alternative_paths),
            partial_chain: is(policy.accepts_partial_chain),
            finds_intermediates: is(policy.fetches_aia) || is(policy.preloads_intermediates),
            enforces_must_staple: is(policy.enforces_must_staple),
            heeds_staple: is(policy.heeds_stapled_ocsp),
            checks_anchor_validity: policy.checks_anchor_validity.unwrap_or(true),
            maximum_lifetime_days: policy.maximum_lifetime_days,
            strict: false,
        }
    }

    /// The judged client `strict`: everything that RFC 5280 and the Baseline Requirements demand.
    pub fn strict() -> PathPolicy {
        PathPolicy {
            minimum_rsa_bits: Some(2048),
            minimum_ecdsa_bits: Some(256),
            allows_sha1: false,
            allows_md5: false,
            common_name_fallback: false,
            common_name_addresses: false,
            partial_wildcards: false,
            accepts_any_purpose: true,
            order: Order::Any,
            tries_alternatives: true,
            partial_chain: true,
            finds_intermediates: false,
            enforces_must_staple: true,
            heeds_staple: true,
            checks_anchor_validity: true,
            maximum_lifetime_days: None,
            strict: true,
        }
    }
}
