//! The course of one client's connection to one address, told from the evidence: where it stops, what lets it go on, where it
//! stops next. What the evidence does not tell yet is asked through the case.
//!
//! The discipline: first a hello that works, then one thing changed at a time. A fault found is lifted (by widening the
//! hello, by dropping the name, by asking for STARTTLS first), and the story goes on, so that the faults stand in the order
//! in which the client would meet them.

mod acceptance;
mod between;
mod certificates;
mod hellos;
mod identity;
mod negotiation;
mod path;
mod reach;
mod refusal;
mod repetition;
mod watched;

pub use between::{Downgrade, Stand, TlsInspection};

use std::cell::Cell;
use std::sync::Arc;

use tlswhy_model::{Confidence, Depth, OpenQuestion, PathQuestion, Probe};
use tlswhy_wire::{HelloSpec, ProtocolVersion};

use crate::case::{Case, Seen};
use crate::chain::{Certificate, KeyKind, Link, Objection, Stores};
use crate::configuration::{NoVersionLeft, OutdatedSoftware, Restriction, ShadowedSetting};
use crate::knowledge::alerts::Word;
use crate::negotiate::{ClientCapabilities, Obstacle, ServerCapabilities};
use crate::path::{Ends, Matters, Place};

/// What stops the client at one point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The name has no usable address.
    DnsFailure {
        /// The resolver's words.
        error: String,
    },
    /// The port refuses connections.
    PortClosed,
    /// No answer to the connection.
    ConnectTimeout,
    /// What answers does not speak TLS.
    NotTls {
        /// The protocol, where recognised.
        protocol: Option<String>,
        /// Its own words.
        detail: String,
        /// It has a way to start TLS and declined it.
        declined: bool,
    },
    /// It speaks TLS only behind a header of the PROXY protocol, which a balancer sends and a client does not.
    ProxyHeader,
    /// It speaks a protocol that starts TLS only when asked.
    StarttlsRequired {
        /// Name of the upgrade.
        upgrade: String,
    },
    /// The server refuses the name, or its absence.
    SniUnrecognized {
        /// The name that was sent; `None` where none was.
        name: Option<String>,
    },
    /// The server breaks on a newer hello.
    VersionIntolerant {
        /// What it breaks on, a field of the hello.
        field: &'static str,
    },
    /// The server breaks on a hello of a certain length, or cut up.
    SizeIntolerant {
        /// Length in bytes of a hello message that fails.
        fails: usize,
        /// Length in bytes of one that works.
        works: usize,
        /// It is the cut, not the length.
        split: bool,
    },
    /// Something on the way ends the handshake.
    Path(PathFault),
    /// Something on the way ends TLS and signs certificates of its own: what the client meets is this.
    Inspected(Box<TlsInspection>),
    /// Something on the way lowers the version.
    Downgraded(Downgrade),
    /// Something on the way minds the size of a flight.
    PathSize(SizeFault),
    /// The negotiation has no result.
    Negotiation(Obstacle),
    /// Suites are shared, and none can be used with the server's key.
    CertificateMismatch {
        /// At this version.
        version: ProtocolVersion,
        /// The server's key, where its certificate was seen.
        key: Option<KeyKind>,
        /// The curve of the certificate is what is missing, not the suite.
        curve: bool,
    },
    /// The client objects to the server's certificates.
    Certificate(Box<CertificateFault>),
    /// The server signed the handshake with another key than that of its certificate.
    KeyMismatch,
    /// A line of the server's configuration would allow it, and has no effect.
    ConfigShadowed(Box<ShadowedSetting>),
    /// No version is left of those that the server's configuration switches on.
    NoVersionLeft(Box<NoVersionLeft>),
    /// A line of the client's configuration takes away what the server needs.
    PolicyRestricts(Box<Restriction>),
    /// An alert says so by its definition, and nothing else was seen of it.
    Told(&'static Word),
    /// The software of one side cannot do what the other needs.
    SoftwareOutdated(Box<OutdatedSoftware>),
    /// The server wants a client certificate.
    ClientCertificate {
        /// The product that said so in HTTP, where it did.
        http: Option<&'static str>,
        /// One was shown, and refused: what is known to be wrong with it.
        refused: Option<Vec<String>>,
    },
}

