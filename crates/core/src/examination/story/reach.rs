//! Up to the first byte of TLS: the connection, other protocols, STARTTLS.

use tlswhy_model::{Awaited, Confidence, Depth, Ending};

use super::{FaultKind, Teller};
use crate::case::Seen;
use crate::knowledge::controls;

impl<'c, 'e> Teller<'c, 'e> {
    /// The attempt with the client's own hello, once it reached something that speaks TLS. The controls for the older
    /// versions go out along with it, so that a refusal costs no further round.
    pub(super) fn reach(&mut self) -> Option<&'c Seen<'e>> {
        let mut guesses: Vec<&str> = Vec::new();
        loop {
            let name = self.name();
            let own = self.ask(self.hello(), Depth::Finish, "the client's own hello");
            let asked_12 = self.ask(controls::tls12(name.as_deref()), Depth::Flight, "everything that TLS 1.2 offers");
            let asked_11 = self.ask(controls::tls11(name.as_deref()), Depth::Flight, "everything that TLS 1.1 offers");
            self.ask_the_domain();
            let own = own?;
            if self.case.is_waiting() {
                return None;
            }
            match &own.attempt.ending {
                Ending::Refused => {
                    self.ask_for_the_barrier()?;
                    self.push(FaultKind::PortClosed, Confidence::Observed, Some(own.id()));
                    self.end()?;
                }
                Ending::ConnectTimedOut { .. } | Ending::Unreachable { .. } => {
                    self.ask_for_the_barrier()?;
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
                Ending::TimedOut { awaited: Awaited::UpgradeAnswer, .. }
                | Ending::Closed { awaited: Awaited::UpgradeAnswer }
                    if self.case.evidence.subject.upgrade.is_some() =>
                {
                    // Perhaps TLS starts at once there, and each side waits for the other to speak.
                    let probe = self.case.hello_probe(self.hello(), None, Depth::Flight);
                    if self.case.ask(&probe, "the same without STARTTLS")?.chose() {
                        return self.upgrade_refused(own, String::new()).and(None);
                    }
                    return Some(own);
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
    pub(super) fn upgrade_refused(&mut self, own: &Seen<'_>, reason: String) -> Option<()> {
        // Asked for by the user: perhaps TLS starts at once there.
        let asked_for = self.case.evidence.subject.upgrade.is_some();
        if asked_for {
            let probe = self.case.hello_probe(self.hello(), None, Depth::Flight);
            let direct = self.case.ask(&probe, "the same without STARTTLS")?;
            if direct.chose() {
                let how = "choose TLS from the first byte in the client (\"SSL/TLS\", \"implicit\") for this port, or the port of the plain protocol; for tlswhy leave --starttls out, or use the URL scheme of the implicit form (smtps://, imaps://, …)";
                let said = "Is this the port where TLS starts at once? Asked for STARTTLS in plain text it gives no proper answer, and to the same hello without that it answers with TLS";
                self.open(said, &[], how);
                return self.end();
            }
        }
        self.story.faults.retain(|fault| !matches!(fault.kind, FaultKind::StarttlsRequired { .. }));
        let kind = FaultKind::NotTls { protocol: self.story.upgrade.clone(), detail: reason, declined: true };
        self.push(kind, Confidence::Observed, Some(own.id()));
        self.end()
    }
}
