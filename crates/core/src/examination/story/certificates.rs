//! The server has shown who it is: does the client believe it?

use std::sync::Arc;

use tlswhy_model::{Confidence, Depth, Ending, Fetched};
use tlswhy_wire::HelloSpec;

use super::{CertificateFault, Clock, FaultKind, Teller, for_http};
use crate::case::Seen;
use crate::chain::ocsp::OcspStatus;
use crate::chain::{self, Certificate, Objection, ObjectionKind, Proof};
use crate::examination::certificates::{self, Opinion, Presented};

/// Most addresses that are asked for missing issuers, one after another.
const MOST_FETCHED: usize = 6;
/// A client's clock and a server's differ by less where both are set, seconds.
const CLOCKS_DIFFER: i64 = 12 * 3600;

impl<'c, 'e> Teller<'c, 'e> {
    /// Judges the certificates of an attempt as the client would. `None` while something is asked for.
    pub(super) fn judge_certificates(&mut self, seen: &'c Seen<'e>, hello: &HelloSpec) -> Option<()> {
        let Some(presented) = Presented::of(seen, self.stores) else {
            return Some(());
        };
        self.story.judged = Some(seen.id());
        let opinion = certificates::judge(self.case, &presented, self.stores, self.now);
        if self.case.evidence.redacted {
            self.redacted_certificates(&opinion);
            return Some(());
        }
        self.ask_for_issuers(&opinion)?;
        self.ask_for_revocation(&opinion)?;
        if chain::handshake::proof(seen.attempt, &seen.plain, seen.decrypted.as_ref()) == Proof::Broken {
            self.push(FaultKind::KeyMismatch, Confidence::Observed, Some(seen.id()));
        }
        self.look_for_inspection(seen, hello, &presented, &opinion)?;
        let clock = self.clock(seen, hello, &presented, &opinion.judgement.objections)?;
        let doubt = opinion.doubt();
        let full_chain = chain::full_chain(&opinion.judgement).unwrap_or_default();
        let path: Vec<_> = opinion.judgement.paths.first().map(|path| path.links.clone()).unwrap_or_default();
        for objection in &opinion.judgement.objections {
            if self.named_otherwise(&objection.kind) {
                continue;
            }
            if let (ObjectionKind::Untrusted { .. }, Some(doubt)) = (&objection.kind, &doubt) {
                if self.story.inspection.is_none() {
                    self.open_trust(doubt, &path);
                }
                continue;
            }
            let fault = CertificateFault {
                objection: objection.clone(),
                store: opinion.chosen.store.source.clone(),
                clock: clock.clone(),
                full_chain: full_chain.clone(),
                path: path.clone(),
                elsewhere: opinion.known.iter().map(|known| (known.certificate.sha256, known.source.clone())).collect(),
            };
            let checks = self.case.client.policy.verification_unknown != Some(true);
            self.push(FaultKind::Certificate(Box::new(fault)), Confidence::Observed, Some(seen.id())).blocks = checks;
        }
        self.revoked_and_not_heeded(seen, &presented, &opinion, &full_chain, &path);
        Some(())
    }

    /// A stapled response that calls the certificate revoked, before a client that does not look at it: others do.
    fn revoked_and_not_heeded(
        &mut self,
        seen: &Seen<'_>,
        presented: &Presented,
        opinion: &Opinion<'_>,
        full_chain: &[Arc<Certificate>],
        path: &[chain::Link],
    ) {
        if self.case.client.policy.heeds_stapled_ocsp == Some(true) {
            return;
        }
        let (Some(staple), [leaf, issuer, ..]) = (&presented.staple, path) else { return };
        if let Ok(OcspStatus::Revoked(revoked)) = chain::ocsp::status(staple, &leaf.certificate, &issuer.certificate, self.now)
        {
            let said_by = "the stapled OCSP response".to_owned();
            let kind = ObjectionKind::Revoked { at: revoked.at, reason: revoked.reason, said_by };
            let subject = leaf.certificate.subject.text.clone();
            let objection = Objection { kind, certificate: leaf.certificate.sha256, subject };
            let fault = CertificateFault {
                objection,
                store: opinion.chosen.store.source.clone(),
                clock: None,
                full_chain: full_chain.to_vec(),
                path: path.to_vec(),
                elsewhere: Vec::new(),
            };
            let fault = self.push(FaultKind::Certificate(Box::new(fault)), Confidence::Observed, Some(seen.id()));
            fault.blocks = false;
        }
    }

