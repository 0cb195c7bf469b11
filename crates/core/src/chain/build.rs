//! Every way from the end entity to where it can lead, in the order in which a client that prefers its own anchors would try
//! them (OpenSSL 1.1.0 and later).

use std::sync::Arc;

use super::certificate::{Certificate, Name};
use super::judgement::{Link, Origin, PathEnd, Situation};
use super::signature::{Memo, Verdict};

/// Most paths that are kept.
const MOST_PATHS: usize = 64;
/// Most certificates that are put on a path in one search.
const MOST_STEPS: usize = 512;
/// Longest path, certificates: OpenSSL's default bound.
const LONGEST: usize = 100;

/// A path as it was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) links: Vec<Link>,
    pub(super) end: PathEnd,
    /// The last link has the name of the issuer and did not sign.
    pub(super) broken: bool,
}

/// Searches from the end entity. The second value: the search was cut short.
pub(super) fn search(situation: &Situation<'_>, with_known: bool, memo: &mut Memo) -> (Vec<Found>, bool) {
    let Some(leaf) = situation.sent.first() else { return (Vec::new(), false) };
    let mut search =
        Search { situation, memo, pool: pool(situation, with_known), found: Vec::new(), steps: 0, exhausted: false };
    let origin = search.anchor(leaf).map_or(Origin::Sent(0), Origin::Anchor);
    let mut path = vec![Link { certificate: Arc::clone(leaf), origin }];
    search.extend(&mut path);
    (search.found, search.exhausted)
}

/// Whether two names are the same, in whichever string types they are written (RFC 5280 §7.1, simplified).
pub(crate) fn same_name(one: &Name, other: &Name) -> bool {
    one.der == other.der || (one.text != "(no name)" && one.text.eq_ignore_ascii_case(&other.text))
}

struct Search<'a> {
    situation: &'a Situation<'a>,
    memo: &'a mut Memo,
    pool: Vec<Link>,
    found: Vec<Found>,
    steps: usize,
    exhausted: bool,
}

/// Whatever may issue: anchors, then what was sent, then what is known; each certificate once.
fn pool(situation: &Situation<'_>, with_known: bool) -> Vec<Link> {
    let anchors = situation.anchors.iter().enumerate().map(|(at, anchor)| (&anchor.certificate, Origin::Anchor(at)));
    let sent = situation.sent.iter().enumerate().skip(1).map(|(at, certificate)| (certificate, Origin::Sent(at)));
    let known = situation.known.iter().enumerate().map(|(at, known)| (&known.certificate, Origin::Known(at)));
    let mut seen = std::collections::HashSet::new();
    anchors
        .chain(sent)
        .chain(known.filter(|_| with_known))
        .filter(|(certificate, _)| certificate.readable() && seen.insert(certificate.sha256))
        .map(|(certificate, origin)| Link { certificate: Arc::clone(certificate), origin })
        .collect()
}

impl Search<'_> {
    fn anchor(&self, certificate: &Certificate) -> Option<usize> {
        self.situation.anchors.iter().position(|anchor| anchor.certificate.sha256 == certificate.sha256)
    }

    fn extend(&mut self, path: &mut Vec<Link>) {
        let Some(last) = path.last().cloned() else { return };
        let trusted = matches!(last.origin, Origin::Anchor(_));
        if trusted && (last.certificate.self_issued || self.situation.policy.partial_chain) {
            return self.keep(path, PathEnd::Anchor, false);
        }
        let own =
            last.certificate.self_issued && self.memo.verify(&last.certificate, &last.certificate) == Some(Verdict::Holds);
        let candidates = self.candidates(&last.certificate);
        let mut went_on = false;
        let mut broken = None;
        let mut repeated = false;
        for candidate in candidates {
            if path.iter().any(|link| same_entity(&link.certificate, &candidate.certificate)) {
                repeated = true;
                continue;
            }
            if path.len() >= LONGEST || self.steps >= MOST_STEPS || self.found.len() >= MOST_PATHS {
                self.exhausted = true;
                repeated = true;
                break;
            }
            match self.memo.verify(&candidate.certificate, &last.certificate) {
                Some(Verdict::Broken) => {
                    if broken.is_none() && !other_key(&candidate.certificate, &last.certificate) {
                        broken = Some(candidate);
                    }
                }
                Some(Verdict::Holds | Verdict::CannotTell(_)) => {
                    went_on = true;
                    self.steps += 1;
                    path.push(candidate);
                    self.extend(path);
                    path.pop();
                }
                None => {
                    self.exhausted = true;
                    repeated = true;
                    break;
                }
            }
        }
        if went_on {
            return;
        }
        match broken {
            _ if own => self.keep(path, PathEnd::SelfSigned, false),
            Some(candidate) => {
                path.push(candidate);
                self.keep(path, PathEnd::Nowhere, true);
                path.pop();
            }
            None => self.keep(path, if repeated { PathEnd::Nowhere } else { PathEnd::IssuerUnknown }, false),
        }
    }

    /// Those with the name of the issuer: anchors first, those valid in time first, those whose key identifier fits first.
    fn candidates(&self, certificate: &Certificate) -> Vec<Link> {
        let mut named: Vec<Link> =
            self.pool.iter().filter(|link| same_name(&link.certificate.subject, &certificate.issuer)).cloned().collect();
        let now = self.situation.now;
        named.sort_by_key(|link| {
            let issuer = &link.certificate;
            let place = match link.origin {
                Origin::Anchor(_) => 0,
                Origin::Sent(_) => 1,
                Origin::Known(_) => 2,
            };
            (place, issuer.not_before > now || issuer.not_after < now, other_key(issuer, certificate))
        });
        named
    }

    fn keep(&mut self, path: &[Link], end: PathEnd, broken: bool) {
        if self.found.len() < MOST_PATHS {
            self.found.push(Found { links: path.to_vec(), end, broken });
        } else {
            self.exhausted = true;
        }
    }
}

fn same_entity(one: &Certificate, other: &Certificate) -> bool {
    one.sha256 == other.sha256 || (one.subject.der == other.subject.der && one.spki_sha256 == other.spki_sha256)
}

/// Both name a key, and not the same.
fn other_key(issuer: &Certificate, certificate: &Certificate) -> bool {
    matches!((&issuer.subject_key, &certificate.authority_key), (Some(has), Some(wants)) if has != wants)
}
