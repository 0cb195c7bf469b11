//! What the lists of a priority string come to: the suites, groups and signature schemes of a hello, and the versions that are left.

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use super::rows::ROWS;
use super::words::{self, Era, Kind, Needs};
use super::{Library, Lists, Priority, Refused, System};
use crate::release::Release;

/// `set_ciphersuite_list` of lib/priority.c.
pub(super) fn put_together(mut lists: Lists, library: &Library, system: &System) -> Result<Priority, Refused> {
    system.take_away(&mut lists);
    let exchanges = |lists: &Lists| -> Vec<&'static words::KeyExchange> {
        let named = |name: &&str| words::KEY_EXCHANGES.iter().find(|one| one.name == *name);
        lists.key_exchanges.iter().filter_map(named).collect()
    };
    let on = exchanges(&lists);
    // What cannot be had in TLS 1.3 rules it out.
    if lists.ciphers.contains(&"NULL") || on.iter().any(|one| one.rules_out_13) || lists.options.contains(&"NO_EXTENSIONS") {
        lists.versions.retain(|version| *version != "TLS1.3");
    }
    if lists.versions.is_empty() {
        return Err(Refused::NothingLeft);
    }
    let shared_key = on.iter().any(|one| one.shared_key);
    // TLS 1.3 alone needs no key exchange.
    if lists.versions.iter().all(|version| *version == "TLS1.3") && !shared_key {
        lists.key_exchanges.clear();
    }
    let has_13 = lists.versions.contains(&"TLS1.3");
    let mut groups = Groups { of: &lists, library, system, sent: Vec::new(), done: Vec::new() };
    let mut suites = Vec::new();
    for suite in of_exchange("", &lists, system) {
        suites.push(suite);
        groups.add(Kind::Hybrid);
    }
    for exchange in exchanges(&lists) {
        for suite in of_exchange(exchange.name, &lists, system) {
            suites.push(suite);
            match exchange.needs {
                Needs::Curve => groups.add(Kind::Curve),
                Needs::Field => groups.add(Kind::Field),
                Needs::Nothing => {}
            }
        }
    }
    if has_13 {
        let kinds: Vec<Kind> = lists.groups.iter().filter_map(|name| groups.usable(name)).map(|group| group.kind).collect();
        kinds.into_iter().for_each(|kind| groups.add(kind));
    }
    let groups = groups.sent;
    let signature_schemes = signature_schemes(&lists, library, system);
    let mut versions = lists.versions.clone();
    if signature_schemes.is_none() {
        versions.retain(|version| matches!(*version, "SSL3.0" | "TLS1.0" | "TLS1.1" | "DTLS0.9" | "DTLS1.0"));
    }
    if versions.is_empty() || versions == ["SSL3.0"] || suites.is_empty() {
        return Err(Refused::NothingLeft);
    }
    // A server that lacks TLS 1.3 answers a hello that offers it with TLS 1.2.
    let older = versions.iter().any(|version| matches!(*version, "TLS1.0" | "TLS1.1"));
    let has_12 = versions.contains(&"TLS1.2");
    if (!shared_key && has_13 && groups.is_empty()) || (!has_12 && older && versions.contains(&"TLS1.3")) {
        versions.retain(|version| *version != "TLS1.3");
    }
    let of_tls = |name: &&str| words::VERSIONS.iter().find(|(known, _)| known == name).and_then(|(_, version)| *version);
    let tls: Vec<ProtocolVersion> = versions.iter().filter_map(of_tls).collect();
    lists.versions = versions;
    // What none of the versions can use stays out of a hello.
    let highest = tls.iter().max().copied();
    suites.retain(|suite| suite.details().is_some_and(|row| highest.is_some_and(|highest| row.lowest <= highest)));
    Ok(Priority {
        versions: tls,
        suites,
        groups: groups.into_iter().map(NamedGroup).collect(),
        signature_schemes: signature_schemes.unwrap_or_default(),
        lists,
    })
}

/// The suites of one key exchange, by cipher and then by MAC.
fn of_exchange(exchange: &str, lists: &Lists, system: &System) -> Vec<CipherSuite> {
    let rows: Vec<_> = ROWS.iter().filter(|row| row.1 == exchange).collect();
    let mut suites = Vec::new();
    for cipher in &lists.ciphers {
        for mac in &lists.macs {
            let row = rows.iter().find(|row| row.2 == *cipher && row.3 == *mac);
            suites.extend(row.map(|row| CipherSuite(row.0)).filter(|suite| system.has_digest(prf(*suite))));
        }
    }
    suites
}

/// The digest of a suite's key derivation.
pub(super) fn prf(suite: CipherSuite) -> &'static str {
    match suite.0 {
        0xc100..=0xc107 => "STREEBOG-256",
        _ if suite.to_string().ends_with("SHA384") => "SHA384",
        _ => "SHA256",
    }
}

/// The groups of a hello: kind after kind, in the order in which the suites ask for them.
struct Groups<'l> {
    of: &'l Lists,
    library: &'l Library,
    system: &'l System,
    sent: Vec<u16>,
    done: Vec<Kind>,
}

impl Groups<'_> {
    fn usable(&self, name: &str) -> Option<&'static words::Group> {
        let group = words::GROUPS.iter().find(|group| group.name == name)?;
        (group.usable && self.system.has_curve(group)).then_some(group)
    }

    fn add(&mut self, kind: Kind) {
        let known = kind != Kind::Hybrid || self.library.release >= Release::new(3, 8, 8);
        if !known || self.done.contains(&kind) {
            return;
        }
        self.done.push(kind);
        let of_kind = self.of.groups.iter().filter_map(|name| self.usable(name)).filter(|group| group.kind == kind);
        let codes: Vec<u16> = of_kind.map(|group| group.code).collect();
        self.sent.extend(codes);
    }
}

/// The signature schemes of a hello; `None` where no algorithm is left that a version of the string could use.
fn signature_schemes(lists: &Lists, library: &Library, system: &System) -> Option<Vec<SignatureScheme>> {
    let before_13 = lists.versions.iter().any(|version| *version != "TLS1.3");
    let from_13 = lists.versions.contains(&"TLS1.3");
    let fits = |one: &&words::Signature| {
        system.has_signature(one)
            && match one.era {
                Era::Both => true,
                Era::Before13 => before_13,
                Era::From13 => from_13,
            }
    };
    let named = |name: &&str| words::SIGNATURES.iter().find(|one| one.name == *name);
    let left = lists.signatures.iter().filter_map(named).filter(fits);
    let mut codes: Vec<u16> = left.filter_map(|one| one.code_in(library.release)).collect();
    // The same code twice in a row is sent once.
    codes.dedup();
    (!codes.is_empty()).then(|| codes.into_iter().map(SignatureScheme).collect())
}