    /// What the domain says of its certificates (RFC 6698 §3, RFC 8659), asked along with the first hello.
    pub(super) fn ask_the_domain(&self) {
        let subject = &self.case.evidence.subject;
        if subject.host.parse::<std::net::IpAddr>().is_err() {
            self.case.ask_for_records(&format!("_{}._tcp.{}", subject.port, subject.host), "TLSA");
            self.case.ask_for_records(&subject.host, "CAA");
        }
    }

    /// Another certificate than the one for the name: the name was given up on the way.
    fn named_otherwise(&self, kind: &ObjectionKind) -> bool {
        matches!(kind, ObjectionKind::NameMismatch { .. }) && self.story.server_name != self.case.evidence.subject.server_name
    }

    /// Without names, a path cannot be built any more.
    fn redacted_certificates(&mut self, opinion: &Opinion<'_>) {
        if !opinion.judgement.accepts() {
            self.open(
                "Does the client accept the server's certificates? Their names were taken out of this evidence",
                &[],
                "judge the evidence before it is redacted",
            );
        }
    }

    fn open_trust(&mut self, doubt: &str, path: &[chain::Link]) {
        let url = path.last().and_then(|link| link.certificate.issuer_urls.first().cloned());
        let how = match url {
            Some(url) if self.case.evidence.fetched.iter().any(|fetched| fetched.url == url) => format!(
                "{} gave nothing that fits; `--known FILE` names certificates that may be missing, `--ca FILE` the root that the client trusts",
                tlswhy_model::printable(&url, 200)
            ),
            Some(url) => format!(
                "`--aia` fetches the issuer from {}; or `--known FILE` names certificates that may be missing, `--ca FILE` the root that the client trusts",
                tlswhy_model::printable(&url, 200)
            ),
            None => "`--known FILE` names certificates that may be missing, `--ca FILE` the root that the client trusts; ask who issued the certificate for the whole chain".to_owned(),
        };
        self.open(format!("Why does no path lead to a trust anchor? {doubt}"), &["chain-incomplete", "untrusted-root"], how);
    }

    /// Where a path stops for want of an issuer, the address that the certificate names for it is asked, if that is allowed.
    fn ask_for_issuers(&mut self, opinion: &Opinion<'_>) -> Option<()> {
        let stuck = opinion
            .judgement
            .objections
            .iter()
            .any(|objection| matches!(objection.kind, ObjectionKind::Untrusted { end: chain::PathEnd::IssuerUnknown, .. }));
        if !stuck || self.case.evidence.fetched.len() >= MOST_FETCHED {
            return Some(());
        }
        for path in &opinion.judgement.paths {
            let Some(top) = path.links.last() else { continue };
            for url in top.certificate.issuer_urls.iter().filter(|url| url.starts_with("http://")).take(2) {
                self.case.ask_for_issuer(url);
            }
        }
        (!self.case.is_waiting()).then_some(())
    }

