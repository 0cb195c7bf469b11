//! TLS 1.3: suites and groups from HelloRetryRequests, which cost neither side a key; signatures from whole flights.

use tlswhy_model::Depth;
use tlswhy_wire::{CipherSuite, ExtensionSpec, HelloSpec, NamedGroup, ProtocolVersion, SignatureScheme};

use super::VersionInventory;
use super::asker::{Asker, Reply};
use super::order::{Order, chacha_first, is_chacha, reversed};
use super::protocols::Protocols;
use super::tried::{Aside, Tried};
use crate::case::Seen;
use crate::knowledge::controls;
use crate::negotiate::{Support, signature_scheme};

const VERSION: ProtocolVersion = ProtocolVersion::TLSV1_3;

/// Everything at TLS 1.3, and the application protocols along with the signatures.
pub(super) fn take(asker: &Asker<'_, '_>, protocols: &mut Protocols) -> VersionInventory {
    let base = controls::tls13(asker.server_name);
    let mut taking = Taking {
        asker,
        found: VersionInventory::of(VERSION, Tried::of(suites(&base))),
        groups: Aside::of(groups(&base)),
        base,
    };
    let _ended_early = taking.run(protocols);
    taking.found.groups = taking.groups.tried;
    taking.found
}

struct Taking<'a, 'c, 'e> {
    asker: &'a Asker<'c, 'e>,
    found: VersionInventory,
    groups: Aside<NamedGroup>,
    base: HelloSpec,
}