/// Something between the client and the server that ends handshakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFault {
    /// The server name that it minds; `None` where it minds every hello.
    pub name: Option<String>,
    /// What the client sees of it.
    pub ends: Ends,
    /// Where it is.
    pub place: Place,
}

/// Something between the client and the server that minds the size of a flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeFault {
    /// What of the size.
    pub matters: Matters,
    /// What the client sees of it.
    pub ends: Ends,
    /// Where it is, where that is known.
    pub place: Option<Place>,
    /// Lengths in bytes of a hello message that fails and of one that works, where they differ.
    pub lengths: Option<(usize, usize)>,
}

/// One objection of the client to the server's certificates, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFault {
    /// What it objects to.
    pub objection: Objection,
    /// The trust store that the judgement rests on.
    pub store: String,
    /// What another clock says, where a certificate is out of its time.
    pub clock: Option<Clock>,
    /// The chain that the server should send; empty where none can be built.
    pub full_chain: Vec<Arc<Certificate>>,
    /// The path that the client takes, or the one that comes furthest.
    pub path: Vec<Link>,
    /// Where certificates that were not sent come from, by SHA-256.
    pub elsewhere: Vec<([u8; 32], String)>,
}

/// A time that was seen elsewhere than on the client's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The time, seconds since 1970.
    pub at: i64,
    /// What showed it, to be followed by the time.
    pub says: String,
    /// In this attempt.
    pub attempt: u32,
}

/// A fault with its evidence.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// The attempt that fails for it.
    pub fails: Option<u32>,
    /// The attempt that works without it.
    pub works: Option<u32>,
    /// In what the two differ.
    pub differs_in: Vec<&'static str>,
    /// What the claim rests on.
    pub confidence: Confidence,
    /// Whether the client fails for it; a fault that does not block is one for others or for later.
    pub blocks: bool,
}

/// The course of one client's connection to one address.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// What stops it, in the order in which the client meets them.
    pub faults: Vec<Fault>,
    /// What could not be settled.
    pub open: Vec<OpenQuestion>,
    /// The attempt whose certificates were judged.
    pub judged: Option<u32>,
    /// The attempt with the client's own hello.
    pub own: Option<u32>,
    /// The attempt that went furthest.
    pub furthest: Option<u32>,
    /// Whether the story was told to its end: nothing stayed unasked.
    pub complete: bool,
    /// The same hello got different answers.
    pub inconsistent: bool,
    /// STARTTLS dialogue in use at the end.
    pub upgrade: Option<String>,
    /// Server name in use at the end.
    pub server_name: Option<String>,
    /// Something on the way that ends TLS, whether or not the client minds.
    pub inspection: Option<Box<TlsInspection>>,
}

/// Tells the story as far as the evidence goes; questions are noted in the case.
pub(super) fn tell(case: &Case<'_>, stores: &Stores, now: i64) -> Story {
    let mut teller = Teller {
        cut_off: Cell::new(false),
        case,
        stores,
        now,
        story: Story {
            upgrade: case.evidence.subject.upgrade.clone(),
            server_name: case.evidence.subject.server_name.clone(),
            ..Story::default()
        },
    };
    // `None` is an early end: waiting for an answer, or nothing further can be said.
    let _ended_early = teller.begin();
    if !case.evidence.watched {
        teller.repeat_quiet_contrasts();
    }
    teller.put_inspection_first();
    if teller.cut_off.get() {
        teller.story.complete = false;
        teller.open(
            "Does the server, or something before it, limit how often one may connect? It took the first connection and then took no more",
            &[],
            "wait a few minutes and try again; ask for an exception from the limit",
        );
    }
    if case.is_waiting() {
        teller.story.complete = false;
    }
    teller.story
}

struct Teller<'c, 'e> {
    /// Later connections did not come about although the first one did.
    cut_off: Cell<bool>,
    case: &'c Case<'e>,
    stores: &'c Stores,
    now: i64,
    story: Story,
}

