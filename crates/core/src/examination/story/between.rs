//! Does something between take part in TLS? It may end it and sign certificates of its own, or change what the two ends say.

use std::net::IpAddr;

use tlswhy_model::{Confidence, Depth, Ending, Exhibit, PathMeasurement};
use tlswhy_wire::{Fragment, HelloSpec, ProtocolVersion};

use super::{FaultKind, Teller, for_http};
use crate::case::Seen;
use crate::chain::{AlternativeName, PathEnd, Store, sha256};
use crate::examination::certificates::{Opinion, Presented};
use crate::knowledge::inspectors::{self, Answer};
use crate::path;

/// Something between that ends TLS and signs certificates of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInspection {
    /// The attempt that showed its certificate for the name asked for.
    pub shown: u32,
    /// Who signed that.
    pub issuer: String,
    /// SHA-256 of it.
    pub certificate: [u8; 32],
    /// A name that cannot exist for which it made a certificate as well, and the attempt that showed it.
    pub invented: Option<(String, u32)>,
    /// The key of its certificate is none of those that the server is known to have.
    pub other_key: bool,
    /// The key of its certificate is that of the authority above: a device that needs but one.
    pub shared_key: bool,
    /// The product, by the words of the issuer or of its answer.
    pub product: Option<&'static str>,
    /// Where it stands, if that could be measured.
    pub at: Option<Stand>,
    /// What it answers in the server's place, and in which attempt.
    pub answer: Option<(u32, Answer)>,
    /// The client does not trust its root.
    pub distrusted: bool,
}

impl TlsInspection {
    /// What it does, and where, as far as that is known.
    pub fn says(&self) -> String {
        let what = self.product.map_or_else(|| "Something on the way".to_owned(), |product| format!("{product}, on the way,"));
        let at = self.at.map(|at| format!(", {}", at.says())).unwrap_or_default();
        format!("{what} ends TLS and signs certificates of its own{at}")
    }
}

impl Stand {
    /// `hop 2 (192.0.2.1)`.
    pub fn place(&self) -> String {
        let address = self.address.map(|address| format!(" ({address})")).unwrap_or_default();
        format!("hop {}{address}", self.hop)
    }

    /// The same with `at` before it.
    pub fn says(&self) -> String {
        format!("at {}", self.place())
    }

    /// As an exhibit.
    pub(crate) fn exhibit(&self) -> Exhibit {
        let says = format!("TCP ends {}, and the way goes on behind it", self.says());
        Exhibit::Hop { after: None, before: Some(self.place()), says }
    }
}

/// A hop at which TCP ends although the way to the server goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// How far it is; 1 is the first router.
    pub hop: u8,
    /// The address with which it answers.
    pub address: Option<IpAddr>,
}

/// Something between that changed the hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downgrade {
    /// What the client offered.
    pub offered: ProtocolVersion,
    /// What the server took.
    pub taken: ProtocolVersion,
    /// The server marked its answer; otherwise the two ends did not agree on what was said.
    pub marked: bool,
    /// Where it stands, if that could be measured.
    pub at: Option<Stand>,
}