impl<'c, 'e> Taking<'_, 'c, 'e> {
    fn run(&mut self, protocols: &mut Protocols) -> Option<()> {
        let seen = match self.asker.ask(self.base.clone(), Depth::Flight, "everything that TLS 1.3 offers")? {
            Reply::Chosen(seen) if seen.version() == Some(VERSION) => seen,
            Reply::Refused(seen) | Reply::Chosen(seen) => {
                self.found.settle(Support::Refused, seen);
                self.found.suites.refuse_rest(seen.id());
                return None;
            }
            Reply::NoAnswer(seen) => {
                self.found.settle(Support::Untested, seen);
                return None;
            }
        };
        self.found.settle(Support::Accepted, seen);
        let (suite, group) = (seen.suite()?, seen.group()?);
        // Two courses that do not wait for each other.
        let signatures = self.signatures(group, protocols);
        let choices = self.choices(suite, group, seen.id());
        signatures.and(choices)
    }

    /// Which suites and groups it has, and in whose order it takes the suites.
    fn choices(&mut self, suite: CipherSuite, group: NamedGroup, first: u32) -> Option<()> {
        let purpose = "a group that the server would rather have";
        let offered = self.found.suites.untested.clone();
        // Without a key share the server has to name the group that it wants (RFC 8446 §4.1.4).
        let retries = match self.asker.ask(self.hello(&offered, &self.groups.offer(), None), Depth::Choice, purpose)? {
            Reply::Chosen(seen) => self.learn(&offered, seen),
            Reply::Refused(_) | Reply::NoAnswer(_) => false,
        };
        if !retries {
            self.found.suites.accept(suite, first);
            // It may prefer others, of which it was not sent a key.
            self.groups.tried.accept(group, first);
        }
        let share = (!retries).then_some(group);
        while !self.found.suites.untested.is_empty() {
            let offered = self.found.suites.untested.clone();
            match self.choose(&offered, share, "which further suites it has at TLSv1.3")? {
                Reply::Chosen(seen) if self.learn(&offered, seen) => {}
                Reply::Refused(seen) => self.found.suites.refuse_rest(seen.id()),
                Reply::Chosen(_) | Reply::NoAnswer(_) => break,
            }
        }
        self.by_order(share)?;
        while retries && self.groups.is_open() {
            let offered = self.found.suites.taken();
            match self.choose(&offered, None, "which further groups it has at TLSv1.3")? {
                Reply::Chosen(seen) if self.learn(&offered, seen) => {}
                _ => break,
            }
        }
        if retries {
            let suites = self.found.suites.taken();
            let hello = |groups: &[NamedGroup]| self.hello(&suites, groups, None);
            let mut tried = self.groups.tried.clone();
            self.asker.exhaust(&mut tried, VERSION, Depth::Choice, hello, |seen| seen.group(), true);
            self.groups.tried = tried;
        }
        Some(())
    }

    fn by_order(&mut self, share: Option<NamedGroup>) -> Option<()> {
        let in_order = self.found.suites.taken();
        let Some(offered) = reversed(&in_order) else { return Some(()) };
        let mut chosen = self.suite_of(&offered, share, "by whose order it chooses at TLSv1.3")?;
        if chosen.is_some() && chosen == offered.first().copied() {
            self.found.order = Order::Client;
        } else if chosen.is_some() && chosen == in_order.first().copied() {
            self.found.order = Order::Server;
            if let Some(offered) = chacha_first(&in_order) {
                let purpose = "whether it takes ChaCha20 for those that have it first at TLSv1.3";
                chosen = self.suite_of(&offered, share, purpose)?;
                self.found.chacha_first = chosen.map(is_chacha);
            }
        }
        Some(())
    }

    /// What it takes of these suites; `Some(None)` if it takes none of them.
    fn suite_of(&mut self, offered: &[CipherSuite], share: Option<NamedGroup>, purpose: &str) -> Option<Option<CipherSuite>> {
        Some(match self.choose(offered, share, purpose)? {
            Reply::Chosen(seen) if self.learn(offered, seen) => seen.suite(),
            _ => None,
        })
    }

    /// What came of these suites, with groups that are not known yet as long as there are some.
    fn choose(&mut self, suites: &[CipherSuite], share: Option<NamedGroup>, purpose: &str) -> Option<Reply<'c, 'e>> {
        let ask = |groups: &[NamedGroup]| self.asker.ask(self.hello(suites, groups, share), Depth::Choice, purpose);
        if let Some(group) = share {
            return ask(&[group]);
        }
        if self.groups.is_open() || self.groups.tried.untested.is_empty() {
            return ask(&self.groups.offer());
        }
        // A server with an order of its own: what it is known to have would hide the rest.
        let unknown = match ask(&self.groups.tried.untested)? {
            Reply::Refused(seen) => seen.id(),
            reply => return Some(reply),
        };
        // For the suites, or for the groups?
        let reply = ask(&self.groups.tried.taken())?;
        if let Reply::Chosen(_) = reply {
            self.groups.tried.refuse_rest(unknown);
        }
        Some(reply)
    }

    /// A hello with these; without a share the server has to ask for one.
    fn hello(&self, suites: &[CipherSuite], groups: &[NamedGroup], share: Option<NamedGroup>) -> HelloSpec {
        let shares = share.into_iter().collect();
        self.base.clone().with_suites(suites.to_vec()).with_groups(groups, &[]).with_extension(ExtensionSpec::KeyShare(shares))
    }

    /// Learns from a choice; `false` if it is none that the server could make.
    fn learn(&mut self, offered: &[CipherSuite], seen: &Seen<'_>) -> bool {
        let groups = seen.hello().map(HelloSpec::groups).unwrap_or_default();
        let (Some(VERSION), Some(suite), Some(group)) = (seen.version(), seen.suite(), seen.group()) else {
            return false;
        };
        if !offered.contains(&suite) || !groups.contains(&group) {
            self.found.says = Some("it chose what was not offered".to_owned());
            return false;
        }
        self.found.suites.accept(suite, seen.id());
        self.groups.learn(&groups, &group, seen.id());
        true
    }

    /// Which signatures it makes. Each needs a whole flight, with the group that it is known to have.
    fn signatures(&mut self, group: NamedGroup, protocols: &mut Protocols) -> Option<()> {
        let all = self.base.signature_schemes().unwrap_or_default();
        let base = self
            .base
            .clone()
            .with_groups(&[group], &[group])
            .with_extension(ExtensionSpec::StatusRequest)
            // The certificates may be signed as they like.
            .with_extension(ExtensionSpec::SignatureAlgorithmsCert(all.clone()));
        let mut schemes = Tried::of(all.into_iter().filter(|scheme| signs_handshakes(*scheme)).collect::<Vec<_>>());
        let mut result = Some(());
        while !schemes.untested.is_empty() {
            let hello = protocols.add_to(base.clone().with_signature_schemes(&schemes.untested));
            let Some(reply) = self.asker.ask(hello, Depth::Flight, "which signatures it makes at TLSv1.3") else {
                result = None;
                break;
            };
            match reply {
                Reply::Chosen(seen) => {
                    protocols.learn(seen);
                    match signature_scheme(seen).filter(|scheme| schemes.untested.contains(scheme)) {
                        Some(scheme) => schemes.accept(scheme, seen.id()),
                        None => break,
                    }
                }
                Reply::Refused(seen) if protocols.may_be_why(seen) => {}
                Reply::Refused(seen) => schemes.refuse_rest(seen.id()),
                Reply::NoAnswer(_) => break,
            }
        }
        self.found.schemes = schemes;
        result?;
        protocols.finish(self.asker, |names| base.clone().with_alpn(names))
    }
}

/// Every suite of TLS 1.3, usual ones first.
fn suites(base: &HelloSpec) -> Vec<CipherSuite> {
    let usual = base.real_suites();
    let of_13 = |suite: &CipherSuite| suite.details().is_some_and(|row| row.usable_with(VERSION));
    let others: Vec<CipherSuite> = CipherSuite::all().filter(|suite| of_13(suite) && !usual.contains(suite)).collect();
    [usual, others].concat()
}

/// Every group that TLS 1.3 can negotiate, usual ones first.
fn groups(base: &HelloSpec) -> Vec<NamedGroup> {
    let usual = base.groups();
    // Those below are of TLS 1.2 alone (RFC 8446 §4.2.7), those from 0xff00 on no named groups.
    let of_13 = |group: &NamedGroup| (NamedGroup::SECP256R1.0..0xff00).contains(&group.0);
    let others: Vec<NamedGroup> = NamedGroup::all().filter(|group| of_13(group) && !usual.contains(group)).collect();
    [usual, others].concat()
}

/// Whether TLS 1.3 lets it sign a handshake (RFC 8446 §4.2.3): neither PKCS #1 nor SHA-1 or what is older.
fn signs_handshakes(scheme: SignatureScheme) -> bool {
    scheme.name().is_some_and(|name| {
        !name.starts_with("rsa_pkcs1") && !name.starts_with("dsa_") && !name.ends_with("sha1") && !name.ends_with("sha224")
    })
}
