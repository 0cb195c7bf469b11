//! Everything that a server accepts: versions, suites with their order, groups, signatures, application protocols, certificates.
//!
//! Pure, like everything here: `take` asks through the case what it does not know and starts again from the beginning with
//! each answer, so that the same answers lead to the same hellos. Every next hello depends on what was learned; what does not
//! depend on each other is asked in the same round. A value is accepted, refused, or untested: silence refuses nothing.

mod asker;
mod conformance;
mod features;
mod modern;
mod old;
mod order;
mod protocols;
mod quirks;
mod trials;
mod tried;
mod view;
mod weaknesses;

use tlswhy_model::Depth;
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme, Sslv2CipherKind, Sslv2Message};

use crate::case::{Case, Seen};
use crate::knowledge::controls;
use crate::negotiate::{ServerCapabilities, SuiteOrder, Support};
use asker::{Asker, Reply};
pub use conformance::{conformance, policy_from_toml};
pub use features::Feature;
pub use order::Order;
use protocols::Protocols;
pub use tried::Tried;

/// Everything that a server accepts, as far as it was asked.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// By version, newest first.
    pub versions: Vec<VersionInventory>,
    /// Application protocols.
    pub protocols: Tried<String>,
    /// What it has or lacks beside these lists.
    pub features: Vec<Feature>,
    /// Hellos that every server has to take; accepted means that it does.
    pub quirks: Vec<Feature>,
    /// Weaknesses that were tried for; accepted means that the server has it.
    pub vulnerabilities: Vec<Feature>,
    /// Hellos that got no answer although others did.
    pub unanswered: u32,
}

/// What a server accepts at one version.
#[derive(Clone, Debug)]
pub struct VersionInventory {
    /// The version.
    pub version: ProtocolVersion,
    /// Whether it has it.
    pub support: Support,
    /// The attempt that shows it.
    pub attempt: Option<u32>,
    /// What it said, where it did not accept.
    pub says: Option<String>,
    /// Suites.
    pub suites: Tried<CipherSuite>,
    /// By whose order it chooses among them.
    pub order: Order,
    /// Whether, with an order of its own, it takes ChaCha20 for a client that has it first.
    pub chacha_first: Option<bool>,
    /// Groups; below TLS 1.3 only at the highest version.
    pub groups: Tried<NamedGroup>,
    /// Signature schemes of the handshake, in TLS 1.2 and 1.3.
    pub schemes: Tried<SignatureScheme>,
    /// The cipher kinds of SSLv2.
    pub sslv2_kinds: Vec<Sslv2CipherKind>,
}

impl VersionInventory {
    fn of(version: ProtocolVersion, suites: Tried<CipherSuite>) -> VersionInventory {
        VersionInventory {
            version,
            support: Support::Untested,
            attempt: None,
            says: None,
            suites,
            order: Order::Unknown,
            chacha_first: None,
            groups: Tried::default(),
            schemes: Tried::default(),
            sslv2_kinds: Vec::new(),
        }
    }

    /// What an attempt says of the version; once accepted, it stays so.
    fn settle(&mut self, support: Support, seen: &Seen<'_>) {
        if self.support == Support::Accepted {
            return;
        }
        self.support = support;
        self.attempt = Some(seen.id());
        self.says = match (support, seen.version()) {
            (Support::Accepted, _) => None,
            (_, Some(other)) if seen.chose() => Some(format!("it chose {other} instead")),
            _ => Some(seen.ending()),
        };
    }
}

