//! The course of one client's connection to one address, told from the evidence: where it stops, what lets it go on, where it
//! stops next. What the evidence does not tell yet is asked through the case.
//!
//! The discipline: first a hello that works, then one thing changed at a time. A fault found is lifted (by widening the
//! hello, by dropping the name, by asking for STARTTLS first), and the story goes on, so that the faults stand in the order
//! in which the client would meet them.

use tlswhy_model::{Awaited, Bytes, Confidence, Depth, Ending, OpenQuestion, Opening, Probe};
use tlswhy_wire::{
    AlertDescription, ExtensionSpec, ExtensionType, Fragment, HelloSpec, NamedGroup, ProtocolVersion, SignatureScheme,
};

use crate::case::{Case, Seen};
use crate::chain::{self, Doubt, KeyKind};
use crate::knowledge::{controls, refusals};
use crate::negotiate::{
    self, ClientCapabilities, Knob, Obstacle, ServerCapabilities, chain_authentication, dh_bits, signature_scheme, usable_at,
};

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
    /// The server wants a client certificate.
    ClientCertificate {
        /// The product that said so in HTTP, where it did.
        http: Option<&'static str>,
    },
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
    /// What is doubtful about the certificates.
    pub doubts: Vec<Doubt>,
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
}

/// Tells the story as far as the evidence goes; questions are noted in the case.
pub(super) fn tell(case: &Case<'_>, trust: &[&[u8]], now: i64) -> Story {
    let mut teller = Teller {
        case,
        trust,
        now,
        story: Story {
            upgrade: case.evidence.subject.upgrade.clone(),
            server_name: case.evidence.subject.server_name.clone(),
            ..Story::default()
        },
    };
    // `None` is an early end: waiting for an answer, or nothing further can be said.
    let _ended_early = teller.from_the_start();
    if case.is_waiting() {
        teller.story.complete = false;
    }
    teller.story
}

struct Teller<'c, 'e> {
    case: &'c Case<'e>,
    trust: &'c [&'c [u8]],
    now: i64,
    story: Story,
}

impl<'c, 'e> Teller<'c, 'e> {
    fn from_the_start(&mut self) -> Option<()> {
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
        self.case.ask(&probe, purpose)
    }

