//! The part of the report that is about certificates and no finding: the chain in every store, and what is worth knowing.

use std::collections::BTreeSet;
use std::sync::Arc;

use tlswhy_model::{ChainView, Notice};

use super::certificates::{self, Presented};
use super::report::Tale;
use super::{Examination, FaultKind, Story};
use crate::case::{Case, Seen};
use crate::chain::{self, Anchor, Certificate, Origin, PathPolicy};

impl Examination {
    /// The certificates that were judged, and what becomes of them in every store at hand.
    pub(super) fn chain_view(&self, tales: &[Tale<'_>]) -> Option<ChainView> {
        let tale = tales.first()?;
        let case = self.case(tale.client, tale.address);
        let presented = self.judged(&case, &tale.story)?;
        if self.evidence.redacted {
            return None;
        }
        let opinion = certificates::judge(&case, &presented, &self.stores, self.now());
        let mut names = BTreeSet::new();
        for certificate in presented.sent.iter().chain(opinion.known.iter().map(|known| &known.certificate)) {
            names.insert(certificate.issuer.der.clone());
            names.insert(certificate.subject.der.clone());
        }
        let stores = self.stores.all().into_iter().map(|store| {
            let anchors: Vec<Anchor> = store.anchors(&names);
            (store.name.clone(), store.source.clone(), anchors)
        });
        let policy = PathPolicy::of(&tale.client.policy);
        Some(chain::view(&presented.sent, &opinion.known, &stores.collect::<Vec<_>>(), &policy, self.now()))
    }

    fn judged(&self, case: &Case<'_>, story: &Story) -> Option<Presented> {
        let seen = case.all().find(|seen| Some(seen.id()) == story.judged)?;
        Presented::of(seen, &self.stores)
    }

    /// What is worth knowing about the certificates, and no fault for the judged client.
    pub(super) fn notices(&self, tales: &[Tale<'_>]) -> Vec<Notice> {
        let mut notices = Vec::new();
        let Some(tale) = tales.first().filter(|_| !self.evidence.redacted) else {
            return notices;
        };
        let case = self.case(tale.client, tale.address);
        let Some(presented) = self.judged(&case, &tale.story) else {
            return notices;
        };
        let mut add = |code: &str, says: String| notices.push(Notice { code: code.to_owned(), says });
        superfluous(&presented, &mut add);
        let opinion = certificates::judge(&case, &presented, &self.stores, self.now());
        let is_fault = tale.story.faults.iter().any(|fault| matches!(fault.kind, FaultKind::Inspected(_)));
        if let Some(inspection) = tale.story.inspection.as_ref().filter(|_| !is_fault) {
            add("tls-inspection", format!("{}; this client takes its certificates", inspection.says()));
        }
        if let Some(path) = opinion.judgement.paths.first()
            && path.end == chain::PathEnd::Anchor
            && !matches!(tale.client.policy.chain_order.as_deref(), Some("forward" | "exact"))
            && out_of_order(path)
        {
            add(
                "chain-misordered",
                "the certificates are not sent in order; this client sorts them, some do not (mbed TLS)".to_owned(),
            );
        }
        if let Some(leaf) = presented.sent.first()
            && leaf.must_staple
            && presented.staple.is_none()
            && tale.client.policy.enforces_must_staple != Some(true)
        {
            let says = if presented.asked_for_staple {
                "the certificate demands a stapled OCSP response and none was sent; this client does not mind, Firefox does"
            } else {
                "the certificate demands a stapled OCSP response; this client does not ask for one, so whether the server has it was not seen (Firefox asks, and minds)"
            };
            add("must-staple", says.to_owned());
        }
        if let (Some(staple), Some([leaf, issuer, ..])) =
            (&presented.staple, opinion.judgement.paths.first().map(|path| path.links.as_slice()))
            && opinion.judgement.accepts()
            && let Some(why) = chain::ocsp::no_use(staple, &leaf.certificate, &issuer.certificate, self.now())
        {
            add(
                "staple-of-no-use",
                format!(
                    "the stapled OCSP response is of no use: {}; clients that look at it may refuse the certificate",
                    tlswhy_model::printable(&why, 200)
                ),
            );
        }
        for fetched in self.evidence.fetched.iter().take(6) {
            let what = if fetched.request.is_some() { "an OCSP response" } else { "a certificate or a revocation list" };
            let url = tlswhy_model::printable(&fetched.url, 200);
            if let Some(error) = &fetched.error {
                add("not-fetched", format!("{url} did not give {what}: {}", tlswhy_model::printable(error, 200)));
            }
        }
        for (code, says) in self.other_certificates(&case, tale, &presented) {
            add(code, says);
        }
        for records in self.evidence.records.iter().filter(|records| !records.records.is_empty()) {
            let path: Vec<Arc<Certificate>> = opinion
                .judgement
                .paths
                .first()
                .map_or_else(Vec::new, |path| path.links.iter().map(|link| Arc::clone(&link.certificate)).collect());
            if records.record_type == "TLSA" {
                let dane = chain::dane::tlsa(&records.records, &presented.sent, &path);
                add("dane", dane.says.join("; "));
            } else if let Some(says) = presented.sent.first().and_then(|leaf| chain::dane::caa(&records.records, leaf)) {
                add("caa", says);
            }
        }
        notices
    }

    /// Certificates that other hellos were shown, and that the judged client would not take.
    fn other_certificates(&self, case: &Case<'_>, tale: &Tale<'_>, presented: &Presented) -> Vec<(&'static str, String)> {
        let mut told: BTreeSet<[u8; 32]> = presented.sent.first().map(|leaf| leaf.sha256).into_iter().collect();
        let mut notices = Vec::new();
        let same_name =
            |seen: &&Seen<'_>| seen.hello().is_some_and(|hello| hello.server_name() == tale.story.server_name.as_deref());
        for seen in case.all().filter(same_name) {
            let Some(other) = Presented::of(seen, &self.stores) else { continue };
            let Some(leaf) = other.sent.first().filter(|leaf| told.insert(leaf.sha256)) else { continue };
            let opinion = certificates::judge(case, &other, &self.stores, self.now());
            let key = leaf.key.map_or("another", |key| match key {
                chain::KeyKind::Rsa { .. } => "an RSA",
                chain::KeyKind::Ec { .. } => "an ECDSA",
                _ => "another",
            });
            let says = match opinion.judgement.objections.first() {
                None => continue,
                Some(objection) => objection.kind.says(&objection.subject),
            };
            notices.push((
                "other-certificate",
                format!(
                    "to other clients the server shows {key} certificate, {}, at which they will stop: {says}",
                    leaf.subject.text
                ),
            ));
        }
        notices
    }

    /// Whether anything about the certificates makes the outcome a risk.
    pub(super) fn ends_soon(&self, case: &Case<'_>, story: &Story) -> Option<String> {
        let seen = case.all().find(|seen| Some(seen.id()) == story.judged.or(story.furthest))?;
        let presented = Presented::of(seen, &self.stores)?;
        let now = self.now();
        let opinion = certificates::judge(case, &presented, &self.stores, now);
        let on_the_way: Vec<&Certificate> = match opinion.judgement.paths.first() {
            Some(path) if opinion.judgement.accepts() => {
                // An anchor's own end matters to few, and cannot be mended by the server.
                path.links
                    .iter()
                    .filter(|link| !matches!(link.origin, Origin::Anchor(_)))
                    .map(|link| &*link.certificate)
                    .collect()
            }
            _ => presented.sent.iter().map(|certificate| &**certificate).collect(),
        };
        on_the_way.into_iter().find_map(|certificate| chain::ends_soon(certificate, now))
    }
}

/// What is sent and has no part in a path.
fn superfluous(presented: &Presented, add: &mut impl FnMut(&str, String)) {
    let sent = &presented.sent;
    let mut seen = BTreeSet::new();
    let twice = sent.iter().filter(|certificate| !seen.insert(certificate.sha256)).count();
    if twice > 0 {
        add("duplicate-certificate", format!("{twice} of the {} certificates are sent more than once", sent.len()));
    }
    let roots: Vec<&str> =
        sent.iter().skip(1).filter(|certificate| certificate.is_self_signed()).map(|root| root.subject.text.as_str()).collect();
    if let Some(root) = roots.first() {
        add(
            "root-sent",
            format!("the root {root} is sent along: clients have it or do not trust it, and it costs bytes in every handshake"),
        );
    }
    let mut issuers: BTreeSet<&[u8]> = BTreeSet::new();
    let mut grown = true;
    // From the end entity upwards, by name alone: what no name leads to is a stranger.
    if let Some(leaf) = sent.first() {
        issuers.insert(&leaf.issuer.der);
    }
    while grown {
        let before = issuers.len();
        for certificate in sent {
            if issuers.contains(certificate.subject.der.as_slice()) {
                issuers.insert(&certificate.issuer.der);
            }
        }
        grown = issuers.len() > before;
    }
    for stranger in sent.iter().skip(1).filter(|certificate| !issuers.contains(certificate.subject.der.as_slice())).take(3) {
        if stranger.sha256 != sent.first().map(|leaf| leaf.sha256).unwrap_or_default() {
            add("stranger-sent", format!("{} is sent along and has no part in the chain", stranger.subject.text));
        }
    }
}

/// Whether the sent certificates of a path do not follow one another.
fn out_of_order(path: &chain::Path) -> bool {
    let places: Vec<usize> = path
        .links
        .iter()
        .filter_map(|link| match link.origin {
            Origin::Sent(place) => Some(place),
            _ => None,
        })
        .collect();
    !places.is_sorted()
}