impl<'c, 'e> Teller<'c, 'e> {
    /// Whether the certificates are those of something between; noted in the story. `None` while something is asked for.
    pub(super) fn look_for_inspection(
        &mut self,
        seen: &'c Seen<'e>,
        hello: &HelloSpec,
        presented: &Presented,
        opinion: &Opinion<'_>,
    ) -> Option<()> {
        let Some(shown) = presented.sent.first() else { return Some(()) };
        let expected = &self.case.evidence.expected_keys;
        let is_expected = expected.iter().any(|key| **key == shown.spki_sha256);
        let other_key = !expected.is_empty() && !is_expected;
        let suspect = other_key || self.is_suspect(opinion);
        if self.case.evidence.watched || self.case.no_path_between() || is_expected || !suspect {
            return Some(());
        }
        let invented = self.made_for_an_invented_name(hello)?;
        let above = presented.sent.iter().skip(1).find(|above| above.subject.der == shown.issuer.der);
        let shared_key = !shown.self_issued && above.is_some_and(|above| above.spki_sha256 == shown.spki_sha256);
        let at = self.measured_way().and_then(stand);
        if self.case.is_waiting() {
            return None;
        }
        let is_made = invented.is_some() || shared_key || other_key;
        if !is_made && at.is_none() {
            return Some(());
        }
        let answer = self.answer_in_its_place(hello);
        if self.case.is_waiting() {
            return None;
        }
        let issuers = presented.sent.iter().map(|certificate| certificate.issuer.text.as_str());
        let product = issuers.filter_map(inspectors::product).next();
        let product = product.or(answer.as_ref().map(|(_, answer)| answer.product));
        let distrusted = opinion.is_untrusted();
        let is_known = product.is_some() || (is_made && at.is_some());
        if !is_known && (distrusted || other_key) {
            let why = match &invented {
                Some((name, _)) => format!("For {name}, a name that cannot exist, one was made too"),
                None if other_key => "Their key is none of those that were expected (--expect)".to_owned(),
                None if shared_key => "Their authority and the server have the same key".to_owned(),
                None => at.map(|at| format!("TCP ends {}, before the server", at.says())).unwrap_or_default(),
            };
            self.open(
                format!(
                    "Are these certificates the server's own, signed by {}, or does a device on the way or a program on this machine make them? {}",
                    shown.issuer.text,
                    why
                ),
                &["path-tls-inspection", "untrusted-root"],
                format!(
                    "compare the certificate's SHA-256, {}…, with what another network is shown; look for a proxy, a filter or a virus scanner that inspects TLS",
                    shown.fingerprint().chars().take(16).collect::<String>()
                ),
            );
        }
        if is_known {
            self.story.inspection = Some(Box::new(TlsInspection {
                shown: seen.id(),
                issuer: shown.issuer.text.clone(),
                certificate: shown.sha256,
                invented,
                other_key,
                shared_key,
                product,
                at,
                answer,
                distrusted,
            }));
        }
        Some(())
    }

    /// The name and the attempt, where a certificate was made for a name that cannot exist. `None` while it is asked for.
    fn made_for_an_invented_name(&self, hello: &HelloSpec) -> Option<Option<(String, u32)>> {
        let name = self.invented_name();
        let asking = hello.clone().with_server_name(Some(&name));
        let Some(proof) = self.ask(asking, Depth::Flight, "a name that cannot exist: is a certificate made for it?") else {
            return (!self.case.is_waiting()).then_some(None);
        };
        let covers = |other: &AlternativeName| matches!(other, AlternativeName::Dns(text) if *text == name);
        let leaf = Presented::of(proof, self.stores).and_then(|made| made.sent.into_iter().next());
        let is_made = leaf.is_some_and(|leaf| leaf.alternative_names.iter().flatten().any(covers));
        Some(is_made.then(|| (name, proof.id())))
    }

    /// Certificates of an authority that the client does not know; or, where the way was measured, of one that the public does not know,
    /// or from where the server is not.
    fn is_suspect(&self, opinion: &Opinion<'_>) -> bool {
        let Some(best) = opinion.judgement.paths.first() else { return false };
        let for_itself = best.links.len() == 1 && best.end == PathEnd::SelfSigned;
        if opinion.is_untrusted() {
            return !for_itself;
        }
        let is_public = || {
            best.links.last().is_some_and(|top| {
                let names = [top.certificate.subject.der.clone(), top.certificate.issuer.der.clone()].into();
                let known = Store::mozilla().anchors(&names);
                known.iter().any(|anchor| anchor.certificate.spki_sha256 == top.certificate.spki_sha256)
            })
        };
        self.case.path().is_some_and(|measured| stand(measured).is_some() || !is_public())
    }

