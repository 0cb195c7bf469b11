//! A kind of handshakes as evidence: the first of them is judged, others with the same server stand beside it as contrasts.

use std::net::{IpAddr, SocketAddr};

use tlswhy_capture::{Handshake, Outcome, Side, Times};
use tlswhy_core::knowledge::likeness::nearest;
use tlswhy_core::{TrustStore, client_of_hello};
use tlswhy_model::{
    Attempt, Bytes, ClientPolicy, ClientProfile, Depth, EVIDENCE_FORMAT, Ending, Evidence, FORMAT_VERSION, KnownCertificate,
    Opening, Probe, Software, Subject, Timing, Tool, TrustAnchors, WATCHED_CLIENT,
};
use tlswhy_wire::HelloSpec;

use super::kinds::{Kind, Kinds, server_name};
use crate::render::capture::{join, time};

/// How many other kinds stand beside the one that is judged.
const MOST_CONTRASTS: usize = 16;

/// What the user gives to judge certificates by.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) trust: Option<TrustStore>,
    pub(crate) known: Vec<KnownCertificate>,
}

/// The evidence on one kind among all; `None` where its end is none that a server or a client of TLS brings about.
pub(crate) fn of(kind: &Kind, all: &Kinds, given: &Given) -> Option<Evidence> {
    let judged = &kind.first;
    let target = Target::of(judged);
    let mut attempts = vec![attempt(judged, &target, judged.times.started)?];
    let beside = |other: &&Kind| !std::ptr::eq(*other, kind) && Target::of(&other.first).is_same(&target);
    let contrasts = all.iter().filter(beside).filter_map(|other| attempt(&other.first, &target, judged.times.started));
    attempts.extend(contrasts.take(MOST_CONTRASTS));
    for (place, attempt) in attempts.iter_mut().enumerate() {
        attempt.id = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
    }
    let client = client(judged);
    Some(Evidence {
        format: EVIDENCE_FORMAT.to_owned(),
        format_version: FORMAT_VERSION.to_owned(),
        tool: Tool::default(),
        started_at: time(judged.times.started),
        subject: Subject {
            target: target.shown(),
            host: target.host.clone(),
            port: target.port,
            address: target.address.map(|address| SocketAddr::new(address, target.port).to_string()),
            server_name: server_name(judged),
            upgrade: judged.upgrade.map(str::to_owned),
            application: None,
            via: judged.tunnel.as_ref().map(|tunnel| format!("{}://{}", tunnel.scheme, judged.server)),
            client: client.title.clone(),
        },
        resolution: None,
        clients: vec![client],
        trust: given.trust.as_ref().map(|trust| TrustAnchors {
            source: trust.source.clone(),
            total: u32::try_from(trust.certificates.len()).unwrap_or(u32::MAX),
            certificates: trust.certificates.iter().cloned().map(Bytes).collect(),
        }),
        stores: Vec::new(),
        known_certificates: given.known.clone(),
        expected_keys: Vec::new(),
        fetched: Vec::new(),
        records: Vec::new(),
        identity: None,
        configurations: Vec::new(),
        files: Vec::new(),
        software: Vec::new(),
        attempts,
        paths: Vec::new(),
        all_addresses: false,
        full: false,
        watched: true,
        redacted: false,
    })
}

/// What the client wanted to reach.
struct Target {
    host: String,
    port: u16,
    /// Its address, unless a proxy connects to it.
    address: Option<IpAddr>,
    upgrade: Option<&'static str>,
}

impl Target {
    fn of(handshake: &Handshake) -> Target {
        let upgrade = handshake.upgrade;
        if let Some(tunnel) = &handshake.tunnel {
            return Target { host: tunnel.host.clone(), port: tunnel.port, address: None, upgrade };
        }
        let address = handshake.server.ip();
        let host = server_name(handshake).unwrap_or_else(|| address.to_string());
        Target { host, port: handshake.server.port(), address: Some(address), upgrade }
    }

    /// Whether it is the same server, under whatever name.
    fn is_same(&self, other: &Target) -> bool {
        let name = self.address.is_some() || self.host == other.host;
        name && (self.address, self.port, self.upgrade) == (other.address, other.port, other.upgrade)
    }

    fn shown(&self) -> String {
        if self.port == 443 && !self.host.contains(':') { self.host.clone() } else { join(&self.host, self.port) }
    }
}

/// The client, of which nothing is known but its hello.
fn client(handshake: &Handshake) -> ClientProfile {
    let address = handshake.client.ip();
    let known = handshake.hello.as_ref().map(|hello| client_of_hello(handshake.record_version, hello));
    let like = known.as_ref().and_then(|client| nearest(&client.hello, 1).into_iter().find(|like| like.distance == 0));
    let title = match like {
        Some(like) => format!("{address} (with the hello of {})", like.client.title),
        None => address.to_string(),
    };
    let client = known.unwrap_or_else(|| ClientProfile {
        name: String::new(),
        title: String::new(),
        software: Software::default(),
        panel: false,
        source: String::new(),
        hello: HelloSpec::default(),
        policy: ClientPolicy::default(),
    });
    let software = Software { product: "the client's software".to_owned(), ..Software::default() };
    let source = "the ClientHello in the capture".to_owned();
    // It met no certificate, so that what it does with one was not seen.
    let unknown = handshake.answer.server_hello().is_none().then_some(true);
    let policy = ClientPolicy { verification_unknown: unknown, ..client.policy };
    let client = ClientProfile { policy, ..client };
    ClientProfile { name: WATCHED_CLIENT.to_owned(), title, software, source, ..client }
}