    fn push(&mut self, kind: FaultKind, confidence: Confidence, fails: Option<u32>) -> &mut Fault {
        self.story.faults.push(Fault { kind, fails, works: None, differs_in: Vec::new(), confidence, blocks: true });
        let last = self.story.faults.len() - 1;
        &mut self.story.faults[last]
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

    // ---------------------------------------------------------------------------------------------------------------
    // Up to the first byte of TLS

    /// The attempt with the client's own hello, once it reached something that speaks TLS. The controls for the older
    /// versions go out along with it, so that a refusal costs no further round.
    fn reach(&mut self) -> Option<&'c Seen<'e>> {
        let mut guesses: Vec<&str> = Vec::new();
        loop {
            let name = self.name();
            let own = self.ask(self.hello(), Depth::Finish, "the client's own hello");
            let asked_12 = self.ask(controls::tls12(name.as_deref()), Depth::Flight, "everything that TLS 1.2 offers");
            let asked_11 = self.ask(controls::tls11(name.as_deref()), Depth::Flight, "everything that TLS 1.1 offers");
            let own = own?;
            if self.case.is_waiting() {
                return None;
            }
            match &own.attempt.ending {
                Ending::Refused => {
                    self.push(FaultKind::PortClosed, Confidence::Observed, Some(own.id()));
                    self.end()?;
                }
                Ending::ConnectTimedOut { .. } | Ending::Unreachable { .. } => {
                    self.push(FaultKind::ConnectTimeout, Confidence::Observed, Some(own.id()));
                    self.end()?;
                }
                Ending::TunnelRefused { reason } => {
                    self.open(
                        format!("Does the proxy let this connection pass? It said: {reason}"),
                        &[],
                        "ask its owner, or try without --proxy",
                    );
                    self.end()?;
                }
                Ending::Impossible { reason } => {
                    self.open(format!("Could the connection be tried at all? {reason}"), &[], "see the reason");
                    self.end()?;
                }
                Ending::UpgradeRefused { .. } if !guesses.is_empty() => {
                    let guess = guesses.pop()?.to_owned();
                    if let Some(fault) = self.story.faults.last_mut() {
                        fault.kind = FaultKind::StarttlsRequired { upgrade: guess.clone() };
                    }
                    self.story.upgrade = Some(guess);
                }
                Ending::UpgradeRefused { reason } => {
                    self.upgrade_refused(own, reason.clone())?;
                }
                Ending::NotTls { protocol, upgrade, detail } => {
                    if let (Some(upgrade), None) = (upgrade, &self.story.upgrade) {
                        self.push(
                            FaultKind::StarttlsRequired { upgrade: upgrade.clone() },
                            Confidence::Observed,
                            Some(own.id()),
                        );
                        self.story.upgrade = Some(upgrade.clone());
                        // A bare 220 opens SMTP, LMTP and FTP alike.
                        if protocol.as_deref() == Some("220") {
                            guesses = vec!["lmtp", "ftp"];
                        }
                        continue;
                    }
                    let others_speak_tls = [asked_12, asked_11].into_iter().flatten().any(Seen::chose);
                    if others_speak_tls {
                        return Some(own);
                    }
                    let kind = FaultKind::NotTls { protocol: protocol.clone(), detail: detail.clone(), declined: false };
                    self.push(kind, Confidence::Observed, Some(own.id()));
                    self.end()?;
                }
                _ => {
                    if let Some(fault) = self.story.faults.last_mut()
                        && matches!(fault.kind, FaultKind::StarttlsRequired { .. })
                        && (own.chose() || own.alert().is_some())
                    {
                        fault.works = Some(own.id());
                        fault.differs_in = vec!["starttls"];
                        fault.confidence = Confidence::Confirmed;
                    }
                    return Some(own);
                }
            }
        }
    }

    /// The server's protocol has an upgrade, and it did not happen.
    fn upgrade_refused(&mut self, own: &Seen<'_>, reason: String) -> Option<()> {
        // Asked for by the user: perhaps TLS starts at once there.
        let asked_for = self.case.evidence.subject.upgrade.is_some();
        if asked_for {
            let probe = self.case.hello_probe(self.hello(), None, Depth::Flight);
            let direct = self.case.ask(&probe, "the same without STARTTLS")?;
            if direct.chose() {
                let how = "leave --starttls out, or use the URL scheme of the implicit form (smtps://, imaps://, …)";
                self.open("Was STARTTLS asked of a port where TLS starts at once? Without it the handshake begins", &[], how);
                return self.end();
            }
        }
        self.story.faults.retain(|fault| !matches!(fault.kind, FaultKind::StarttlsRequired { .. }));
        let kind = FaultKind::NotTls { protocol: self.story.upgrade.clone(), detail: reason, declined: true };
        self.push(kind, Confidence::Observed, Some(own.id()));
        self.end()
    }

    // ---------------------------------------------------------------------------------------------------------------
    // The hello is refused

    fn explain_refusal(&mut self, own: &'c Seen<'e>) -> Option<()> {
        let controls = self.controls()?;
        if controls.iter().any(|control| control.chose()) {
            return self.negotiate(own);
        }
        let quiet =
            std::iter::once(&own).chain(&controls).all(|seen| seen.alert().is_none() && seen.attempt.received.is_empty());
        self.nothing_works(own, quiet)
    }

    /// The hellos that offer everything at TLS 1.3, at 1.2 and at 1.1.
    fn controls(&self) -> Option<[&'c Seen<'e>; 3]> {
        let name = self.name();
        let name = name.as_deref();
        let control_13 = self.ask(controls::tls13(name), Depth::Flight, "everything that TLS 1.3 offers");
        let control_12 = self.ask(controls::tls12(name), Depth::Flight, "everything that TLS 1.2 offers");
        let control_11 = self.ask(controls::tls11(name), Depth::Flight, "everything that TLS 1.1 offers");
        Some([control_13?, control_12?, control_11?])
    }

    /// The same again, to tell a fault from chance.
    fn repeat(&self, hello: HelloSpec, repetition: u32) -> Option<&'c Seen<'e>> {
        let mut probe = self.case.hello_probe(hello, self.story.upgrade.as_deref(), Depth::Finish);
        probe.repetition = repetition;
        self.case.ask(&probe, "the client's own hello again")
    }

    /// The same hello failed and worked.
    fn inconsistent(&mut self, own: &'c Seen<'e>) -> Option<()> {
        let more = [self.repeat(self.hello(), 2), self.repeat(self.hello(), 3)];
        if self.case.is_waiting() {
            return None;
        }
        let first = self.repeat(self.hello(), 1)?;
        let all: Vec<&Seen<'_>> = [Some(own), Some(first)].into_iter().chain(more).flatten().collect();
        let worked = all.iter().filter(|seen| seen.chose()).count();
        self.story.inconsistent = true;
        self.open(
            format!("Why do answers to the same hello differ? It worked {worked} of {} times; otherwise: {}", all.len(), own.ending()),
            &[],
            "unlike servers behind one address, or one of them overloaded: compare the servers behind the balancer one by one (--address)",
        );
        self.end()
    }

    /// Not even a hello that offers everything is answered. `quiet`: not a byte came to any of them.
    fn nothing_works(&mut self, own: &'c Seen<'e>, quiet: bool) -> Option<()> {
        let name = self.name();
        let name = name.as_deref();
        let quiet = quiet && self.story.upgrade.is_none();
        let short = self.ask(controls::short_tls12(name), Depth::Flight, "a short hello");
        let nameless_hello = self.hello().with_server_name(None);
        let nameless = name.and_then(|_| self.ask(nameless_hello, Depth::Flight, "the client's hello without a server name"));
        let rsa = if quiet {
            self.other_protocols();
            None
        } else {
            self.ask(controls::tls10(name), Depth::Flight, "everything that TLS 1.0 offers");
            self.ask(controls::tls11_without_signature(name), Depth::Flight, "TLS 1.1 with a key exchange that is not signed")
        };
        if self.case.is_waiting() {
            return None;
        }
        if quiet && let Some(found) = self.speaks_another_protocol() {
            return found;
        }
        if let Some(nameless) = nameless
            && nameless.chose()
        {
            return self.name_refused(own, Some(nameless));
        }
        let refuses_name = |seen: &&Seen<'_>| seen.alert() == Some(AlertDescription::UNRECOGNIZED_NAME);
        if let Some(refusing) = self.case.find_any(refuses_name) {
            return self.name_refused_in_so_many_words(refusing);
        }
        if let Some(short) = short
            && short.chose()
        {
            return self.only_short_works(own, short);
        }
        let found = |teller: &Self| !teller.server().accepted_versions().is_empty();
        if !found(self) && rsa.is_none_or(|seen| !seen.chose()) {
            self.ask(controls::ssl3(), Depth::Flight, "SSL 3.0");
            self.ask(controls::ssl2(), Depth::Flight, "SSL 2.0");
            let last = if quiet { controls::tls10(name) } else { controls::tls12_unusual(name) };
            self.ask(last, Depth::Flight, "what the other hellos left out");
            if self.case.is_waiting() {
                return None;
            }
        }
        if let Some(fault) = self.only_unusual_suites() {
            return fault;
        }
        if found(self) {
            return self.negotiate(own);
        }
        self.refused_altogether(own, quiet)
    }

    /// The control with every usual suite fails, and the one with the unusual suites works: they differ in nothing else.
    fn only_unusual_suites(&mut self) -> Option<Option<()>> {
        let name = self.name();
        let ask =
            |hello: HelloSpec| self.case.find(&self.case.hello_probe(hello, self.story.upgrade.as_deref(), Depth::Flight));
        let unusual = ask(controls::tls12_unusual(name.as_deref())).filter(|seen| seen.chose())?;
        let usual = ask(controls::tls12(name.as_deref()))?;
        let (version, fails, works) = (unusual.version()?, usual.id(), unusual.id());
        let fault = self.push(FaultKind::Negotiation(Obstacle::Suites { version }), Confidence::Confirmed, Some(fails));
        fault.works = Some(works);
        fault.differs_in = vec![Knob::Suites.field()];
        // What follows in a suite without a certificate or without encryption says nothing about the suites to come.
        Some(self.end())
    }

    /// The alert itself says that the name is not known. Does the server go on without one?
    fn name_refused_in_so_many_words(&mut self, refusing: &'c Seen<'e>) -> Option<()> {
        if self.story.server_name.is_some() {
            let nameless = [controls::tls12(None), controls::tls13(None)]
                .map(|hello| self.ask(hello, Depth::Flight, "everything, without a server name"));
            if self.case.is_waiting() {
                return None;
            }
            let named = [controls::tls12(self.name().as_deref()), controls::tls13(self.name().as_deref())]
                .map(|hello| self.ask(hello, Depth::Flight, ""));
            for (nameless, named) in nameless.into_iter().zip(named) {
                if let (Some(nameless), Some(named)) = (nameless, named)
                    && nameless.chose()
                {
                    return self.name_refused(named, Some(nameless));
                }
            }
        }
        let kind = FaultKind::SniUnrecognized { name: self.name() };
        self.push(kind, Confidence::Observed, Some(refusing.id()));
        // Without a name that it accepts nothing further can be seen.
        self.end()
    }

    /// Only a hello under 256 bytes is answered: is it the length?
    fn only_short_works(&mut self, own: &'c Seen<'e>, short: &'c Seen<'e>) -> Option<()> {
        let name = self.name();
        let hello = controls::short_tls12(name.as_deref());
        let (works, fails) = (hello.message_length(), self.hello().message_length());
        if works < fails {
            let padded = hello.clone().with_pad_to(u16::try_from(fails).ok());
            let padded = self.ask(padded, Depth::Flight, "the short hello, as long as the client's")?;
            if !padded.chose() {
                self.size_fault(padded, short, fails, works)?;
                let seen = self.ask(hello.clone(), Depth::Finish, "the short hello, to its end")?;
                self.story.furthest = Some(seen.id());
                return if seen.chose() { self.accept(seen, &hello) } else { self.end() };
            }
        }
        self.negotiate(own)
    }

    /// Two hellos that differ in their length, one fails and one works. `None` where it may also be the path.
    fn size_fault(&mut self, failing: &Seen<'_>, working: &Seen<'_>, fails: usize, works: usize) -> Option<()> {
        if failing.alert().is_none() && !self.case.no_path_between() {
            self.open(
                "Is it the server that cannot take a hello of this length, or something between?",
                &["server-size-intolerant", "path-size-intolerance"],
                "try from the server's own network",
            );
            return self.end();
        }
        let kind = FaultKind::SizeIntolerant { fails, works, split: false };
        let fault = self.push(kind, Confidence::Confirmed, Some(failing.id()));
        fault.works = Some(working.id());
        fault.differs_in = vec!["length of the ClientHello"];
        Some(())
    }

    /// Questions to a port that stays mute: does it speak something else?
    fn other_protocols(&self) {
        self.case.ask(&self.plain_request(), "a plain HTTP request");
        for upgrade in MUTE_UPGRADES {
            let probe = self.case.hello_probe(self.hello(), Some(upgrade), Depth::Flight);
            self.case.ask(&probe, "STARTTLS in a protocol whose server does not speak first");
        }
    }

    fn plain_request(&self) -> Probe {
        let host = self.story.server_name.as_deref().unwrap_or(&self.case.evidence.subject.host);
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        self.case.probe(Opening::Plain { request: Bytes(request.into_bytes()) }, None, Depth::Flight)
    }

    /// `Some` if it does (and the story went on from there).
    fn speaks_another_protocol(&mut self) -> Option<Option<()>> {
        for upgrade in MUTE_UPGRADES {
            let probe = self.case.hello_probe(self.hello(), Some(upgrade), Depth::Flight);
            let Some(seen) = self.case.find(&probe) else {
                continue;
            };
            if seen.chose() || seen.alert().is_some() {
                let (own, works) = (self.story.own, seen.id());
                let fault =
                    self.push(FaultKind::StarttlsRequired { upgrade: (*upgrade).to_owned() }, Confidence::Confirmed, own);
                fault.works = Some(works);
                fault.differs_in = vec!["starttls"];
                self.story.upgrade = Some((*upgrade).to_owned());
                return Some(self.from_the_start());
            }
            if let Ending::UpgradeRefused { reason } = &seen.attempt.ending
                && seen.attempt.dialogue.iter().any(|turn| turn.from == tlswhy_model::Speaker::Server)
                && !reason.is_empty()
                && seen.attempt.received.is_empty()
                && let Some(protocol) = self.recognised(seen)
            {
                let kind = FaultKind::NotTls { protocol: Some(protocol), detail: reason.clone(), declined: true };
                let id = seen.id();
                self.push(kind, Confidence::Observed, Some(id));
                return Some(self.end());
            }
        }
        let plain = self.case.find(&self.plain_request())?;
        let Ending::NotTls { protocol, detail, .. } = &plain.attempt.ending else {
            return None;
        };
        let kind = FaultKind::NotTls { protocol: protocol.clone(), detail: detail.clone(), declined: false };
        let (own, works) = (self.story.own, plain.id());
        let fault = self.push(kind, Confidence::Confirmed, own);
        fault.works = Some(works);
        fault.differs_in = vec!["plain request instead of a ClientHello"];
        Some(self.end())
    }

    /// The protocol in which the server declined an upgrade, if its own words show that it speaks it.
    fn recognised(&self, seen: &Seen<'_>) -> Option<String> {
        let said = seen.attempt.dialogue.iter().find(|turn| turn.from == tlswhy_model::Speaker::Server)?;
        // PostgreSQL declines with the one letter N.
        if seen.attempt.probe.upgrade.as_deref() == Some("postgres") && said.bytes.0 == b"N" {
            return Some("postgresql".to_owned());
        }
        tlswhy_wire::other::recognise(&said.bytes).map(|other| other.name.to_owned())
    }

    /// The name is refused; without it the handshake begins.
    fn name_refused(&mut self, named: &'c Seen<'e>, nameless: Option<&'c Seen<'e>>) -> Option<()> {
        let refused = self.name();
        if named.alert().is_none() && !self.case.no_path_between() {
            // A close, a reset or silence that depends on the name may be the server's or a filter's on the way.
            self.open(
                "Is it the server that drops this name, or something between?",
                &["sni-unrecognized", "path-sni-filtering"],
                "ask from the server's own network, or read its log: a server that refuses a name without an alert logs it",
            );
            return self.end();
        }
        let fault = self.push(FaultKind::SniUnrecognized { name: refused }, Confidence::Confirmed, Some(named.id()));
        fault.works = nameless.map(Seen::id);
        fault.differs_in = vec!["server_name"];
        self.story.server_name = None;
        let own = self.ask(self.hello(), Depth::Finish, "the client's own hello without a server name")?;
        self.story.furthest = Some(own.id());
        if own.chose() {
            return self.accept(own, &self.hello());
        }
        self.explain_refusal(own)
    }

    /// No hello is answered, with or without a name, short or long, of any version.
    fn refused_altogether(&mut self, own: &'c Seen<'e>, silent: bool) -> Option<()> {
        let name = self.name();
        let alert_to = |hello: HelloSpec| self.ask(hello, Depth::Flight, "").and_then(Seen::alert);
        let alerts = [
            (ProtocolVersion::TLSV1_3, alert_to(controls::tls13(name.as_deref()))),
            (ProtocolVersion::TLSV1_2, alert_to(controls::tls12(name.as_deref()))),
            (ProtocolVersion::TLSV1_1, alert_to(controls::tls11(name.as_deref()))),
        ];
        // A server that says "version" to one hello and "handshake failure" to another has the latter's version switched on.
        let version_word = |alert: &Option<AlertDescription>| *alert == Some(AlertDescription::PROTOCOL_VERSION);
        let failure_word = |alert: &Option<AlertDescription>| *alert == Some(AlertDescription::HANDSHAKE_FAILURE);
        let on: Vec<ProtocolVersion> =
            alerts.iter().filter(|(_, alert)| failure_word(alert)).map(|(version, _)| *version).collect();
        let told_apart = alerts.iter().any(|(_, alert)| version_word(alert));
        if let [version @ ProtocolVersion::TLSV1_2] = on.as_slice()
            && told_apart
        {
            let failing = self.ask(controls::tls12(name.as_deref()), Depth::Flight, "").map_or(own.id(), Seen::id);
            let kind = FaultKind::CertificateMismatch { version: *version, key: None, curve: false };
            self.push(kind, Confidence::Suspected, Some(failing));
            self.open(
                format!("{version} is switched on, and every suite is refused to every client: do the suites that the server allows fit its certificate, and is the certificate loaded with its own key?"),
                &["cipher-certificate-mismatch", "certificate-key-mismatch", "no-shared-cipher"],
                "look at the server's cipher list and at the kind of key in its certificate: openssl x509 -in CERT -noout -text | grep 'Public Key Algorithm'",
            );
            return self.end();
        }
        let endings: std::collections::BTreeSet<String> = self.case.all().map(Seen::ending).collect();
        let endings: Vec<String> = endings.into_iter().take(4).collect();
        let (decides, how): (&[&str], &str) = match (silent, self.case.no_path_between()) {
            (true, false) => (
                &["path-blocks-handshake", "not-tls", "server-version-intolerant"],
                "try from the server's own network; see whether the service behind the port runs and what it logs",
            ),
            (true, true) => (&["not-tls"], "see which program listens there (ss -ltnp) and what it logs"),
            (false, _) => (
                &["cipher-certificate-mismatch", "certificate-key-mismatch", "no-shared-cipher", "sni-unrecognized"],
                "read the server's log of these attempts (nginx logs handshake failures at level info); see whether its certificate and key are loaded and belong together",
            ),
        };
        self.open(format!("Why does the server refuse every hello? Seen: {}", endings.join("; ")), decides, how);
        self.end()
    }

    // ---------------------------------------------------------------------------------------------------------------
    // The negotiation

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

    /// A control that worked at this version.
    fn control_at(&self, version: ProtocolVersion) -> Option<(&'c Seen<'e>, HelloSpec)> {
        let name = self.name();
        let name = name.as_deref();
        [
            controls::tls13(name),
            controls::tls12(name),
            controls::short_tls12(name),
            controls::tls11(name),
            controls::tls10(name),
            controls::tls11_without_signature(name),
            controls::ssl3(),
            controls::ssl2(),
        ]
        .into_iter()
        .find_map(|hello| {
            let probe = self.case.hello_probe(hello.clone(), self.story.upgrade.as_deref(), Depth::Flight);
            let seen = self.case.find(&probe)?;
            let chosen = if seen.plain.sslv2.is_some() { Some(ProtocolVersion::SSLV2) } else { seen.version() };
            (seen.chose() && chosen == Some(version)).then_some((seen, hello))
        })
    }

    fn negotiate(&mut self, own: &'c Seen<'e>) -> Option<()> {
        // Asked along with what follows: a fault is the same each time.
        let (client, server) = (self.client(), self.server());
        let accepted = server.accepted_versions();
        let alive = accepted.last() >= Some(&ProtocolVersion::TLSV1_0);
        if alive && self.repeat(self.hello(), 1).is_some_and(Seen::chose) {
            return self.inconsistent(own);
        }
        let Some(version) = client.versions.iter().copied().find(|version| accepted.contains(version)) else {
            return self.no_version(own, &client, &accepted);
        };
        if version <= ProtocolVersion::TLSV1_1 && client.versions.first() > Some(&version) {
            return self.meets_only_in_old_versions(own, version, &client, &accepted);
        }
        self.narrow(own, version)
    }

    /// The client offers more, and the server does TLS 1.1 and below alone; and the client's hello fails.
    fn meets_only_in_old_versions(
        &mut self,
        own: &'c Seen<'e>,
        version: ProtocolVersion,
        client: &ClientCapabilities,
        accepted: &[ProtocolVersion],
    ) -> Option<()> {
        let (control, hello) = self.control_at(version)?;
        // A server that does old versions and breaks on a hello of a newer one, where it ought to answer with the old.
        let newer = HelloSpec { legacy_version: ProtocolVersion::TLSV1_2, ..hello.clone() };
        let newer = self.ask(newer, Depth::Flight, "the same hello with a newer version")?;
        if !newer.chose() {
            let kind = FaultKind::VersionIntolerant { field: "legacy_version" };
            let fault = self.push(kind, Confidence::Confirmed, Some(newer.id()));
            fault.works = Some(control.id());
            fault.differs_in = vec!["legacy_version"];
            let old: Vec<ProtocolVersion> = client.versions.iter().copied().filter(|offered| *offered <= version).collect();
            let lowered = self.hello().with_versions(&old);
            let seen = self.ask(lowered.clone(), Depth::Finish, "the client's hello with old versions alone")?;
            self.story.furthest = Some(seen.id());
            return if seen.chose() { self.accept(seen, &lowered) } else { self.end() };
        }
        let modern: Vec<ProtocolVersion> =
            client.versions.iter().copied().filter(|offered| *offered > ProtocolVersion::TLSV1_1).collect();
        if !modern.is_empty() {
            let obstacle = Obstacle::Versions { client: modern, server: accepted.to_vec() };
            let fault = self.push(FaultKind::Negotiation(obstacle), Confidence::Observed, Some(own.id()));
            fault.works = Some(control.id());
            fault.differs_in = vec!["cipher_suites and others"];
            if hello == controls::tls11_without_signature(self.name().as_deref()) {
                // The server itself cannot sign in these versions; nothing else is amiss.
                return self.end();
            }
        }
        self.narrow(own, version)
    }

    /// No version in common.
    fn no_version(&mut self, own: &'c Seen<'e>, client: &ClientCapabilities, accepted: &[ProtocolVersion]) -> Option<()> {
        let modern = ProtocolVersion::TLSV1_2;
        let name = self.name();
        let alert_to = |hello: HelloSpec| self.ask(hello, Depth::Flight, "").and_then(Seen::alert);
        let to_12 = alert_to(controls::tls12(name.as_deref()));
        let to_11 = alert_to(controls::tls11(name.as_deref()));
        let version_word = Some(AlertDescription::PROTOCOL_VERSION);
        // The client's best is 1.2, the server has 1.3, and it said something other than "version" to everything that 1.2
        // offers: is 1.2 off, or on and without a suite? Named in supported_versions, a version that is off is refused as such.
        let doubtful = client.versions.first() == Some(&modern) && accepted.first() > Some(&modern) && to_12 != version_word;
        let named = doubtful.then(|| {
            let purpose = "TLS 1.2 alone, named in supported_versions";
            self.ask(controls::tls12_named(name.as_deref()), Depth::Flight, purpose)
        });
        let to_named = match named {
            Some(named) => named?.alert(),
            None => None,
        };
        if doubtful && to_named == Some(AlertDescription::HANDSHAKE_FAILURE) && to_11 == version_word {
            let key = self.server().certificate_key;
            let failing = self.ask(controls::tls12(name.as_deref()), Depth::Flight, "")?.id();
            self.push(
                FaultKind::CertificateMismatch { version: modern, key, curve: false },
                Confidence::Inferred,
                Some(failing),
            );
            return self.end();
        }
        let version = *accepted.last()?;
        let (control, control_hello) = self.control_at(version)?;
        let versions: Vec<ProtocolVersion> = client.versions.clone();
        let server_side = version < modern;
        // The client's hello with the server's version added; where it has nothing to offer at that version, with the
        // control's suites, groups and schemes, for a client that had the version would bring those.
        let widened = widen_versions(&self.hello(), version, &control_hello);
        let with_version = if version >= ProtocolVersion::TLSV1_0 {
            self.ask(widened.clone(), Depth::Finish, "the client's hello with the server's version")
        } else {
            Some(control)
        };
        let with_version = with_version?;
        let confirmed = with_version.chose();
        let obstacle = Obstacle::Versions { client: versions, server: accepted.to_vec() };
        let certain = !doubtful || own.alert() == version_word || to_named == version_word;
        let confidence = if !certain {
            Confidence::Suspected
        } else if confirmed {
            Confidence::Confirmed
        } else {
            Confidence::Observed
        };
        if !certain {
            self.open(
                "Is the version switched off, or on and without a usable suite? The server says the same to both",
                &["version-ranges-disjoint", "no-shared-cipher", "cipher-certificate-mismatch"],
                "read the protocol and cipher settings of the server",
            );
        }
        let works = if confirmed { with_version } else { control };
        let fault = self.push(FaultKind::Negotiation(obstacle), confidence, Some(own.id()));
        fault.works = Some(works.id());
        fault.differs_in = vec!["supported_versions"];
        if confirmed {
            self.story.furthest = Some(with_version.id());
            return self.accept(with_version, &widened);
        }
        if server_side && version >= ProtocolVersion::TLSV1_0 && !client.suites_at(version).is_empty() {
            return self.narrow_at(own, version, control, control_hello, widened);
        }
        self.end()
    }

    /// A version is shared: which of the other things is not?
    fn narrow(&mut self, own: &'c Seen<'e>, version: ProtocolVersion) -> Option<()> {
        let (control, control_hello) = self.control_at(version)?;
        let hello = self.hello();
        self.narrow_at(own, version, control, control_hello, hello)
    }

    /// From a hello that works at `version`, one thing after another is narrowed to what the client offers.
    fn narrow_at(
        &mut self,
        own: &'c Seen<'e>,
        version: ProtocolVersion,
        control: &'c Seen<'e>,
        control_hello: HelloSpec,
        mut widened: HelloSpec,
    ) -> Option<()> {
        let client_hello = self.hello();
        let mut lifted: Vec<Knob> = Vec::new();
        let faults_before = self.story.faults.len();
        let (mut narrowest, mut narrowest_hello);
        loop {
            (narrowest, narrowest_hello) = (control, control_hello.clone());
            let mut steps: Vec<(Knob, HelloSpec, Option<&'c Seen<'e>>)> = Vec::new();
            let mut hello = control_hello.clone();
            for knob in [Knob::Suites, Knob::Groups, Knob::Schemes, Knob::Alpn] {
                if lifted.contains(&knob) || !says_something(knob, &client_hello, version) {
                    continue;
                }
                let narrowed = knob.narrow(hello.clone(), &client_hello, version);
                if narrowed == hello {
                    continue;
                }
                hello = narrowed;
                let purpose = format!("the control with the client's {}", knob.field());
                steps.push((knob, hello.clone(), self.ask(hello.clone(), Depth::Flight, &purpose)));
            }
            if self.case.is_waiting() {
                return None;
            }
            let mut stopped = None;
            for (knob, hello, seen) in steps {
                let seen = seen?;
                if !seen.chose() {
                    stopped = Some((knob, seen, hello));
                    break;
                }
                (narrowest, narrowest_hello) = (seen, hello);
            }
            let Some((knob, failing, failing_hello)) = stopped else { break };
            if let Some(found) = self.rather_the_length(&narrowest_hello, narrowest, &failing_hello)? {
                return found;
            }
            let kind = self.name_the_obstacle(knob, version, narrowest, &narrowest_hello)?;
            let fault = self.push(kind, Confidence::Confirmed, Some(failing.id()));
            fault.works = Some(narrowest.id());
            fault.differs_in = vec![knob.field()];
            widened = widen(knob, &widened, narrowest, &narrowest_hello, version);
            lifted.push(knob);
            // Was that all?
            if self.ask(widened.clone(), Depth::Finish, "the client's hello with what was missing")?.chose() {
                break;
            }
        }

        let seen = self.ask(widened.clone(), Depth::Finish, "the client's hello with what was missing")?;
        if !seen.chose() {
            return self.residue(version, narrowest, narrowest_hello, seen, widened);
        }
        // With a single fault the client's own two hellos are the plainest contrast.
        if self.story.faults.len() == faults_before + 1
            && seen.id() != own.id()
            && let Some(fault) = self.story.faults.last_mut()
        {
            fault.fails = Some(own.id());
            fault.works = Some(seen.id());
        }
        self.story.furthest = Some(seen.id());
        self.accept(seen, &widened)
    }

    /// Where a step fails whose hello is longer than any that worked: is it the length, not the content? `Some(Some(_))` if
    /// so, and the story went on from there.
    fn rather_the_length(&mut self, works: &HelloSpec, working: &'c Seen<'e>, fails: &HelloSpec) -> Option<Option<Option<()>>> {
        let length = fails.message_length();
        let worked = |seen: &&Seen<'_>| seen.chose() && seen.attempt.probe.upgrade == self.story.upgrade;
        let longest = self.case.all().filter(worked).filter_map(|seen| Some(seen.hello()?.message_length())).max().unwrap_or(0);
        if length <= longest.max(usize::from(controls::LONG)) {
            return Some(None);
        }
        let padded = works.clone().with_pad_to(u16::try_from(length).ok());
        let padded = self.ask(padded, Depth::Flight, "the control, as long as the hello that fails")?;
        if padded.chose() {
            return Some(None);
        }
        if self.size_fault(padded, working, length, works.message_length()).is_none() {
            return Some(Some(None));
        }
        // The same client with small key shares: what else would it meet?
        let hello = self.hello();
        let small: Vec<NamedGroup> = hello.key_shares().into_iter().filter(|group| group.0 < SMALLEST_HYBRID).collect();
        let smaller = hello.clone().with_groups(&hello.groups(), &small);
        let seen = self.ask(smaller.clone(), Depth::Finish, "the client's hello with small key shares alone")?;
        self.story.furthest = Some(seen.id());
        Some(Some(if seen.chose() { self.accept(seen, &smaller) } else { self.end() }))
    }

    /// Which fault it is that this thing is not shared.
    fn name_the_obstacle(
        &self,
        knob: Knob,
        version: ProtocolVersion,
        working: &'c Seen<'e>,
        working_hello: &HelloSpec,
    ) -> Option<FaultKind> {
        let below_13 = version <= ProtocolVersion::TLSV1_2;
        let client = self.client();
        let key = working.certificates().and_then(|list| KeyKind::of_der(&list.entries.first()?.value));
        match knob {
            Knob::Suites if below_13 => {
                let suites = client.suites_at(version);
                let offers = |authentication| {
                    suites.iter().any(|suite| suite.details().is_some_and(|row| row.authentication == authentication))
                };
                if let Some(key) = key
                    && !offers(chain_authentication(key))
                    && !suites.is_empty()
                {
                    // Would another certificate be there for what the client can use?
                    let usable = controls::suites_for(version)
                        .into_iter()
                        .filter(|suite| suite.details().is_some_and(|row| offers(row.authentication)));
                    let hello = working_hello.clone().with_suites(usable.chain(signalling(working_hello)).collect());
                    let other = self.ask(hello, Depth::Flight, "every suite for the kinds of key that the client takes")?;
                    if !other.chose() {
                        return Some(FaultKind::CertificateMismatch { version, key: Some(key), curve: false });
                    }
                }
                Some(FaultKind::Negotiation(Obstacle::Suites { version }))
            }
            Knob::Groups if below_13 => {
                // In TLS 1.2 and below the curve of an ECDSA certificate must be among the client's groups (RFC 8422 §5.1.1).
                let exchange = working.group();
                let curve_missing = matches!(key, Some(KeyKind::Ec { bits }) if !client.groups.iter().any(|group| curve_of(*group) == Some(bits)));
                if curve_missing && exchange.is_some_and(|group| client.groups.contains(&group)) {
                    return Some(FaultKind::CertificateMismatch { version, key, curve: true });
                }
                Some(FaultKind::Negotiation(Obstacle::Groups { version }))
            }
            Knob::Suites => Some(FaultKind::Negotiation(Obstacle::Suites { version })),
            Knob::Groups => Some(FaultKind::Negotiation(Obstacle::Groups { version })),
            Knob::Schemes => Some(FaultKind::Negotiation(Obstacle::Schemes { version })),
            Knob::Alpn => Some(FaultKind::Negotiation(Obstacle::Alpn)),
            Knob::Versions => None,
        }
    }

    /// All that is negotiated is shared, and the client's hello fails still: its length, its cut, its versions or an extension.
    fn residue(
        &mut self,
        version: ProtocolVersion,
        narrowest: &'c Seen<'e>,
        narrowest_hello: HelloSpec,
        failing: &'c Seen<'e>,
        hello: HelloSpec,
    ) -> Option<()> {
        let (short, long) = (narrowest_hello.message_length(), hello.message_length());
        let pad = |length: usize| u16::try_from(length).ok();
        let whole = HelloSpec { fragment: Fragment::Whole, ..hello.clone() };
        let versions = hello.clone().with_versions(&[version]).with_pad_to(pad(long));
        let plain = without_unusual_extensions(&hello).with_pad_to(pad(long));
        let same_length =
            if short < long { narrowest_hello.clone().with_pad_to(pad(long)) } else { hello.clone().with_pad_to(pad(short)) };

        let cut = (whole != hello).then(|| self.ask(whole.clone(), Depth::Finish, "the same hello in one piece"));
        let sized = self.ask(same_length.clone(), Depth::Finish, "the same content at the other length");
        let versioned = (versions != hello)
            .then(|| self.ask(versions.clone(), Depth::Finish, "the same hello with the shared version alone"));
        let plained =
            (plain != hello).then(|| self.ask(plain.clone(), Depth::Finish, "the same hello without unusual extensions"));
        if self.case.is_waiting() {
            return None;
        }
        let works = |seen: Option<Option<&'c Seen<'e>>>| seen.flatten().filter(|seen| seen.chose());
        let sized = sized?;
        let size_matters = sized.chose() != (short < long);
        let (kind, fails, works, differs, next) = if let Some(seen) = works(cut) {
            (FaultKind::SizeIntolerant { fails: long, works: long, split: true }, failing, seen, "record fragmentation", whole)
        } else if size_matters && short < long {
            let kind = FaultKind::SizeIntolerant { fails: long, works: short, split: false };
            (kind, sized, narrowest, "length of the ClientHello", narrowest_hello)
        } else if size_matters {
            let kind = FaultKind::SizeIntolerant { fails: long, works: short, split: false };
            (kind, failing, sized, "length of the ClientHello", same_length)
        } else if let Some(seen) = works(versioned) {
            (FaultKind::VersionIntolerant { field: "supported_versions" }, failing, seen, "supported_versions", versions)
        } else if let Some(seen) = works(plained) {
            (FaultKind::VersionIntolerant { field: "extensions" }, failing, seen, "unusual extensions", plain)
        } else {
            self.open(
                "Which part of the client's hello does the server not take? Version, suites, groups, signature schemes, length and extensions were each found acceptable on their own",
                &["server-version-intolerant", "server-size-intolerant"],
                "compare a packet capture of the client with the attempts in the evidence (--save-evidence)",
            );
            return self.end();
        };
        let by_size = matches!(kind, FaultKind::SizeIntolerant { .. });
        let quietly = fails.alert().is_none();
        if by_size && quietly && !self.case.no_path_between() {
            return self.size_fault(fails, works, long, short);
        }
        if !by_size && quietly && !self.case.no_path_between() {
            self.open(
                "Is it the server that breaks on the newer hello, or something between?",
                &["server-version-intolerant", "path-blocks-handshake"],
                "try from the server's own network",
            );
            return self.end();
        }
        let fault = self.push(kind, Confidence::Confirmed, Some(fails.id()));
        fault.works = Some(works.id());
        fault.differs_in = vec![differs];
        let seen = self.ask(next.clone(), Depth::Finish, "the hello that works, to its end")?;
        self.story.furthest = Some(seen.id());
        if seen.chose() {
            return self.accept(seen, &next);
        }
        self.end()
    }

    // ---------------------------------------------------------------------------------------------------------------
    // The server has chosen: would the client accept it, and does the handshake end well?

    fn accept(&mut self, seen: &'c Seen<'e>, hello: &HelloSpec) -> Option<()> {
        let Some(answer) = seen.server_hello() else {
            return self.end();
        };
        let (version, suite) = (answer.selected_version.value, answer.cipher_suite.value);
        let client = self.client();
        let policy = &self.case.client.policy;
        let id = Some(seen.id());
        let version_known = self.has(|kind| matches!(kind, FaultKind::Negotiation(Obstacle::Versions { .. })));
        if !client.versions.contains(&version) && !version_known {
            let server = vec![version];
            self.push(
                FaultKind::Negotiation(Obstacle::Versions { client: client.versions.clone(), server }),
                Confidence::Observed,
                id,
            );
        }
        let sentinel = answer.downgrade_sentinel().filter(|_| client.versions.iter().any(|higher| *higher > version));
        if sentinel.is_some()
            && policy.checks_downgrade_sentinel == Some(true)
            && hello.offered_versions().iter().any(|offered| *offered > version)
        {
            self.open(
                format!("Who lowered the version to {version}? The server marked its answer as a downgrade (RFC 8446 §4.1.3), and the client ends the handshake on that mark"),
                &["path-downgrades"],
                "try from the server's own network, without proxies and inspection devices",
            );
        }
        if version <= ProtocolVersion::TLSV1_2 {
            // It shows after the others (in ServerKeyExchange), and comes first: it is the version that is at fault, and with
            // another version the others may change.
            if negotiate::legacy_signature(&client, version, suite) && client.versions.contains(&version) {
                self.push(FaultKind::Negotiation(Obstacle::LegacySignature { version }), Confidence::Observed, id);
            }
            if policy.requires_secure_renegotiation == Some(true)
                && hello.offers_renegotiation_info()
                && !answer.has_renegotiation_info()
            {
                self.push(FaultKind::Negotiation(Obstacle::SecureRenegotiation), Confidence::Observed, id);
            }
            if let (Some(bits), Some(floor)) = (dh_bits(seen), policy.minimum_dh_bits)
                && bits < floor
            {
                self.push(FaultKind::Negotiation(Obstacle::DhSize { bits, floor }), Confidence::Observed, id);
            }
            self.chosen_without_being_offered(seen, &client, version);
        }
        self.after_the_choice(seen, hello, version)
    }

    /// A group or a signature scheme that the client did not offer: it ends the handshake itself.
    fn chosen_without_being_offered(&mut self, seen: &'c Seen<'e>, client: &ClientCapabilities, version: ProtocolVersion) {
        let is = |wanted: fn(&Obstacle) -> bool| move |kind: &FaultKind| matches!(kind, FaultKind::Negotiation(obstacle) if wanted(obstacle));
        if let (Some(scheme), Some(offered)) = (signature_scheme(seen), &client.schemes)
            && version == ProtocolVersion::TLSV1_2
            && !offered.contains(&scheme)
            && !self.has(is(|obstacle| matches!(obstacle, Obstacle::Schemes { .. })))
        {
            self.push(FaultKind::Negotiation(Obstacle::Schemes { version }), Confidence::Observed, Some(seen.id()));
        }
        if let Some(group) = seen.group()
            && !client.groups.is_empty()
            && !client.groups.contains(&group)
            && !self.has(is(|obstacle| matches!(obstacle, Obstacle::Groups { .. })))
        {
            self.push(FaultKind::Negotiation(Obstacle::Groups { version }), Confidence::Observed, Some(seen.id()));
        }
    }

    fn after_the_choice(&mut self, seen: &'c Seen<'e>, hello: &HelloSpec, version: ProtocolVersion) -> Option<()> {
        self.judge_certificates(seen);
        let asked_for_certificate = seen.certificate_request().is_some();
        match &seen.attempt.ending {
            Ending::Alert { awaited, .. } | Ending::Closed { awaited } | Ending::Reset { awaited }
                if *awaited >= Awaited::ServerFinished =>
            {
                if asked_for_certificate {
                    let confidence = if seen.alert().is_some() { Confidence::Observed } else { Confidence::Inferred };
                    self.push(FaultKind::ClientCertificate { http: None }, confidence, Some(seen.id()));
                } else if (seen.alert().is_some() && seen.alert() != Some(AlertDescription::CLOSE_NOTIFY))
                    || *awaited == Awaited::ServerFinished
                {
                    self.open(
                        format!("Why did the server end the handshake? {}", seen.ending()),
                        &[],
                        "read the server's log of this moment",
                    );
                }
            }
            Ending::Alert { .. }
            | Ending::Closed { .. }
            | Ending::Reset { .. }
            | Ending::TimedOut { .. }
            | Ending::Malformed { .. } => {
                self.open(
                    format!("Why did the handshake stop after the server's choice? {}", seen.ending()),
                    &["path-blocks-handshake", "path-size-intolerance"],
                    "read the server's log of this moment; try from the server's own network",
                );
            }
            Ending::Completed if asked_for_certificate && self.story.upgrade.is_none() => {
                let hello = hello.clone().with_alpn(if hello.alpn().is_empty() { &[] } else { &["http/1.1"] });
                let request = self.ask(
                    hello,
                    Depth::Request,
                    "one small request, for some servers refuse a missing client certificate in HTTP",
                )?;
                if let Some(refusal) = request.attempt.application.as_deref().and_then(refusals::find) {
                    self.push(
                        FaultKind::ClientCertificate { http: Some(refusal.product) },
                        Confidence::Observed,
                        Some(request.id()),
                    );
                } else if request.alert().is_some() && request.awaited() >= Some(Awaited::AfterFinished) {
                    self.push(FaultKind::ClientCertificate { http: None }, Confidence::Observed, Some(request.id()));
                }
            }
            Ending::NotCarriedFurther { .. } if asked_for_certificate => {
                self.open(
                    "Does the server insist on the client certificate that it asks for?",
                    &["client-certificate-required"],
                    "connect with and without one: openssl s_client -cert CERT -key KEY",
                );
            }
            _ => {}
        }
        if self.story.own == Some(seen.id())
            && self.story.faults.iter().any(|fault| fault.blocks && fault.fails == Some(seen.id()))
        {
            let again = self.repeat(self.hello(), 1)?;
            if again.version() != seen.version() || again.chose() != seen.chose() || again.alert() != seen.alert() {
                self.story.faults.retain(|fault| fault.fails != Some(seen.id()));
                return self.inconsistent(seen);
            }
        }
        let version_known = self
            .has(|kind| matches!(kind, FaultKind::Negotiation(Obstacle::Versions { .. } | Obstacle::LegacySignature { .. })));
        let client_has_more = self.client().versions.first() >= Some(&ProtocolVersion::TLSV1_2);
        if version <= ProtocolVersion::TLSV1_1 && !version_known && client_has_more {
            // It works, for this client; most others have given these versions up (RFC 8996).
            let server = self.server().accepted_versions();
            let fault = self.push(
                FaultKind::Negotiation(Obstacle::Versions { client: Vec::new(), server }),
                Confidence::Observed,
                Some(seen.id()),
            );
            fault.blocks = false;
        }
        self.end()
    }

    fn judge_certificates(&mut self, seen: &Seen<'_>) {
        let Some(list) = seen.certificates() else {
            return;
        };
        let chain: Vec<&[u8]> = list.entries.iter().map(|entry| entry.value.as_slice()).collect();
        if chain.is_empty() {
            return;
        }
        let subject = &self.case.evidence.subject;
        let name = subject.server_name.as_deref().unwrap_or(&subject.host);
        self.story.doubts = chain::judge(&chain, self.trust, &self.case.client.policy, name, self.now);
        for doubt in self.story.doubts.clone() {
            self.open(
                format!("Does the client accept the server's certificates? {}", doubt.says),
                doubt.could_be,
                "openssl s_client -showcerts -verify_return_error, with the client's own trust store (-CAfile)",
            );
        }
    }
}

/// Upgrades of protocols whose server does not speak first and may stay mute when a ClientHello comes.
const MUTE_UPGRADES: &[&str] = &["postgres", "ldap"];

/// The first code of the post-quantum groups, whose key shares take over a thousand bytes.
const SMALLEST_HYBRID: u16 = 0x0200;

/// Whether the client's hello says anything about this at this version.
fn says_something(knob: Knob, hello: &HelloSpec, version: ProtocolVersion) -> bool {
    match knob {
        Knob::Versions => false,
        Knob::Suites => hello.real_suites().into_iter().any(|suite| usable_at(suite, version)),
        Knob::Groups => !hello.groups().is_empty(),
        Knob::Schemes => version >= ProtocolVersion::TLSV1_2 && hello.signature_schemes().is_some(),
        Knob::Alpn => !hello.alpn().is_empty(),
    }
}

fn signalling(hello: &HelloSpec) -> impl Iterator<Item = tlswhy_wire::CipherSuite> + '_ {
    hello.cipher_suites.iter().copied().filter(|suite| suite.is_signalling())
}