    /// A name below a domain that exists nowhere (RFC 6761 §6.4), another in each examination: nobody can have a certificate for it.
    fn invented_name(&self) -> String {
        let evidence = self.case.evidence;
        let of_this = format!("{} {} {}", evidence.started_at, evidence.subject.host, evidence.subject.port);
        let digest = sha256(of_this.as_bytes());
        let digits: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("tlswhy-{digits}.invalid")
    }

    /// The way to the server, asked for where it was not measured.
    fn measured_way(&self) -> Option<&'e PathMeasurement> {
        if let Some(measured) = self.case.path() {
            return Some(measured);
        }
        self.case.ask_path(self.case.way_of(&self.story)?)
    }

    /// One small request: a device that cannot reach the server says so in HTTP.
    fn answer_in_its_place(&self, hello: &HelloSpec) -> Option<(u32, Answer)> {
        if self.story.upgrade.is_some() {
            return None;
        }
        let asked = self.ask(for_http(hello), Depth::Request, "what is answered in the server's place")?;
        Some((asked.id(), inspectors::answer(asked.attempt.application.as_deref()?)?))
    }

    /// Whatever the client meets there is the device's: that comes first. What stops nobody is no fault.
    pub(super) fn put_inspection_first(&mut self) {
        let stops = |inspection: &TlsInspection| {
            inspection.answer.is_some()
                || inspection.distrusted
                || inspection.other_key
                || self.story.faults.iter().any(|fault| fault.blocks)
        };
        let Some(inspection) = self.story.inspection.clone().filter(|inspection| stops(inspection)) else { return };
        let shown = inspection.shown;
        self.insert(0, FaultKind::Inspected(inspection), Confidence::Observed, Some(shown));
    }

    /// Another hello came to the server than was sent: it marked its answer (RFC 8446 §4.1.3), or the two ends do not agree on what was
    /// said. Is it so where the hello comes in pieces, too? Whether the fault was told; `None` while something is asked for.
    pub(super) fn changed_on_the_way(
        &mut self,
        seen: &'c Seen<'e>,
        hello: &HelloSpec,
        taken: ProtocolVersion,
        marked: bool,
    ) -> Option<bool> {
        // What changes a hello often knows it in one piece alone.
        let half = u16::try_from(hello.message_length() / 2).unwrap_or(u16::MAX);
        let in_pieces = [Fragment::Segments(vec![half]), Fragment::Records(vec![half])].map(|fragment| {
            let purpose = "the same hello in pieces: does it come through unchanged?";
            self.ask(hello.clone().with_fragment(fragment), Depth::Finish, purpose)
        });
        let at = self.measured_way().and_then(stand);
        if self.case.is_waiting() {
            return None;
        }
        let unchanged = |other: &&Seen<'_>| match marked {
            true => other.chose() && other.version() > Some(taken),
            false => other.attempt.ending == Ending::Completed,
        };
        let through = in_pieces.into_iter().flatten().find(unchanged);
        if !marked && through.is_none() {
            return Some(false);
        }
        let offered = hello.offered_versions().into_iter().max().unwrap_or(taken);
        let confidence = if through.is_some() { Confidence::Confirmed } else { Confidence::Observed };
        let blocks = !marked || self.case.client.policy.checks_downgrade_sentinel == Some(true);
        let fault = self.push(FaultKind::Downgraded(Downgrade { offered, taken, marked, at }), confidence, Some(seen.id()));
        fault.works = through.map(Seen::id);
        fault.differs_in = vec!["fragmentation"];
        fault.blocks = blocks;
        Some(true)
    }
}

/// Where something ends TCP before the server, if it does.
fn stand(measured: &PathMeasurement) -> Option<Stand> {
    let address = path::goes_on_behind_the_end(measured)?;
    Some(Stand { hop: path::end(measured)?, address })
}