fn spec(handshake: &Handshake) -> HelloSpec {
    handshake.hello.as_ref().map(|hello| hello.to_spec(handshake.record_version)).unwrap_or_default()
}

/// A handshake as an attempt; `base` is the time from which its times count.
fn attempt(handshake: &Handshake, target: &Target, base: u64) -> Option<Attempt> {
    let (ending, mut remarks) = ending(&handshake.outcome)?;
    remarks.extend(handshake.notes.iter().map(|note| (*note).to_owned()));
    let Times { started, connected, hello, answered, ended } = handshake.times;
    let since = |from: u64, at: u64| (i128::from(at) - i128::from(from)) as f64 / 1e6;
    Some(Attempt {
        id: 0,
        round: 1,
        probe: Probe {
            host: target.host.clone(),
            port: target.port,
            address: target.address,
            upgrade: handshake.upgrade.map(str::to_owned),
            opening: Opening::Hello { hello: spec(handshake) },
            depth: Depth::Finish,
            with_identity: false,
            trial: None,
            repetition: 0,
        },
        address: target.address.map(|address| SocketAddr::new(address, target.port).to_string()),
        timing: Timing {
            started_ms: since(base, started),
            connected_ms: connected.map(|at| since(started, at)),
            hello_sent_ms: hello.map(|at| since(started, at)),
            first_byte_ms: answered.map(|at| since(started, at)),
            ended_ms: since(started, ended),
        },
        dialogue: handshake.dialogue.clone(),
        sent: Bytes(handshake.sent.clone()),
        received: Bytes(handshake.received.clone()),
        decrypted: None,
        application: None,
        ending,
        remarks,
        forged_reset: handshake.forged.as_ref().map(|forged| forged.signs.clone()).unwrap_or_default(),
    })
}

/// The ending as the client met it, and what it leaves unsaid.
fn ending(outcome: &Outcome) -> Option<(Ending, Vec<String>)> {
    let plain = |ending| Some((ending, Vec::new()));
    match outcome {
        Outcome::Established { .. } => plain(Ending::Completed),
        Outcome::Alert { by: Side::Server, awaited, alert: Some((level, description)) } => {
            plain(Ending::Alert { level: *level, description: *description, awaited: *awaited, encrypted: false })
        }
        Outcome::Alert { by: Side::Server, awaited, alert: None } => Some((
            Ending::Closed { awaited: *awaited },
            vec!["an encrypted alert of the server came before the close".to_owned()],
        )),
        Outcome::Alert { by: Side::Client, awaited, alert } => {
            let description = alert.map(|(_, description)| description);
            let encrypted = description.is_none().then(|| "it sent an encrypted alert instead of its Finished".to_owned());
            Some((Ending::ByClient { description, awaited: *awaited, waited_ms: 0 }, encrypted.into_iter().collect()))
        }
        Outcome::Closed { by: Side::Server, awaited } => plain(Ending::Closed { awaited: *awaited }),
        Outcome::Reset { by: Side::Server, awaited } => plain(Ending::Reset { awaited: *awaited }),
        Outcome::Closed { by: Side::Client, awaited } | Outcome::Reset { by: Side::Client, awaited } => {
            plain(Ending::ByClient { description: None, awaited: *awaited, waited_ms: 0 })
        }
        Outcome::GaveUp { awaited, waited_ms } => {
            plain(Ending::ByClient { description: None, awaited: *awaited, waited_ms: *waited_ms })
        }
        Outcome::Silent { awaited, waited_ms } => plain(Ending::TimedOut { awaited: *awaited, waited_ms: *waited_ms }),
        Outcome::NotTls { protocol, upgrade, detail } => plain(Ending::NotTls {
            protocol: protocol.map(str::to_owned),
            upgrade: upgrade.map(str::to_owned),
            detail: detail.clone(),
        }),
        Outcome::UpgradeRefused { reason } => plain(Ending::UpgradeRefused { reason: reason.clone() }),
        Outcome::TunnelRefused { reason } => plain(Ending::TunnelRefused { reason: reason.clone() }),
        Outcome::Malformed { by: Side::Server, what, at } => {
            plain(Ending::Malformed { what: (*what).to_owned(), at: *at as u64 })
        }
        Outcome::Refused => plain(Ending::Refused),
        Outcome::NotConnected { waited_ms } => plain(Ending::ConnectTimedOut { waited_ms: *waited_ms }),
        // Nothing that the other side would have answered with TLS.
        Outcome::PlainClient { .. } | Outcome::Malformed { by: Side::Client, .. } | Outcome::Incomplete { .. } => None,
    }
}