/// Takes the inventory as far as the answers go; questions are noted in the case.
pub(crate) fn take(case: &Case<'_>, server_name: Option<&str>, upgrade: Option<&str>) -> Inventory {
    let asker = Asker::new(case, server_name, upgrade);
    let mut protocols = Protocols::new();
    let mut versions = vec![modern::take(&asker, &mut protocols)];
    // Groups and signatures below TLS 1.3 are asked at the highest version alone.
    let mut detailed = Some(true);
    for version in [ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_0, ProtocolVersion::SSLV3] {
        let found = old::take(&asker, version, detailed);
        detailed = match found.support {
            Support::Accepted => Some(false),
            Support::Untested if found.attempt.is_none() => detailed.filter(|detailed| !detailed),
            Support::Refused | Support::Untested => detailed,
        };
        versions.push(found);
    }
    versions.push(sslv2(&asker));
    let modern = versions.first().map(|found| found.support);
    let best = versions.iter().find(|found| found.support == Support::Accepted).map(|found| found.version);
    if let Some(version) = best
        && modern == Some(Support::Refused)
        && version > ProtocolVersion::SSLV3
    {
        // `None` is an early end.
        let _ = protocols.finish(&asker, |names| old::control(version, server_name).with_alpn(names));
    }
    for seen in case.all().filter(|seen| seen.chose() && seen.attempt.probe.upgrade.as_deref() == upgrade) {
        let found = versions.iter_mut().find(|found| Some(found.version) == seen.version());
        if let (Some(found), Some(suite)) = (found, seen.suite())
            && found.support == Support::Untested
            && seen.hello().is_some_and(|hello| hello.server_name() == server_name && hello.cipher_suites.contains(&suite))
        {
            // Its own hellos got no answer, and another one did.
            found.settle(Support::Accepted, seen);
            found.suites.accept(suite, seen.id());
        }
    }
    let features = features::take(&asker, &versions, &protocols.tried);
    let quirks = quirks::take(&asker, &versions);
    let vulnerabilities = trials::take(&asker, &versions, &features);
    Inventory { versions, protocols: protocols.tried, features, quirks, vulnerabilities, unanswered: asker.unanswered.get() }
}

fn sslv2(asker: &Asker<'_, '_>) -> VersionInventory {
    let mut found = VersionInventory::of(ProtocolVersion::SSLV2, Tried::default());
    match asker.ask(controls::ssl2(), Depth::Flight, "SSL 2.0") {
        Some(Reply::Chosen(seen)) if !seen.speaks_sslv2() => found.settle(Support::Refused, seen),
        Some(Reply::Chosen(seen)) => {
            found.settle(Support::Accepted, seen);
            if let Some(Sslv2Message::ServerHello(hello)) = seen.plain.sslv2.as_ref().map(|message| &message.value) {
                found.sslv2_kinds = hello.cipher_kinds.iter().map(|kind| kind.value).collect();
            }
        }
        Some(Reply::Refused(seen)) => found.settle(Support::Refused, seen),
        Some(Reply::NoAnswer(seen)) => found.settle(Support::Untested, seen),
        None => {}
    }
    found
}

impl Inventory {
    /// Adds what was learned here to what single attempts tell of the server.
    pub(crate) fn add_to(&self, server: &mut ServerCapabilities) {
        for found in &self.versions {
            let version = found.version;
            if found.support != Support::Untested {
                server.versions.insert(version, found.support);
            }
            if found.support != Support::Accepted {
                continue;
            }
            // What another attempt saw accepted stays so.
            for suite in &found.suites.refused {
                server.suites.entry((version, *suite)).or_insert(Support::Refused);
            }
            for group in &found.groups.refused {
                server.groups.entry((version, *group)).or_insert(Support::Refused);
            }
            for scheme in &found.schemes.refused {
                server.schemes.entry((version, *scheme)).or_insert(Support::Refused);
            }
        }
        let best = self.versions.iter().find(|found| {
            found.support == Support::Accepted && (ProtocolVersion::SSLV3..=ProtocolVersion::TLSV1_2).contains(&found.version)
        });
        match best.map(|found| (found.order, found)) {
            Some((Order::Client, _)) => server.order = SuiteOrder::Client,
            Some((Order::Server, found)) => server.order = SuiteOrder::Server(found.suites.taken()),
            _ => {}
        }
    }

    /// Whether the server has this version.
    pub fn has(&self, version: ProtocolVersion) -> bool {
        self.versions.iter().any(|found| found.version == version && found.support == Support::Accepted)
    }
}
