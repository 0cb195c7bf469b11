//! Somebody else's connection, watched: nothing can be asked. What the exchange itself shows is told, contrasts are taken from other
//! connections to the same server, and what would settle the rest is left as a question.
//!
//! An alert alone proves no cause. Those that say one thing only (the name, the application protocol) are believed; others are read
//! together with what the server was seen to take from others. Where there is nothing to read them with, what their definition names
//! is suspected, and its rivals stay open.

use tlswhy_model::{Awaited, Confidence, Ending, Party};
use tlswhy_wire::{AlertDescription, Authentication, CipherSuite, NamedGroup, ProtocolVersion};

use super::acceptance::breach;
use super::{FaultKind, Teller};
use crate::case::Seen;
use crate::knowledge::alerts;
use crate::negotiate::{ClientCapabilities, Obstacle, ServerCapabilities, differing_fields, is_current, objections};

/// Alerts by which a client refuses the server's certificate (RFC 8446 §6.2), and the causes that each may have; those that name
/// one are in [`alerts`].
const CLIENT_OBJECTIONS: &[(AlertDescription, &[&str])] = &[
    (AlertDescription::UNSUPPORTED_CERTIFICATE, &["certificate-unsuitable", "weak-key-or-digest"]),
    (AlertDescription::BAD_CERTIFICATE, ANY_OBJECTION),
    (AlertDescription::CERTIFICATE_UNKNOWN, ANY_OBJECTION),
];

/// Every cause for which a client refuses a certificate.
const ANY_OBJECTION: &[&str] = &[
    "untrusted-root",
    "chain-incomplete",
    "hostname-mismatch",
    "certificate-expired",
    "certificate-not-yet-valid",
    "certificate-unsuitable",
    "chain-misordered",
    "weak-key-or-digest",
    "certificate-revoked",
    "path-tls-inspection",
];

/// What may lie behind an end without a word.
const SILENT_ENDS: &[&str] = &[
    "path-blocks-handshake",
    "path-sni-filtering",
    "path-size-intolerance",
    "server-version-intolerant",
    "server-size-intolerant",
    "sni-unrecognized",
];

/// What may lie behind a reset that something between sent.
const FORGED_ENDS: &[&str] = &["path-blocks-handshake", "path-sni-filtering", "path-size-intolerance"];

/// What may lie behind `handshake_failure` in answer to a hello.
const REFUSALS: &[&str] = &[
    "no-shared-cipher",
    "cipher-certificate-mismatch",
    "no-shared-group",
    "no-shared-signature-algorithm",
    "client-version-outdated",
    "sni-unrecognized",
    "certificate-key-mismatch",
];

impl<'c, 'e> Teller<'c, 'e> {
    /// The connection that is judged is the first attempt.
    pub(super) fn watched(&mut self) -> Option<()> {
        let own = self.case.all().next()?;
        self.story.own = Some(own.id());
        self.story.furthest = Some(own.id());
        let id = Some(own.id());
        match &own.attempt.ending {
            Ending::Refused => {
                self.push(FaultKind::PortClosed, Confidence::Observed, id);
            }
            Ending::ConnectTimedOut { .. } | Ending::Unreachable { .. } => {
                self.push(FaultKind::ConnectTimeout, Confidence::Observed, id);
            }
            Ending::TunnelRefused { reason } => self.open(
                format!("Does the proxy let this connection pass? It said: {reason}"),
                &[],
                "ask its owner, or try without it",
            ),
            Ending::UpgradeRefused { reason } => {
                let kind = FaultKind::NotTls { protocol: self.story.upgrade.clone(), detail: reason.clone(), declined: true };
                self.push(kind, Confidence::Observed, id);
            }
            Ending::NotTls { upgrade: Some(upgrade), .. } if self.story.upgrade.is_none() => {
                self.push(FaultKind::StarttlsRequired { upgrade: upgrade.clone() }, Confidence::Observed, id);
            }
            Ending::NotTls { protocol, detail, .. } => {
                let kind = FaultKind::NotTls { protocol: protocol.clone(), detail: detail.clone(), declined: false };
                self.push(kind, Confidence::Observed, id);
            }
            Ending::ByClient { description, .. } if own.server_hello().is_some() => {
                self.refused_by_the_client(own, *description)
            }
            _ if own.server_hello().is_some() => self.stopped_after_the_choice(own),
            _ => self.refused_hello(own),
        }
        self.end()
    }

