//! What a listening server really does, found out with hellos that differ in one thing at a time.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use tlswhy_core::knowledge::controls;
use tlswhy_gather::Live;
use tlswhy_model::{Answer, Asked, Bytes, Depth, InstalledSoftware, Opening, Probe, Question};
use tlswhy_wire::{
    AlertDescription, Authentication, CipherSuite, Encryption, ExtensionSpec, HelloSpec, KeyExchange, KeyMaterial, NamedGroup,
    ProtocolVersion, SignatureScheme,
};
use tokio::runtime::Runtime;

use super::case::Look;
use super::hellos::{Reply, VERSIONS, everything};
use super::leaf::Leaf;
use super::measured::Measured;
use crate::server::StartError;

/// Bound of every enumeration: no server has so many suites or groups.
const MOST: usize = 200;

/// Measures servers on the loopback address.
#[derive(Debug)]
pub struct Measurer {
    runtime: Runtime,
    live: Live,
    /// The programs' versions, each asked once.
    software: RefCell<Vec<InstalledSoftware>>,
}

impl Measurer {
    /// One that waits two seconds for an answer.
    ///
    /// # Errors
    /// The system gives no event queue.
    pub fn new() -> Result<Measurer, StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::of)?;
        let live = Live { tls_timeout: Duration::from_secs(2), ..Live::default() };
        Ok(Measurer { runtime, live, software: RefCell::default() })
    }

    /// What is installed of a product, looked up on the first call.
    pub(super) fn software(&self, product: String, look_up: impl FnOnce(String) -> InstalledSoftware) -> InstalledSoftware {
        let known = self.software.borrow().iter().find(|known| known.product == product).cloned();
        known.unwrap_or_else(|| {
            let found = look_up(product);
            self.software.borrow_mut().push(found.clone());
            found
        })
    }

    /// Runs a future to its end.
    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Measures everything for one look at a port.
    pub fn measure(&self, port: u16, look: &Look) -> Measured {
        let mut one = One { measurer: self, port, look, found: Measured::default() };
        one.versions();
        if !one.found.versions.is_empty() {
            one.suites();
            one.groups();
            one.preference();
            one.application_protocol();
        }
        one.found
    }
}

/// One measurement in progress.
struct One<'a> {
    measurer: &'a Measurer,
    port: u16,
    look: &'a Look,
    found: Measured,
}