impl<'c, 'e> Teller<'c, 'e> {
    fn begin(&mut self) -> Option<()> {
        if self.case.evidence.watched {
            return self.watched();
        }
        let own = self.reach()?;
        self.story.own = Some(own.id());
        self.story.furthest = Some(own.id());
        if own.chose() {
            return self.accept(own, &self.hello());
        }
        self.explain_refusal(own)
    }

    /// The client's hello under the name in use.
    fn hello(&self) -> HelloSpec {
        self.case.client_hello().with_server_name(self.story.server_name.as_deref())
    }

    fn name(&self) -> Option<String> {
        self.story.server_name.clone()
    }

    fn ask(&self, hello: HelloSpec, depth: Depth, purpose: &str) -> Option<&'c Seen<'e>> {
        let probe = self.case.hello_probe(hello, self.story.upgrade.as_deref(), depth);
        self.ask_probe(&probe, purpose)
    }

    /// The answer to a probe. A connection that did not come about says nothing of the hello: there is no answer then.
    fn ask_probe(&self, probe: &Probe, purpose: &str) -> Option<&'c Seen<'e>> {
        let seen = self.case.ask(probe, purpose)?;
        if self.story.own.is_some() && !seen.reached_the_server() {
            self.cut_off.set(true);
            return None;
        }
        Some(seen)
    }

    fn push(&mut self, kind: FaultKind, confidence: Confidence, fails: Option<u32>) -> &mut Fault {
        let end = self.story.faults.len();
        self.insert(end, kind, confidence, fails)
    }

    /// A fault that the client meets before those from `at` on, although it was found after them.
    fn insert(&mut self, at: usize, kind: FaultKind, confidence: Confidence, fails: Option<u32>) -> &mut Fault {
        let at = at.min(self.story.faults.len());
        let fault = Fault { kind, fails, works: None, differs_in: Vec::new(), confidence, blocks: true };
        self.story.faults.insert(at, fault);
        &mut self.story.faults[at]
    }

    fn has(&self, matches: impl Fn(&FaultKind) -> bool) -> bool {
        self.story.faults.iter().any(|fault| matches(&fault.kind))
    }

    fn open(&mut self, question: impl Into<String>, decides: &[&str], how: impl Into<String>) {
        let question = OpenQuestion {
            question: question.into(),
            decides: decides.iter().map(|code| (*code).to_owned()).collect(),
            how: how.into(),
        };
        if !self.story.open.contains(&question) {
            self.story.open.push(question);
        }
    }

    fn end(&mut self) -> Option<()> {
        self.story.complete = true;
        None
    }

    /// What the server showed under the name and the upgrade in use.
    fn server(&self) -> ServerCapabilities {
        let (name, upgrade) = (self.story.server_name.as_deref(), self.story.upgrade.as_deref());
        let nameless = [ProtocolVersion::SSLV2, ProtocolVersion::SSLV3];
        ServerCapabilities::of(self.case.all().filter(|seen| {
            seen.attempt.probe.upgrade.as_deref() == upgrade
                && seen.hello().is_some_and(|hello| hello.server_name() == name || nameless.contains(&hello.legacy_version))
        }))
    }

    fn client(&self) -> ClientCapabilities {
        ClientCapabilities::of_hello(&self.hello(), &self.case.client.policy)
    }
}

/// The hello of a request over HTTP/1.1, where it names application protocols at all.
fn for_http(hello: &HelloSpec) -> HelloSpec {
    hello.clone().with_alpn(if hello.alpn().is_empty() { &[] } else { &["http/1.1"] })
}

impl Case<'_> {
    /// What asks for the way to the server: with the hello that is judged, where it is the first that is said. `None` through a proxy,
    /// which is as far as the way is seen.
    pub(super) fn way_of(&self, story: &Story) -> Option<PathQuestion> {
        let address = self.address.filter(|_| self.evidence.subject.via.is_none())?;
        let own = story.own.and_then(|own| self.evidence.attempt(own)).filter(|_| story.upgrade.is_none());
        let test = own.map(|own| own.probe.opening.clone());
        Some(PathQuestion { address, port: self.evidence.subject.port, test, control: None, by_size: false })
    }
}