    /// The server did not choose.
    fn refused_hello(&mut self, own: &'c Seen<'e>) {
        if self.worked_with_the_same_hello(own) || self.one_thing_differs(own) {
            return;
        }
        match own.alert() {
            Some(AlertDescription::UNRECOGNIZED_NAME) => {
                let kind = FaultKind::SniUnrecognized { name: self.name() };
                self.push(kind, Confidence::Observed, Some(own.id()));
            }
            Some(AlertDescription::NO_APPLICATION_PROTOCOL) if !self.client().alpn.is_empty() => {
                self.push(FaultKind::Negotiation(Obstacle::Alpn), Confidence::Observed, Some(own.id()));
            }
            Some(AlertDescription::PROTOCOL_VERSION) => self.no_version_word(own),
            Some(AlertDescription::HANDSHAKE_FAILURE | AlertDescription::INSUFFICIENT_SECURITY) => self.failure_word(own),
            Some(_) => self.open_end(own, REFUSALS),
            None => self.open_end(own, silent_ends(own)),
        }
    }

    /// Another time the same hello was answered.
    fn worked_with_the_same_hello(&mut self, own: &Seen<'_>) -> bool {
        let same = |seen: &&Seen<'_>| {
            seen.chose()
                && seen.hello().zip(own.hello()).is_some_and(|(works, fails)| differing_fields(works, fails).is_empty())
        };
        let Some(works) = self.others(own).find(same) else { return false };
        let (ending, works) = (own.ending(), works.id());
        self.story.inconsistent = true;
        self.open(
            format!(
                "Why do the answers to the same hello differ? This time: {ending}; in attempt {works} the server chose{}",
                remarks(own)
            ),
            silent_ends(own),
            "unlike servers behind one address, one of them overloaded, or something between that is not always there: capture at both ends",
        );
        true
    }

    /// Another connection to this server worked, and its hello differs in one thing alone: that is the contrast.
    fn one_thing_differs(&mut self, own: &Seen<'_>) -> bool {
        let contrast = self.others(own).filter(|seen| seen.chose()).find_map(|works| {
            let fields = differing_fields(own.hello()?, works.hello()?);
            let [field] = fields.as_slice() else { return None };
            Some((works.id(), works.version()?, *field))
        });
        let Some((works, version, field)) = contrast else { return false };
        // Without a word it may be something between that minds.
        if own.alert().is_none() {
            let how = "capture at the server as well, or compare a close with what its log says of that moment";
            self.open(
                format!(
                    "Is it the server that minds {field}, or something between? {}; in attempt {works}, which differs in nothing else, the server chose{}",
                    own.ending(),
                    remarks(own)
                ),
                silent_ends(own),
                how,
            );
            return true;
        }
        let kind = match field {
            "cipher_suites" => FaultKind::Negotiation(Obstacle::Suites { version }),
            "supported_groups" => FaultKind::Negotiation(Obstacle::Groups { version }),
            "signature_algorithms" => FaultKind::Negotiation(Obstacle::Schemes { version }),
            "application_layer_protocol_negotiation" => FaultKind::Negotiation(Obstacle::Alpn),
            "server_name" => FaultKind::SniUnrecognized { name: self.name() },
            _ => return false,
        };
        let fault = self.push(kind, Confidence::Confirmed, Some(own.id()));
        fault.works = Some(works);
        fault.differs_in = vec![field];
        true
    }

    /// The server says that no version fits.
    fn no_version_word(&mut self, own: &Seen<'_>) {
        let (client, accepted) = (self.client(), self.server().accepted_versions());
        if !accepted.is_empty() && !client.versions.iter().any(|version| accepted.contains(version)) {
            // It takes others' versions, and none that this client has.
            let works = self.others(own).find(|seen| seen.chose()).map(Seen::id);
            let obstacle = Obstacle::Versions { client: client.versions, server: accepted };
            let fault = self.push(FaultKind::Negotiation(obstacle), Confidence::Inferred, Some(own.id()));
            fault.works = works;
            return;
        }
        let word = alerts::word(Party::Server, AlertDescription::PROTOCOL_VERSION, &client.versions);
        let unknown: &[&str] = &["server-version-intolerant", "version-ranges-disjoint", "server-version-outdated"];
        let decides = word.map_or(unknown, |word| word.decides);
        self.suspect(own, word);
        let versions: Vec<String> = client.versions.iter().map(ToString::to_string).collect();
        self.open(
            format!("Which versions does the server take? To {} it answers {}", versions.join(", "), own.ending()),
            decides,
            format!("`tlswhy {}` asks it", self.target()),
        );
    }

    /// What an alert names by its definition; what else it may mean stays open.
    fn suspect(&mut self, own: &Seen<'_>, word: Option<&'static alerts::Word>) {
        if let Some(word) = word {
            self.push(FaultKind::Told(word), Confidence::Suspected, Some(own.id()));
        }
    }

    /// The server says that something fits not, and not what.
    fn failure_word(&mut self, own: &Seen<'_>) {
        let (client, server) = (self.client(), self.server());
        let version = client.versions.iter().copied().find(|version| server.accepted_versions().contains(version));
        let offered = client.suites_at(version.or(client.versions.first().copied()).unwrap_or(ProtocolVersion::TLSV1_2));
        let suspect = match version {
            Some(version) => {
                let taken = server.accepted_suites(version);
                let groups = server.accepted_groups(version);
                let shares_a_group = client.groups.is_empty() || groups.iter().any(|group| client.groups.contains(group));
                if !offered.iter().any(|suite| taken.contains(suite)) {
                    Some(Obstacle::Suites { version })
                } else if !groups.is_empty() && !shares_a_group {
                    Some(Obstacle::Groups { version })
                } else {
                    None
                }
            }
            // Nobody was seen to get through: a client that has nothing that servers take today is suspect all the same.
            None => match client.versions.first() {
                Some(version) if !offered.is_empty() && !offered.iter().any(|suite| is_usable(*suite)) => {
                    Some(Obstacle::Suites { version: *version })
                }
                _ => None,
            },
        };
        if let Some(obstacle) = suspect {
            let works = self.others(own).find(|seen| seen.chose()).map(Seen::id);
            let fault = self.push(FaultKind::Negotiation(obstacle), Confidence::Suspected, Some(own.id()));
            fault.works = works;
        } else if own.hello().is_some_and(|hello| hello.server_name().is_none()) && has_what_servers_want(&client) {
            // Content delivery networks refuse so whoever does not say whom it wants.
            self.push(FaultKind::SniUnrecognized { name: None }, Confidence::Suspected, Some(own.id()));
        }
        self.open_end(own, REFUSALS);
    }

    /// The client refuses what the server chose or showed.
    fn refused_by_the_client(&mut self, own: &'c Seen<'e>, alert: Option<AlertDescription>) {
        let (Some(answer), Some(hello)) = (own.server_hello(), own.hello()) else { return };
        let (version, suite) = (answer.selected_version.value, answer.cipher_suite.value);
        if let Some(breach) = breach(own, hello) {
            self.open(
                format!("What answers there? Its ServerHello breaks the protocol: {breach}"),
                &[],
                "every client ends the handshake on that; look at what runs behind the port, or at what stands before it",
            );
            return;
        }
        let client = self.client();
        if alert == Some(AlertDescription::PROTOCOL_VERSION) {
            // Without supported_versions a hello does not say where its range begins; this alert does.
            let higher: Vec<ProtocolVersion> = client.versions.iter().copied().filter(|offered| *offered > version).collect();
            let obstacle = Obstacle::Versions { client: higher, server: vec![version] };
            self.push(FaultKind::Negotiation(obstacle), Confidence::Observed, Some(own.id()));
            return;
        }
        if answer.downgrade_sentinel().is_some() && client.versions.iter().any(|higher| *higher > version) {
            self.open(
                format!("Who lowered the version to {version}? The server marked its answer as a downgrade (RFC 8446 §4.1.3)"),
                &["path-downgrades"],
                "capture at the server as well, and compare the ClientHello there with the one here",
            );
            return;
        }
        let chosen = ServerCapabilities::of(std::iter::once(own));
        for obstacle in objections(&client, &chosen, version, suite) {
            self.push(FaultKind::Negotiation(obstacle), Confidence::Observed, Some(own.id()));
        }
        self.chosen_without_being_offered(own, &client, version);
        if !self.story.faults.is_empty() {
            return;
        }
        let word = alert.and_then(|alert| alerts::word(Party::Client, alert, &client.versions));
        let decides = match alert {
            Some(alert) => word
                .map(|word| word.decides)
                .or_else(|| CLIENT_OBJECTIONS.iter().find(|(known, _)| *known == alert).map(|(_, decides)| *decides)),
            None => Some(ANY_OBJECTION),
        };
        let Some(decides) = decides else {
            let dh = chosen.dh_bits.map(|bits| format!("; its Diffie-Hellman prime has {bits} bits")).unwrap_or_default();
            self.open(
                format!("What did the client object to? {}{dh}", own.ending()),
                &["weak-dh-params", "legacy-renegotiation", "server-version-outdated", "no-shared-signature-algorithm"],
                "read what the client itself says; its TLS library names the reason",
            );
            return;
        };
        if own.certificates().is_none() {
            self.suspect(own, word);
            let encrypted = version >= ProtocolVersion::TLSV1_3;
            let why = if encrypted { "; in TLS 1.3 the certificates are encrypted, and were not seen" } else { "" };
            self.open(
                format!("What did the client object to? {}{why}{}", own.ending(), remarks(own)),
                decides,
                format!(
                    "`tlswhy cert {}` shows what the server sends now; the client's own message names the reason",
                    self.target()
                ),
            );
            return;
        }
        // Waits for nothing: no address that a certificate names may be asked.
        self.judge_certificates(own, hello);
        let objected =
            self.story.faults.iter().any(|fault| matches!(fault.kind, FaultKind::Certificate(_) | FaultKind::KeyMismatch));
        if !objected && self.story.open.is_empty() {
            self.suspect(own, word);
            self.open(
                format!("What did the client object to? {}; with Mozilla's trust store, or the one given, nothing is wrong with the certificates", own.ending()),
                decides,
                "the client's own trust store is not known: name it with --ca; the client's own message names the reason",
            );
        }
    }

    /// The server, or something in its name, ended it behind its ServerHello.
    fn stopped_after_the_choice(&mut self, own: &'c Seen<'e>) {
        let awaited = own.awaited();
        match &own.attempt.ending {
            Ending::Completed | Ending::Answered | Ending::NotCarriedFurther { .. } => {}
            Ending::Alert { awaited, .. } | Ending::Closed { awaited } | Ending::Reset { awaited }
                if *awaited >= Awaited::ServerFinished && own.certificate_request().is_some() =>
            {
                self.ended_for_want_of_a_certificate(own, *awaited);
            }
            Ending::Alert { .. } | Ending::Closed { .. } | Ending::Reset { .. } if awaited >= Some(Awaited::AfterFinished) => {
                self.open(
                    format!("Does the server want a client certificate, or another one? {}{}", own.ending(), remarks(own)),
                    &["client-certificate-required"],
                    format!("in TLS 1.3 the request for it is encrypted, and was not seen: `tlswhy {}` can; the server's log names the reason", self.target()),
                );
            }
            _ => self.open(
                format!("Why did the handshake stop after the server's choice? {}{}", own.ending(), remarks(own)),
                &["path-blocks-handshake", "path-size-intolerance"],
                "read the server's log of this moment; capture at the server as well and compare what left with what arrived",
            ),
        }
    }

    fn open_end(&mut self, own: &Seen<'_>, decides: &[&str]) {
        let how =
            format!("`tlswhy {}` asks the server, from where the client is; capture at the server as well", self.target());
        self.open(format!("Why did the handshake end? {}{}", own.ending(), remarks(own)), decides, how);
    }

    /// Other connections to the same server, under the same upgrade.
    fn others(&self, own: &Seen<'_>) -> impl Iterator<Item = &'c Seen<'e>> {
        let (id, upgrade) = (own.id(), own.attempt.probe.upgrade.clone());
        self.case.all().filter(move |seen| seen.id() != id && seen.attempt.probe.upgrade == upgrade)
    }

    fn target(&self) -> &'c str {
        &self.case.evidence.subject.target
    }
}