impl One<'_> {
    /// Sends these hellos, each on a connection of its own, and learns what all of them tell.
    fn ask(&mut self, hellos: Vec<HelloSpec>) -> Vec<Reply> {
        self.open(hellos.into_iter().map(|hello| Opening::Hello { hello }).collect())
    }

    fn ask_one(&mut self, hello: HelloSpec) -> Option<Reply> {
        self.ask(vec![hello]).pop()
    }

    /// Sends a hello as bytes that nobody has keys for: a TLS 1.3 handshake then ends with the server's first message, which
    /// costs neither side a key.
    fn ask_for_choice(&mut self, hello: HelloSpec) -> Option<Reply> {
        let material = KeyMaterial { session_id: vec![0; 32], ..KeyMaterial::default() };
        let records = Bytes(hello.encode(&material).ok()?.records);
        self.open(vec![Opening::Replay { records }]).pop()
    }

    fn open(&mut self, openings: Vec<Opening>) -> Vec<Reply> {
        let name = self.look.name.as_deref();
        let probe = |opening| Probe {
            host: name.unwrap_or("127.0.0.1").to_owned(),
            port: self.port,
            address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            upgrade: self.look.upgrade.map(str::to_owned),
            opening,
            depth: Depth::Flight,
            with_identity: false,
            trial: None,
            repetition: 0,
        };
        let asked = openings.into_iter().enumerate().map(|(index, opening)| Asked {
            id: index as u32,
            round: 1,
            question: Question::Probe(Box::new(probe(opening))),
            purpose: String::new(),
        });
        let asked: Vec<Asked> = asked.collect();
        self.found.connections += asked.len() as u32;
        let answers = self.measurer.wait(self.measurer.live.ask(asked, Instant::now()));
        let replies = answers.into_iter().filter_map(|(_, answer)| match answer {
            Answer::Attempted(attempt) => Some(Reply::of(*attempt)),
            _ => None,
        });
        let replies: Vec<Reply> = replies.collect();
        replies.iter().for_each(|reply| self.learn(reply));
        replies
    }

    fn learn(&mut self, reply: &Reply) {
        let certificates = reply.certificates();
        if let Some(first) = certificates.first() {
            let leaf = Leaf::of(first, certificates.len());
            if !self.found.leaves.contains(&leaf) {
                self.found.leaves.push(leaf);
            }
        }
        if reply.shows_flight() {
            let asks = self.found.asks_certificate.unwrap_or(false) || reply.request().is_some();
            self.found.asks_certificate = Some(asks);
        }
    }

    fn name(&self) -> Option<String> {
        self.look.name.clone()
    }

    fn versions(&mut self) {
        let name = self.name();
        let hellos = VERSIONS.iter().map(|version| everything(*version, name.as_deref())).collect();
        let replies = self.ask(hellos);
        for (version, reply) in VERSIONS.into_iter().zip(&replies) {
            let without_signature = || {
                // An OpenSSL server above level 0 has nothing to sign with below TLS 1.2; it may still do without.
                let signs = matches!(version, ProtocolVersion::TLSV1_0 | ProtocolVersion::TLSV1_1);
                let refused = reply.alert().is_some_and(|alert| alert.description != AlertDescription::PROTOCOL_VERSION);
                (signs && refused).then(|| {
                    let hello = controls::tls11_without_signature(name.as_deref());
                    HelloSpec { legacy_version: version, ..hello }
                })
            };
            let agreed = reply.agreed(version)
                || without_signature().and_then(|hello| self.ask_one(hello)).is_some_and(|reply| reply.agreed(version));
            if agreed {
                self.found.versions.push(version);
            }
        }
        self.found.closed = replies.iter().any(Reply::is_closed_port);
        self.found.not_tls = replies.iter().find_map(Reply::not_tls);
        if self.found.versions.is_empty() {
            // A server that refuses a name says so to the versions that it has; the others meet the version's alert.
            let alert =
                |reply: &&Reply| reply.alert().is_some_and(|alert| alert.description != AlertDescription::PROTOCOL_VERSION);
            let telling = replies.iter().find(alert).or(replies.first());
            self.found.refusal = telling.map(Reply::ending);
            self.found.alert = telling.and_then(|reply| Some(reply.alert()?.description));
        }
    }

    fn highest_below_13(&self) -> Option<ProtocolVersion> {
        self.found.versions.iter().copied().find(|version| *version < ProtocolVersion::TLSV1_3)
    }

    fn has_13(&self) -> bool {
        self.found.versions.contains(&ProtocolVersion::TLSV1_3)
    }

    /// Takes from a list what the server chose, until it refuses the rest.
    fn exhaust<T: PartialEq + Copy>(
        &mut self,
        mut offered: Vec<T>,
        hello: impl Fn(&[T]) -> HelloSpec,
        chosen: impl Fn(&Reply) -> Option<T>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        while !offered.is_empty() && found.len() < MOST {
            let hello = hello(&offered);
            let is_13 = hello.offered_versions().first() == Some(&ProtocolVersion::TLSV1_3);
            let reply = if is_13 { self.ask_for_choice(hello) } else { self.ask_one(hello) };
            let Some(one) = reply.as_ref().and_then(&chosen) else { break };
            if !offered.contains(&one) {
                break;
            }
            offered.retain(|other| *other != one);
            found.push(one);
        }
        found
    }

    fn suites(&mut self) {
        let name = self.name();
        if let Some(version) = self.highest_below_13() {
            let base = everything(version, name.as_deref());
            let mut lists = vec![base.real_suites()];
            let fits = |suite: &CipherSuite| suite.details().is_some_and(|row| row.usable_with(version));
            lists.push(controls::tls12_unusual(name.as_deref()).real_suites().into_iter().filter(fits).collect());
            let signal = CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV;
            let hello = |suites: &[CipherSuite]| base.clone().with_suites([suites, &[signal]].concat());
            for list in lists {
                let found = self.exhaust(list, hello, Reply::suite);
                self.found.suites.extend(found);
            }
            self.found.suites_at = Some(version);
        }
        if self.has_13() {
            let base = everything(ProtocolVersion::TLSV1_3, name.as_deref());
            // Without a share the server has to ask for one: a HelloRetryRequest names suite and group.
            let without_share = base.clone().with_extension(ExtensionSpec::KeyShare(Vec::new()));
            let hello = |suites: &[CipherSuite]| without_share.clone().with_suites(suites.to_vec());
            self.found.suites_13 = self.exhaust(base.real_suites(), hello, Reply::suite);
            self.other_certificates(&base);
        }
    }

    /// A server with several kinds of keys shows the one that the signature schemes leave it.
    fn other_certificates(&mut self, base: &HelloSpec) {
        let schemes = base.signature_schemes().unwrap_or_default();
        let is_rsa = |scheme: &SignatureScheme| scheme.name().is_some_and(|name| name.contains("rsa"));
        let (rsa, others): (Vec<SignatureScheme>, Vec<SignatureScheme>) = schemes.into_iter().partition(is_rsa);
        self.ask([rsa, others].map(|schemes| base.clone().with_signature_schemes(&schemes)).to_vec());
    }

    fn groups(&mut self) {
        let name = self.name();
        if self.has_13() {
            let base = everything(ProtocolVersion::TLSV1_3, name.as_deref());
            let hello = |groups: &[NamedGroup]| {
                base.clone()
                    .with_extension(ExtensionSpec::SupportedGroups(groups.to_vec()))
                    .with_extension(ExtensionSpec::KeyShare(Vec::new()))
            };
            self.found.groups_13 = self.exhaust(base.groups(), hello, Reply::group);
        }
        let ecdhe_rsa = |suite: &CipherSuite| {
            suite
                .details()
                .is_some_and(|row| row.key_exchange == KeyExchange::Ecdhe && row.authentication == Authentication::Rsa)
        };
        let suites: Vec<CipherSuite> = self.found.suites.iter().copied().filter(ecdhe_rsa).collect();
        if let Some(version) = self.found.suites_at.filter(|_| !suites.is_empty()) {
            let base = everything(version, name.as_deref()).with_suites(suites);
            let hello = |groups: &[NamedGroup]| base.clone().with_extension(ExtensionSpec::SupportedGroups(groups.to_vec()));
            self.found.groups_12 = Some(self.exhaust(base.groups(), hello, Reply::group));
        }
    }

    fn preference(&mut self) {
        // OpenSSL's PrioritizeChaCha makes an exception of ChaCha20.
        let ordinary = |suite: &CipherSuite| suite.details().is_some_and(|row| row.encryption != Encryption::Chacha20Poly1305);
        let suites: Vec<CipherSuite> = self.found.suites.iter().copied().filter(ordinary).take(2).collect();
        let (Some(version), [first, second]) = (self.found.suites_at, suites.as_slice()) else { return };
        let base = everything(version, self.look.name.as_deref());
        let hellos = [[*first, *second], [*second, *first]].map(|suites| base.clone().with_suites(suites.to_vec()));
        let chosen: Vec<Option<CipherSuite>> = self.ask(hellos.to_vec()).iter().map(Reply::suite).collect();
        if let [Some(one), Some(other)] = chosen.as_slice() {
            self.found.server_preference = Some(one == other);
        }
    }

    fn application_protocol(&mut self) {
        let Some(version) = self.found.versions.first().copied() else { return };
        let hello = everything(version, self.look.name.as_deref()).with_alpn(&["h2", "http/1.1"]);
        self.found.alpn = self.ask_one(hello).and_then(|reply| reply.alpn());
    }
}
