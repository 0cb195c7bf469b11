//! The client's hello is refused: repeat, compare with controls, and where nothing works, ask otherwise.

use tlswhy_model::{Bytes, Confidence, Depth, Ending, Opening, Probe, Speaker};
use tlswhy_wire::upgrade::PROXY_HEADER;
use tlswhy_wire::{AlertDescription, HelloSpec, ProtocolVersion};

use super::path::{Minds, Way};
use super::{FaultKind, Teller};
use crate::case::Seen;
use crate::knowledge::{controls, tls_wanted};
use crate::negotiate::{Knob, Obstacle};

/// Upgrades of protocols whose server does not speak first and may stay mute when a ClientHello comes.
const MUTE_UPGRADES: &[&str] = &["postgres", "ldap"];

impl<'c, 'e> Teller<'c, 'e> {
    pub(super) fn explain_refusal(&mut self, own: &'c Seen<'e>) -> Option<()> {
        let controls = self.controls()?;
        if controls.iter().any(|control| control.chose()) {
            return self.negotiate(own);
        }
        let quiet =
            std::iter::once(&own).chain(&controls).all(|seen| seen.alert().is_none() && seen.attempt.received.is_empty());
        self.nothing_works(own, quiet)
    }

    /// The hellos that offer everything at TLS 1.3, at 1.2 and at 1.1.
    pub(super) fn controls(&self) -> Option<[&'c Seen<'e>; 3]> {
        let name = self.name();
        let name = name.as_deref();
        let control_13 = self.ask(controls::tls13(name), Depth::Flight, "everything that TLS 1.3 offers");
        let control_12 = self.ask(controls::tls12(name), Depth::Flight, "everything that TLS 1.2 offers");
        let control_11 = self.ask(controls::tls11(name), Depth::Flight, "everything that TLS 1.1 offers");
        Some([control_13?, control_12?, control_11?])
    }

    /// The same again, to tell a fault from chance.
    pub(super) fn repeat(&self, hello: HelloSpec, repetition: u32) -> Option<&'c Seen<'e>> {
        let mut probe = self.case.hello_probe(hello, self.story.upgrade.as_deref(), Depth::Finish);
        probe.repetition = repetition;
        self.ask_probe(&probe, "the client's own hello again")
    }

