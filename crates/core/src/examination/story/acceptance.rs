//! The server has chosen: would the client accept it, and does the handshake end well?

use tlswhy_model::{Awaited, Confidence, Depth, Ending};
use tlswhy_wire::{AlertDescription, ExtensionType, HelloSpec, Message, ProtocolVersion};

use super::{Fault, FaultKind, Teller, for_http};
use crate::case::Seen;
use crate::knowledge::{controls, refusals};
use crate::negotiate::{self, ClientCapabilities, Obstacle, ServerCapabilities, VERSIONS, signature_scheme};

/// Alerts by which a server refuses a client for its certificate, or for want of one (RFC 8446 §6.2, RFC 5246 §7.2.2).
const OBJECTIONS: &[AlertDescription] = &[
    AlertDescription::CERTIFICATE_REQUIRED,
    AlertDescription::HANDSHAKE_FAILURE,
    AlertDescription::BAD_CERTIFICATE,
    AlertDescription::CERTIFICATE_UNKNOWN,
    AlertDescription::UNKNOWN_CA,
    AlertDescription::ACCESS_DENIED,
];

impl<'c, 'e> Teller<'c, 'e> {
    pub(super) fn accept(&mut self, seen: &'c Seen<'e>, hello: &HelloSpec) -> Option<()> {
        let Some(answer) = seen.server_hello() else {
            return self.end();
        };
        let (version, suite) = (answer.selected_version.value, answer.cipher_suite.value);
        if let Some(breach) = breach(seen, hello) {
            self.open(
                format!("What answers there? Its ServerHello breaks the protocol: {breach}"),
                &[],
                "every client ends the handshake on that; look at what runs behind the port, or at what stands before it",
            );
            return self.end();
        }
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
        let lowered = sentinel.is_some() && hello.offered_versions().iter().any(|offered| *offered > version);
        let told = self.has(|kind| matches!(kind, FaultKind::Downgraded(_)));
        if lowered && !told && !self.case.no_path_between() {
            self.changed_on_the_way(seen, hello, version, true)?;
        } else if lowered && !told && policy.checks_downgrade_sentinel == Some(true) {
            self.open(
                format!("Who lowered the version to {version}? The server marked its answer as a downgrade (RFC 8446 §4.1.3), and the client ends the handshake on that mark"),
                &["path-downgrades"],
                "try from the server's own network, without proxies and inspection devices",
            );
        }
        let chosen = ServerCapabilities::of(std::iter::once(seen));
        for obstacle in negotiate::objections(&client, &chosen, version, suite) {
            match obstacle {
                // Already told as the version that the client does not have.
                Obstacle::LegacySignature { .. } if !client.versions.contains(&version) => {}
                Obstacle::ExtendedMasterSecret => {
                    self.push(FaultKind::Negotiation(obstacle), Confidence::Suspected, id);
                    self.open(
                        "Can the server's TLS library not do extended_master_secret (RFC 7627), or does a setting keep it from that?",
                        &["server-software-outdated"],
                        "find out which TLS library the server uses (OpenSSL has it since 1.1.0); --server-config with --run-programs tells it",
                    );
                }
                obstacle => {
                    self.push(FaultKind::Negotiation(obstacle), Confidence::Observed, id);
                }
            }
        }
        // A hello that was widened may rightly be answered with what was added.
        if version <= ProtocolVersion::TLSV1_2 || self.story.own == Some(seen.id()) {
            self.chosen_without_being_offered(seen, &client, version);
        }
        self.after_the_choice(seen, hello, version)
    }