    /// What the issuers say of revocation, if it may be asked for and was not stapled.
    fn ask_for_revocation(&mut self, opinion: &Opinion<'_>) -> Option<()> {
        let Some(path) = opinion.judgement.paths.first().filter(|path| path.end == chain::PathEnd::Anchor) else {
            return Some(());
        };
        for pair in path.links.windows(2).take(4) {
            let [below, above] = pair else { continue };
            let (certificate, issuer): (&Certificate, &Certificate) = (&below.certificate, &above.certificate);
            let plain = |urls: &[String]| urls.iter().find(|url| url.starts_with("http://")).cloned();
            let request = chain::ocsp::request(certificate, issuer);
            // A responder that gave nothing leaves the list.
            let silent = |url: &str| {
                let asked = |fetched: &&Fetched| fetched.url == url && fetched.request.as_deref() == Some(request.as_slice());
                self.case.evidence.fetched.iter().find(asked).is_some_and(|fetched| fetched.body.is_none())
            };
            match (plain(&certificate.ocsp_urls), plain(&certificate.crl_urls)) {
                (Some(url), list) if silent(&url) => {
                    if let Some(list) = list {
                        self.case.ask_about_revocation(&list, None);
                    }
                }
                (Some(url), _) => self.case.ask_about_revocation(&url, Some(request)),
                (None, Some(url)) => self.case.ask_about_revocation(&url, None),
                (None, None) => {}
            }
        }
        (!self.case.is_waiting()).then_some(())
    }

    /// Where the certificates are out of their time: is it they, or the client's clock? The server's own clock tells, by the
    /// Date of an HTTP answer or the time of a stapled OCSP response.
    fn clock(
        &mut self,
        seen: &'c Seen<'e>,
        hello: &HelloSpec,
        presented: &Presented,
        objections: &[Objection],
    ) -> Option<Option<Clock>> {
        let out_of_time =
            |kind: &ObjectionKind| matches!(kind, ObjectionKind::Expired { .. } | ObjectionKind::NotYetValid { .. });
        if !objections.iter().any(|objection| out_of_time(&objection.kind)) {
            return Some(None);
        }
        let mut clock = None;
        if let Some(at) = presented.staple.as_deref().and_then(chain::ocsp::produced_at)
            && at > self.now + CLOCKS_DIFFER
        {
            clock = Some(Clock { at, says: "the stapled OCSP response was made".to_owned(), attempt: seen.id() });
        }
        if clock.is_none() && self.story.upgrade.is_none() && seen.attempt.ending == Ending::Completed {
            let asked = self.ask(for_http(hello), Depth::Request, "the server's own time, for the client's clock may be wrong");
            if self.case.is_waiting() {
                return None;
            }
            clock = asked.and_then(|asked| {
                let at = date_header(asked.attempt.application.as_deref()?)?;
                Some(Clock { at, says: "the server's HTTP answer is dated".to_owned(), attempt: asked.id() })
            });
        }
        Some(clock)
    }
}

impl Clock {
    /// Whether it tells that the client's clock is the one that is wrong: by it, every certificate is within its time.
    pub fn blames_the_client(&self, now: i64, path: &[chain::Link]) -> bool {
        (self.at - now).abs() > CLOCKS_DIFFER
            && path.iter().all(|link| (link.certificate.not_before..=link.certificate.not_after).contains(&self.at))
    }
}

/// The Date of an HTTP answer (RFC 9110 §6.6.1), seconds since 1970.
fn date_header(answer: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(answer.get(..4096).unwrap_or(answer));
    if !text.starts_with("HTTP/") {
        return None;
    }
    let line = text
        .lines()
        .take_while(|line| !line.is_empty())
        .find(|line| line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("date:")))?;
    let date = line.get(5..)?.trim();
    let time = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(date).ok()?;
    Some(time.as_second())
}

#[cfg(test)]
mod tests {
    use super::date_header;

    #[test]
    fn the_date_of_an_answer_is_read() {
        let answer =
            b"HTTP/1.1 200 OK\r\nServer: x\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT";
        assert_eq!(date_header(answer), Some(784_111_777));
        assert_eq!(date_header(b"HTTP/1.1 200 OK\r\n\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT"), None);
        assert_eq!(date_header(b"SSH-2.0\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT"), None);
    }
}
