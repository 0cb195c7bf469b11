//! The inventory as the report has it.

use std::collections::BTreeSet;
use std::fmt::Display;

use tlswhy_model::{
    Acceptance, AcceptedValue, OrderView, PrimeView, ServerView, ShownCertificate, ValuesView, VersionView, printable,
};
use tlswhy_wire::Sslv2CipherKind;

use super::{Inventory, Order, Tried, VersionInventory, weaknesses};
use crate::case::{Case, Seen};
use crate::chain::{Certificate, certificate_view};
use crate::negotiate::{Support, dh_bits};

/// The longest name of an application protocol that is shown, in characters.
const LONGEST_NAME: usize = 80;

impl Inventory {
    /// What the report holds of it. Names in certificates are left out where the evidence is redacted.
    pub(crate) fn view(&self, case: &Case<'_>, server_name: Option<&str>) -> ServerView {
        ServerView {
            versions: self.versions.iter().map(version).collect(),
            application_protocols: values(&self.protocols),
            certificates: if case.evidence.redacted { Vec::new() } else { certificates(case, server_name) },
            smallest_prime: of_name(case, server_name)
                .filter_map(|seen| Some(PrimeView { bits: dh_bits(seen)?, attempt: seen.id() }))
                .min_by_key(|prime| prime.bits),
        }
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
        acceptance: match found.support {
            Support::Accepted => Acceptance::Accepted,
            Support::Refused => Acceptance::Refused,
            Support::Untested => Acceptance::Untested,
        },
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
    for seen in of_name(case, server_name) {
        let Some(leaf) = seen.certificates().and_then(|list| list.entries.first()) else { continue };
        if known.insert(leaf.value.clone()) {
            let certificate = certificate_view(&Certificate::read(&leaf.value), case.now());
            shown.push(ShownCertificate { attempt: seen.id(), certificate });
        }
    }
    shown
}

/// What was seen under the name.
fn of_name<'c, 'e>(case: &'c Case<'e>, server_name: Option<&str>) -> impl Iterator<Item = &'c Seen<'e>> {
    case.all().filter(move |seen| seen.hello().is_some_and(|hello| hello.server_name() == server_name))
}