    /// The same hello failed and worked.
    pub(super) fn inconsistent(&mut self, own: &'c Seen<'e>) -> Option<()> {
        let more = [self.repeat(self.hello(), 2), self.repeat(self.hello(), 3)];
        if self.case.is_waiting() {
            return None;
        }
        let first = self.repeat(self.hello(), 1)?;
        let all: Vec<&Seen<'_>> = [Some(own), Some(first)].into_iter().chain(more).flatten().collect();
        let mut answers: Vec<(String, usize)> = Vec::new();
        for seen in &all {
            let answer = match (seen.version(), seen.suite()) {
                (Some(version), Some(suite)) => format!("{version} with {suite}"),
                _ => seen.kind_of_ending(),
            };
            match answers.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, count)) => *count += 1,
                None => answers.push((answer, 1)),
            }
        }
        let answers: Vec<String> = answers.into_iter().map(|(answer, count)| format!("{count} times {answer}")).collect();
        self.story.inconsistent = true;
        self.open(
            format!("Why do the answers to the same hello differ? Of {}: {}", all.len(), answers.join("; ")),
            &[],
            "unlike servers behind one address, or one of them overloaded: compare the servers behind the balancer one by one (--address)",
        );
        self.end()
    }

    /// Not even a hello that offers everything is answered. `quiet`: not a byte came to any of them.
    pub(super) fn nothing_works(&mut self, own: &'c Seen<'e>, quiet: bool) -> Option<()> {
        let name = self.name();
        let name = name.as_deref();
        let quiet = quiet && self.story.upgrade.is_none();
        let short = self.ask(controls::short_tls12(name), Depth::Flight, "a short hello");
        let nameless_hello = self.hello().with_server_name(None);
        let nameless = name.and_then(|_| self.ask(nameless_hello, Depth::Flight, "the client's hello without a server name"));
        let rsa = if quiet {
            self.other_protocols(!matches!(own.attempt.ending, Ending::TimedOut { .. }));
            None
        } else {
            self.ask(controls::tls10(name), Depth::Flight, "everything that TLS 1.0 offers");
            self.ask(controls::tls11_without_signature(name), Depth::Flight, "TLS 1.1 with a key exchange that is not signed")
        };
        if self.case.is_waiting() {
            return None;
        }
        if let Some(nameless) = nameless
            && nameless.chose()
        {
            return self.name_refused(own, Some(nameless));
        }
        if quiet && name.is_some() && !self.case.no_path_between() {
            // A server may insist on a name, though not on this one.
            let neutral = self.hello().with_server_name(Some(controls::NEUTRAL_NAME));
            let neutral = self.ask(neutral, Depth::Flight, "the client's hello with another server name");
            if self.case.is_waiting() {
                return None;
            }
            if let Some(neutral) = neutral.filter(|seen| seen.chose()) {
                return self.name_refused(own, Some(neutral));
            }
        }
        if quiet && let Some(found) = self.speaks_another_protocol(own) {
            return found;
        }
        // The alert to a hello without the name says nothing of the name.
        let refuses_name = |seen: &&Seen<'_>| {
            seen.alert() == Some(AlertDescription::UNRECOGNIZED_NAME)
                && seen.hello().is_some_and(|hello| hello.server_name() == name)
        };
        if let Some(refusing) = self.case.all().find(refuses_name) {
            return self.name_refused_in_so_many_words(refusing);
        }
        if let Some(short) = short
            && short.chose()
        {
            return self.only_short_works(own, short);
        }
        // Nothing has been said to a hello: if something between is why, further hellos would say no more.
        if quiet {
            match self.ask_the_way(own, &self.plain_request().opening, None, &Minds::Everything) {
                Way::Asked => return None,
                Way::Stops => return self.end(),
                Way::IsOpen | Way::Unknown(_) => {}
            }
        }
        // Short answers come, and none to the client's own hello: it may be the length of the answer that keeps it from coming.
        if !quiet
            && matches!(own.attempt.ending, Ending::TimedOut { .. })
            && let Some(answered) = self.answered_by_an_alert()
        {
            match self.ask_the_way(own, &answered.attempt.probe.opening, None, &Minds::Much) {
                Way::Asked => return None,
                Way::Stops => return self.end(),
                Way::IsOpen | Way::Unknown(_) => {}
            }
        }
        let found = |teller: &Self| !teller.server().accepted_versions().is_empty();
        if !found(self) && rsa.is_none_or(|seen| !seen.chose()) {
            self.ask(controls::ssl3(), Depth::Flight, "SSL 3.0");
            self.ask(controls::ssl2(), Depth::Flight, "SSL 2.0");
            // Whoever ends it at once is asked one after the other: what is found spares the rest.
            let at_once = quiet && matches!(own.attempt.ending, Ending::Closed { .. } | Ending::Reset { .. });
            if at_once && self.case.is_waiting() {
                return None;
            }
            if !at_once || !found(self) {
                let last = if quiet { controls::tls10(name) } else { controls::tls12_unusual(name) };
                self.ask(last, Depth::Flight, "what the other hellos left out");
            }
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

    /// A control that got an alert.
    fn answered_by_an_alert(&self) -> Option<&'c Seen<'e>> {
        let name = self.name();
        let name = name.as_deref();
        let asked = [controls::tls11(name), controls::tls12(name), controls::tls13(name)].into_iter();
        let mut seen = asked.filter_map(|hello| self.case.find(&self.case.hello_probe(hello, None, Depth::Flight)));
        seen.find(|seen| seen.alert().is_some())
    }

    /// The control with every usual suite fails, and the one with the unusual suites works: they differ in nothing else.
    pub(super) fn only_unusual_suites(&mut self) -> Option<Option<()>> {
        let name = self.name();
        let ask =
            |hello: HelloSpec| self.case.find(&self.case.hello_probe(hello, self.story.upgrade.as_deref(), Depth::Flight));
        let unusual = ask(controls::tls12_unusual(name.as_deref())).filter(|seen| seen.chose())?;
        let usual = ask(controls::tls12(name.as_deref()))?;
        let (version, fails, works) = (unusual.version()?, usual.id(), unusual.id());
        // In a version that the client does not have, its suites are not what it fails for.
        if !self.client().versions.contains(&version) {
            return None;
        }
        let fault = self.push(FaultKind::Negotiation(Obstacle::Suites { version }), Confidence::Confirmed, Some(fails));
        fault.works = Some(works);
        fault.differs_in = vec![Knob::Suites.field()];
        // What follows in a suite without a certificate or without encryption says nothing about the suites to come.
        Some(self.end())
    }

    /// The alert itself says that the name is not known. Does the server go on without one?
    pub(super) fn name_refused_in_so_many_words(&mut self, refusing: &'c Seen<'e>) -> Option<()> {
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
    pub(super) fn only_short_works(&mut self, own: &'c Seen<'e>, short: &'c Seen<'e>) -> Option<()> {
        let name = self.name();
        let hello = controls::short_tls12(name.as_deref());
        let (works, fails) = (hello.message_length(), self.hello().message_length());
        if works < fails {
            let padded = hello.clone().with_pad_to(u16::try_from(fails).ok());
            let padded = self.ask(padded, Depth::Flight, "the short hello, as long as the client's")?;
            if !padded.chose() {
                let at = self.story.faults.len();
                self.size_fault(at, FaultKind::SizeIntolerant { fails, works, split: false }, padded, short)?;
                let seen = self.ask(hello.clone(), Depth::Finish, "the short hello, to its end")?;
                self.story.furthest = Some(seen.id());
                return if seen.chose() { self.accept(seen, &hello) } else { self.end() };
            }
        }
        self.negotiate(own)
    }

    /// Two hellos that differ in their length or their cut, one fails and one works; `kind` is what that is where it is the server's. `None`
    /// where it is not known whose it is.
    pub(super) fn size_fault(
        &mut self,
        at: usize,
        kind: FaultKind,
        failing: &'c Seen<'e>,
        working: &'c Seen<'e>,
    ) -> Option<()> {
        let FaultKind::SizeIntolerant { fails, works, split } = kind else { return None };
        let mut confidence = Confidence::Confirmed;
        if failing.alert().is_none() && !self.case.no_path_between() {
            let minds = Minds::Size { at, fails, works };
            match self.ask_the_way(failing, &working.attempt.probe.opening, Some(working.id()), &minds) {
                Way::Asked => return None,
                Way::Stops => return Some(()),
                Way::IsOpen => confidence = Confidence::Inferred,
                Way::Unknown(remark) => {
                    self.open(
                        format!("Is it the server that cannot take a hello of this length, or something between{remark}?"),
                        &["server-size-intolerant", "path-size-intolerance"],
                        "try from the server's own network",
                    );
                    return self.end();
                }
            }
        }
        let kind = FaultKind::SizeIntolerant { fails, works, split };
        let fault = self.insert(at, kind, confidence, Some(failing.id()));
        fault.works = Some(working.id());
        fault.differs_in = vec!["length of the ClientHello"];
        Some(())
    }

    /// Questions to a port that stays mute: does it speak something else? With what does, the story begins anew: so they go to the
    /// end, as the client's own hello does.
    pub(super) fn other_protocols(&self, ended: bool) {
        self.case.ask(&self.plain_request(), "a plain HTTP request");
        for upgrade in MUTE_UPGRADES {
            let probe = self.case.hello_probe(self.hello(), Some(upgrade), Depth::Finish);
            self.case.ask(&probe, "STARTTLS in a protocol whose server does not speak first");
        }
        // Who waits for a header ends the connection at the first byte that cannot be one.
        if ended {
            self.case.ask(&self.behind_a_header(), "the client's hello behind a header of the PROXY protocol");
        }
    }

    fn behind_a_header(&self) -> Probe {
        self.case.hello_probe(self.hello(), Some(PROXY_HEADER.name), Depth::Finish)
    }

    pub(super) fn plain_request(&self) -> Probe {
        // Without a Host line, which Redis takes for an attack; its first line alone gets an answer of most line protocols.
        let request = "GET / HTTP/1.0\r\n\r\n".to_owned();
        self.case.probe(Opening::Plain { request: Bytes(request.into_bytes()) }, None, Depth::Flight)
    }

    /// `Some` if it does (and the story went on from there).
    pub(super) fn speaks_another_protocol(&mut self, own: &'c Seen<'e>) -> Option<Option<()>> {
        for upgrade in MUTE_UPGRADES {
            let probe = self.case.hello_probe(self.hello(), Some(upgrade), Depth::Finish);
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
                return Some(self.begin());
            }
            if let Ending::UpgradeRefused { reason } = &seen.attempt.ending
                && seen.attempt.dialogue.iter().any(|turn| turn.from == Speaker::Server)
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
        if let Some(seen) = self.case.find(&self.behind_a_header())
            && (seen.chose() || seen.alert().is_some())
        {
            let (own, works) = (self.story.own, seen.id());
            let fault = self.push(FaultKind::ProxyHeader, Confidence::Confirmed, own);
            fault.works = Some(works);
            fault.differs_in = vec!["PROXY header"];
            self.story.upgrade = Some(PROXY_HEADER.name.to_owned());
            return Some(self.begin());
        }
        // What wants TLS answers whatever is not with its own kind of error; only the plain request is told why.
        if self.case.find(&self.plain_request()).is_some_and(|plain| tls_wanted::says_so(&plain.attempt.received)) {
            return None;
        }
        let otherwise =
            [(self.plain_request(), "plain request instead of a ClientHello"), (self.behind_a_header(), "PROXY header")];
        for (probe, differs_in) in otherwise {
            let Some(seen) = self.case.find(&probe) else { continue };
            let Ending::NotTls { protocol, detail, .. } = &seen.attempt.ending else { continue };
            let kind = FaultKind::NotTls { protocol: protocol.clone(), detail: detail.clone(), declined: false };
            // Plain text that comes through where a hello does not may be the doing of the way.
            match self.ask_the_way(own, &self.plain_request().opening, None, &Minds::Everything) {
                Way::Asked => return Some(None),
                Way::Stops => return Some(self.end()),
                Way::IsOpen | Way::Unknown(_) => {}
            }
            let (own, works) = (self.story.own, seen.id());
            let fault = self.push(kind, Confidence::Confirmed, own);
            fault.works = Some(works);
            fault.differs_in = vec![differs_in];
            return Some(self.end());
        }
        None
    }

    /// The protocol in which the server declined an upgrade, if its own words show that it speaks it.
    pub(super) fn recognised(&self, seen: &Seen<'_>) -> Option<String> {
        let said = seen.attempt.dialogue.iter().find(|turn| turn.from == Speaker::Server)?;
        // PostgreSQL declines with the one letter N.
        if seen.attempt.probe.upgrade.as_deref() == Some("postgres") && said.bytes.0 == b"N" {
            return Some("postgresql".to_owned());
        }
        tlswhy_wire::other::recognise(&said.bytes).map(|other| other.name.to_owned())
    }

    /// The name is refused; without it the handshake begins.
    pub(super) fn name_refused(&mut self, named: &'c Seen<'e>, nameless: Option<&'c Seen<'e>>) -> Option<()> {
        let refused = self.name();
        if named.alert().is_none() && !self.case.no_path_between() {
            // A close, a reset or silence that depends on the name may be the server's or a filter's on the way.
            let known = nameless.zip(refused.clone());
            let way = known.map(|(other, name)| {
                self.ask_the_way(named, &other.attempt.probe.opening, Some(other.id()), &Minds::Name(name))
            });
            let remark = match way {
                Some(Way::Asked) => return None,
                Some(Way::Stops) => return self.end(),
                Some(Way::Unknown(remark)) => remark,
                Some(Way::IsOpen) | None => String::new(),
            };
            self.open(
                format!("Is it the server that drops this name, or something between{remark}?"),
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
    pub(super) fn refused_altogether(&mut self, own: &'c Seen<'e>, silent: bool) -> Option<()> {
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
                &[
                    "cipher-certificate-mismatch",
                    "certificate-key-mismatch",
                    "no-shared-cipher",
                    "no-shared-group",
                    "no-shared-signature-algorithm",
                ],
                "look at the server's cipher list and at the kind of key in its certificate: openssl x509 -in CERT -noout -text | grep 'Public Key Algorithm'",
            );
            return self.end();
        }
        let mut remark = String::new();
        if silent {
            // It was asked before.
            if let Way::Unknown(seen) = self.ask_the_way(own, &self.plain_request().opening, None, &Minds::Everything) {
                remark = seen;
            }
        }
        let endings: std::collections::BTreeSet<String> = self.case.all().map(Seen::kind_of_ending).collect();
        let endings: Vec<String> = endings.into_iter().take(4).collect();
        let (decides, how): (&[&str], &str) = match (silent, self.case.no_path_between()) {
            (true, false) => (
                &["path-blocks-handshake", "not-tls", "server-version-intolerant"],
                "try from the server's own network; see whether the service behind the port runs and what it logs",
            ),
            (true, true) => (&["not-tls"], "see which program listens there (ss -ltnp) and what it logs"),
            _ if self.case.all().any(Seen::began_to_answer) => (
                &["path-blocks-handshake"],
                "an answer begins and breaks off: ask from the server's own network, and read its log for a process that dies in the handshake",
            ),
            (false, _) => (
                &[
                    "cipher-certificate-mismatch",
                    "certificate-key-mismatch",
                    "no-shared-cipher",
                    "no-shared-group",
                    "no-shared-signature-algorithm",
                    "weak-dh-params",
                    "server-version-outdated",
                    "sni-unrecognized",
                ],
                "read the server's log of these attempts (nginx logs handshake failures at level info); see whether its certificate and key are loaded and belong together",
            ),
        };
        self.open(format!("Why does the server refuse every hello? Seen: {}{remark}", endings.join("; ")), decides, how);
        self.end()
    }
}