/// The hello with what was missing added: just what the server was seen to take.
fn widen(knob: Knob, hello: &HelloSpec, working: &Seen<'_>, working_hello: &HelloSpec, version: ProtocolVersion) -> HelloSpec {
    match knob {
        Knob::Suites => {
            let mut suites = hello.cipher_suites.clone();
            suites.extend(working.suite());
            hello.clone().with_suites(suites)
        }
        Knob::Groups => {
            let Some(group) = working.group() else {
                return hello.clone().with_groups(&working_hello.groups(), &working_hello.key_shares());
            };
            let mut groups = hello.groups();
            groups.push(group);
            let mut shares = hello.key_shares();
            if version >= ProtocolVersion::TLSV1_3 && working_hello.key_shares().contains(&group) {
                shares.push(group);
            }
            hello.clone().with_groups(&groups, &shares)
        }
        Knob::Schemes => {
            let mut schemes: Vec<SignatureScheme> = hello.signature_schemes().unwrap_or_default();
            match signature_scheme(working) {
                Some(scheme) => schemes.push(scheme),
                None => schemes = working_hello.signature_schemes().unwrap_or_default(),
            }
            hello.clone().with_signature_schemes(&schemes)
        }
        Knob::Alpn => hello.clone().with_alpn(&[]),
        Knob::Versions => hello.clone(),
    }
}