    /// A group or a signature scheme that the client did not offer: it ends the handshake itself.
    pub(super) fn chosen_without_being_offered(
        &mut self,
        seen: &'c Seen<'e>,
        client: &ClientCapabilities,
        version: ProtocolVersion,
    ) {
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

    pub(super) fn after_the_choice(&mut self, seen: &'c Seen<'e>, hello: &HelloSpec, version: ProtocolVersion) -> Option<()> {
        self.judge_certificates(seen, hello)?;
        let asked_for_certificate = seen.certificate_request().is_some();
        let own = seen;
        let shows = asked_for_certificate && self.case.evidence.identity.is_some();
        let seen = if shows { self.with_identity(hello, Depth::Finish)? } else { seen };
        match &seen.attempt.ending {
            Ending::Alert { awaited, .. } | Ending::Closed { awaited } | Ending::Reset { awaited }
                if *awaited >= Awaited::ServerFinished =>
            {
                if asked_for_certificate {
                    self.ended_for_want_of_a_certificate(seen, *awaited);
                } else if self.disagrees(seen, hello, version)? {
                    // Told.
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
                    if self.case.no_path_between() { &[] } else { &["path-blocks-handshake", "path-size-intolerance"] },
                    "read the server's log of this moment; try from the server's own network",
                );
            }
            Ending::Completed if asked_for_certificate && self.story.upgrade.is_none() => {
                let hello = for_http(hello);
                let request = if shows {
                    self.with_identity(&hello, Depth::Request)?
                } else {
                    let purpose = "one small request, for some servers refuse a missing client certificate in HTTP";
                    self.ask(hello, Depth::Request, purpose)?
                };
                if let Some(refusal) = request.attempt.application.as_deref().and_then(refusals::find) {
                    let kind = FaultKind::ClientCertificate { http: Some(refusal.product), refused: self.refused(request) };
                    self.push(kind, Confidence::Observed, Some(request.id()));
                } else if request.alert().is_some_and(|alert| OBJECTIONS.contains(&alert))
                    && request.awaited() >= Some(Awaited::AfterFinished)
                {
                    let kind = FaultKind::ClientCertificate { http: None, refused: self.refused(request) };
                    self.push(kind, Confidence::Observed, Some(request.id()));
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
        let seen = own;
        // A certificate is no matter of chance, but for servers that differ.
        let negotiated = |fault: &Fault| !matches!(fault.kind, FaultKind::Certificate(_) | FaultKind::KeyMismatch);
        if self.story.own == Some(seen.id())
            && self.story.faults.iter().any(|fault| fault.blocks && fault.fails == Some(seen.id()) && negotiated(fault))
        {
            let again = self.repeat(self.hello(), 1)?;
            if again.version() != seen.version() || again.chose() != seen.chose() || again.alert() != seen.alert() {
                self.story.faults.retain(|fault| fault.fails != Some(seen.id()));
                return self.inconsistent(seen);
            }
        }
        if self.story.own == Some(seen.id()) && version >= ProtocolVersion::TLSV1_2 && self.older_answer_to_12() {
            // Another version than the client's hello got, where a single server would have given the same.
            let more = [self.repeat(self.hello(), 1), self.repeat(self.hello(), 2)];
            if self.case.is_waiting() {
                return None;
            }
            if more.into_iter().flatten().any(|again| again.version() != seen.version()) {
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

    /// The server could not read our Finished, or it was not what the server had seen: something changed the handshake on the way.
    /// `None` while something is asked for.
    fn disagrees(&mut self, seen: &'c Seen<'e>, hello: &HelloSpec, version: ProtocolVersion) -> Option<bool> {
        let transcripts_differ = [AlertDescription::BAD_RECORD_MAC, AlertDescription::DECRYPT_ERROR];
        if self.has(|kind| matches!(kind, FaultKind::Downgraded(_))) {
            return Some(true);
        }
        let differs = seen.alert().is_some_and(|alert| transcripts_differ.contains(&alert));
        if !differs || self.case.no_path_between() || self.case.evidence.watched {
            return Some(false);
        }
        self.changed_on_the_way(seen, hello, version, false)
    }

    /// The server asked for a certificate, got none, and ended it: is that why?
    pub(super) fn ended_for_want_of_a_certificate(&mut self, seen: &Seen<'_>, awaited: Awaited) {
        let goodbye = seen.alert() == Some(AlertDescription::CLOSE_NOTIFY);
        let objected = seen.alert().is_some() && !goodbye;
        let served = seen.attempt.application.as_ref().is_some_and(|answer| !answer.is_empty());
        let confidence = match (objected, awaited) {
            (true, _) => Confidence::Observed,
            (false, Awaited::ServerFinished) => Confidence::Inferred,
            // It took part in the handshake to its end, said something, and took its leave.
            _ if served => return,
            // It left without a word, as Node does for want of a certificate.
            _ => Confidence::Suspected,
        };
        if confidence == Confidence::Suspected {
            self.open(
                "Does the server hang up for want of a client certificate, or after every handshake?",
                &["client-certificate-required"],
                "connect with a certificate that it accepts: openssl s_client -cert CERT -key KEY",
            );
            // A bare close says less still: there the question is all that can be said.
            if !goodbye {
                return;
            }
        }
        self.push(FaultKind::ClientCertificate { http: None, refused: self.refused(seen) }, confidence, Some(seen.id()));
    }

    /// Whether the control for TLS 1.2 was answered with an older version.
    fn older_answer_to_12(&self) -> bool {
        let control = controls::tls12(self.story.server_name.as_deref());
        let probe = self.case.hello_probe(control, self.story.upgrade.as_deref(), Depth::Flight);
        self.case.find(&probe).and_then(Seen::version) < Some(ProtocolVersion::TLSV1_2)
            && self.case.find(&probe).is_some_and(|seen| seen.version().is_some())
    }
}

/// In what the server's choice is none that it could make (RFC 8446 §4.1.3, §4.1.4).
pub(super) fn breach(seen: &Seen<'_>, hello: &HelloSpec) -> Option<String> {
    let answer = seen.server_hello()?;
    let (version, suite) = (answer.selected_version.value, answer.cipher_suite.value);
    let offered = hello.offered_versions();
    let named = hello.extension(ExtensionType::SUPPORTED_VERSIONS).is_some();
    // Without the extension, and to a server that does not know it, every version up to legacy_version is offered.
    let possible =
        if version >= ProtocolVersion::TLSV1_3 { named && offered.contains(&version) } else { version <= hello.legacy_version };
    let is_known = version >= ProtocolVersion::TLSV1_3 || VERSIONS.contains(&version);
    if !possible || !is_known {
        return Some(format!("it chose version {version}, which was not offered"));
    }
    if !hello.cipher_suites.contains(&suite) {
        return Some(format!("it chose the suite {suite}, which was not offered"));
    }
    // Drafts, where they were offered, have rules of their own.
    if version != ProtocolVersion::TLSV1_3 {
        return None;
    }
    let retries = seen.plain.messages.iter().filter(|message| matches!(message.value, Message::HelloRetryRequest(_))).count();
    if retries > 1 {
        return Some("it asked for another hello twice".to_owned());
    }
    if !answer.is_retry() && answer.key_share().is_none_or(|(_, share)| share.is_empty()) {
        return Some("it chose TLSv1.3 and sent no key share".to_owned());
    }
    let Some(group) = answer.selected_group() else {
        return answer.cookie().is_none().then(|| "it asked for another hello and not for what".to_owned());
    };
    if !hello.groups().contains(&group) {
        return Some(format!("it chose the group {group}, which was not offered"));
    }
    let retry_alone = seen.plain.server_hello().is_none() && seen.plain.hello_retry_request().is_some();
    if retry_alone && hello.key_shares().contains(&group) {
        return Some(format!("it asked for a key share of {group}, which it had"));
    }
    let ended = !matches!(seen.attempt.ending, Ending::NotCarriedFurther { .. } | Ending::Answered);
    (retry_alone && ended).then(|| "it asked for another hello and did not go on with it".to_owned())
}
