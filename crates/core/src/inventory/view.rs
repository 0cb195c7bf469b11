//! The inventory as the report has it.

use std::collections::BTreeSet;
use std::fmt::Display;

use tlswhy_model::{
    Acceptance, AcceptedValue, ClientCertificateView, Ending, FeatureView, OrderView, PrimeView, ServerView, ShownCertificate,
    ValuesView, VersionView, printable,
};
use tlswhy_wire::{KeyExchangeParams, Sslv2CipherKind};

use super::features::under;
use super::{Feature, Inventory, Order, Tried, VersionInventory, weaknesses};
use crate::case::{Case, Seen};
use crate::chain::{Certificate, certificate_view, names_of};
use crate::knowledge::primes;
use crate::negotiate::Support;

/// The longest name of an application protocol that is shown, in characters.
const LONGEST_NAME: usize = 80;

impl Inventory {
    /// What the report holds of it. Names in certificates are left out where the evidence is redacted.
    pub(crate) fn view(&self, case: &Case<'_>, server_name: Option<&str>) -> ServerView {
        ServerView {
            versions: self.versions.iter().map(version).collect(),
            application_protocols: values(&self.protocols),
            certificates: if case.evidence.redacted { Vec::new() } else { certificates(case, server_name) },
            smallest_prime: smallest_prime(case, server_name),
            features: self.features.iter().map(feature).collect(),
            quirks: self.quirks.iter().map(feature).collect(),
            vulnerabilities: self.vulnerabilities.iter().map(feature).collect(),
            client_certificate: client_certificate(case, server_name),
        }
    }
}

fn feature(feature: &Feature) -> FeatureView {
    FeatureView {
        name: feature.code.to_owned(),
        acceptance: acceptance(feature.support),
        attempt: feature.attempt,
        says: feature.says.clone(),
    }
}

/// The smallest prime, and what is known of it.
fn smallest_prime(case: &Case<'_>, server_name: Option<&str>) -> Option<PrimeView> {
    let sent = |seen: &Seen<'_>| match &seen.key_exchange()?.params {
        KeyExchangeParams::Dhe { p, ys, prime_bits, .. } => Some((*prime_bits, p.clone(), ys.clone(), seen.id())),
        _ => None,
    };
    let all: Vec<_> = under(case, server_name).filter_map(sent).collect();
    let (bits, prime, _, attempt) = all.iter().min_by_key(|(bits, ..)| *bits)?;
    let mut keys: Vec<&[u8]> = all.iter().filter(|(_, other, ..)| other == prime).map(|(.., key, _)| key.as_slice()).collect();
    let shown = keys.len();
    keys.sort_unstable();
    keys.dedup();
    let known = primes::known(prime);
    Some(PrimeView {
        bits: *bits,
        attempt: *attempt,
        known_as: known.map(|known| known.name.to_owned()),
        is_safe: known.map(|known| known.is_safe),
        reuses_key: (shown > 1).then_some(keys.len() < shown),
    })
}

/// The first request for a client certificate, and whether one without got through all the same.
fn client_certificate(case: &Case<'_>, server_name: Option<&str>) -> Option<ClientCertificateView> {
    let asks = |seen: &&Seen<'_>| seen.certificate_request().is_some();
    let first = under(case, server_name).find(asks)?;
    let authorities = first.certificate_request().map(|request| names_of(&request.authorities)).unwrap_or_default();
    let got_through = |seen: &Seen<'_>| !seen.attempt.probe.with_identity && seen.attempt.ending == Ending::Completed;
    let without = under(case, server_name).filter(asks).any(got_through);
    Some(ClientCertificateView {
        attempt: first.id(),
        required: without.then_some(false),
        authorities: if case.evidence.redacted { Vec::new() } else { authorities },
    })
}

fn acceptance(support: Support) -> Acceptance {
    match support {
        Support::Accepted => Acceptance::Accepted,
        Support::Refused => Acceptance::Refused,
        Support::Untested => Acceptance::Untested,
    }
}

fn version(found: &VersionInventory) -> VersionView {
    let mut cipher_suites = values(&found.suites);
    for (shown, (suite, _)) in cipher_suites.accepted.iter_mut().zip(&found.suites.accepted) {
        let weaknesses = suite.details().map(weaknesses::of_suite).unwrap_or_default();
        shown.weaknesses = weaknesses.into_iter().map(str::to_owned).collect();
    }
    if let Some(attempt) = found.attempt {
        let shown = |kind: &Sslv2CipherKind| AcceptedValue { name: kind.to_string(), attempt, weaknesses: Vec::new() };
        cipher_suites.accepted.extend(found.sslv2_kinds.iter().map(shown));
    }
    VersionView {
        version: found.version,
        acceptance: acceptance(found.support),
        attempt: found.attempt,
        says: found.says.clone(),
        cipher_suites,
        suite_order: match found.order {
            Order::Unknown => None,
            Order::Client => Some(OrderView::Client),
            Order::Server => Some(OrderView::Server),
        },
        chacha_first: found.chacha_first,
        groups: values(&found.groups),
        signature_schemes: values(&found.schemes),
    }
}

fn values<T: Display>(tried: &Tried<T>) -> ValuesView {
    let name = |value: &T| printable(&value.to_string(), LONGEST_NAME);
    ValuesView {
        accepted: tried
            .accepted
            .iter()
            .map(|(value, attempt)| AcceptedValue { name: name(value), attempt: *attempt, weaknesses: Vec::new() })
            .collect(),
        refused: tried.refused.iter().map(name).collect(),
        refused_in: tried.refused_in,
        untested: tried.untested.iter().map(name).collect(),
    }
}

/// The end-entity certificates shown under the name.
fn certificates(case: &Case<'_>, server_name: Option<&str>) -> Vec<ShownCertificate> {
    let mut known = BTreeSet::new();
    let mut shown = Vec::new();
    for seen in under(case, server_name) {
        let Some(leaf) = seen.certificates().and_then(|list| list.entries.first()) else { continue };
        if known.insert(leaf.value.clone()) {
            let certificate = certificate_view(&Certificate::read(&leaf.value), case.now());
            shown.push(ShownCertificate { attempt: seen.id(), certificate });
        }
    }
    shown
}