/// What may lie behind this end without a word.
fn silent_ends(seen: &Seen<'_>) -> &'static [&'static str] {
    if seen.attempt.forged_reset.is_empty() { SILENT_ENDS } else { FORGED_ENDS }
}

/// What the packets tell besides, to follow a clause.
fn remarks(seen: &Seen<'_>) -> String {
    let forged = match seen.attempt.forged_reset.as_slice() {
        [] => None,
        signs => Some(format!("; the reset did not come from the host in whose name it was sent: {}", signs.join(", "))),
    };
    forged.into_iter().chain(seen.attempt.remarks.iter().map(|remark| format!("; {remark}"))).collect()
}

/// Whether a client has all that a server of today may ask for, with a certificate of either kind.
fn has_what_servers_want(client: &ClientCapabilities) -> bool {
    let offers = |authentication| {
        client
            .suites
            .iter()
            .any(|suite| is_current(*suite) && suite.details().is_some_and(|row| row.authentication == authentication))
    };
    let usual = [NamedGroup::X25519, NamedGroup::SECP256R1];
    client.versions.contains(&ProtocolVersion::TLSV1_2)
        && offers(Authentication::Rsa)
        && offers(Authentication::Ecdsa)
        && usual.iter().any(|group| client.groups.contains(group))
}

/// Whether a server of today may still take it.
fn is_usable(suite: CipherSuite) -> bool {
    is_current(suite) || suite.details().is_none_or(|row| row.strength_bits() >= 112)
}