/// The hello with one more version. What the client cannot offer at that version comes from the control, for a client that
/// had the version would bring it along.
fn widen_versions(hello: &HelloSpec, version: ProtocolVersion, control: &HelloSpec) -> HelloSpec {
    let mut versions: Vec<ProtocolVersion> =
        hello.offered_versions().into_iter().filter(|offered| !offered.is_grease()).collect();
    versions.push(version);
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.dedup();
    let mut widened = hello.clone().with_versions(&versions);
    if !hello.real_suites().into_iter().any(|suite| usable_at(suite, version)) {
        let mut suites = hello.cipher_suites.clone();
        suites.extend(control.cipher_suites.iter().copied());
        suites.dedup();
        widened = widened.with_suites(suites);
    }
    if version >= ProtocolVersion::TLSV1_3 {
        let mut groups = hello.groups();
        if !groups.iter().any(|group| control.key_shares().contains(group)) {
            groups.extend(control.groups());
        }
        let shares: Vec<NamedGroup> = groups.iter().copied().filter(|group| control.key_shares().contains(group)).collect();
        widened = widened.with_groups(&groups, &shares);
    }
    if version >= ProtocolVersion::TLSV1_2 && (hello.signature_schemes().is_none() || version >= ProtocolVersion::TLSV1_3) {
        let mut schemes = hello.signature_schemes().unwrap_or_default();
        for scheme in control.signature_schemes().unwrap_or_default() {
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
        widened = widened.with_signature_schemes(&schemes);
    }
    widened
}

/// The hello without extensions that a server of TLS 1.2 need not know; what is negotiated stays.
fn without_unusual_extensions(hello: &HelloSpec) -> HelloSpec {
    const USUAL: &[ExtensionType] = &[
        ExtensionType::SERVER_NAME,
        ExtensionType::SUPPORTED_VERSIONS,
        ExtensionType::SUPPORTED_GROUPS,
        ExtensionType::KEY_SHARE,
        ExtensionType::SIGNATURE_ALGORITHMS,
        ExtensionType::PSK_KEY_EXCHANGE_MODES,
        ExtensionType::EC_POINT_FORMATS,
        ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
        ExtensionType::RENEGOTIATION_INFO,
    ];
    let mut plain = hello.clone();
    if let Some(extensions) = &mut plain.extensions {
        extensions.retain(|extension| USUAL.contains(&extension.extension_type()));
    }
    plain.cipher_suites.retain(|suite| !suite.is_grease());
    let real = |groups: Vec<NamedGroup>| groups.into_iter().filter(|group| !group.is_grease()).collect::<Vec<_>>();
    let (groups, shares) = (real(plain.groups()), real(plain.key_shares()));
    if !groups.is_empty() {
        plain = plain.with_groups(&groups, &shares);
    }
    for extension in plain.extensions.iter_mut().flatten() {
        match extension {
            ExtensionSpec::SupportedVersions(versions) => versions.retain(|version| !version.is_grease()),
            ExtensionSpec::SignatureAlgorithms(schemes) => schemes.retain(|scheme| !scheme.is_grease()),
            _ => {}
        }
    }
    plain
}

/// Field size of an elliptic-curve group, bits; `None` for others.
fn curve_of(group: NamedGroup) -> Option<u32> {
    Some(match group {
        NamedGroup::SECP192R1 => 192,
        NamedGroup::SECP224R1 => 224,
        NamedGroup::SECP256R1 => 256,
        NamedGroup::SECP384R1 => 384,
        NamedGroup::SECP521R1 => 521,
        _ => return None,
    })
}
