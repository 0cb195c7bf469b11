//! What the evidence holds on the server's certificates, gathered for the path builder, as one client would judge them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use tlswhy_model::ClientPolicy;
use tlswhy_wire::{ExtensionType, HelloSpec};

use crate::case::{Case, Seen};
use crate::chain::{
    self, Anchor, Certificate, Chosen, Judgement, Known, ObjectionKind, OcspEvidence, Origin, PathEnd, PathPolicy, Purpose,
    ServerName, Situation, Stores,
};

/// Most certificates of one message that are looked at.
const MOST: usize = 100;
/// Most certificates from elsewhere that are looked at.
const MOST_KNOWN: usize = 200;

/// What one attempt showed.
#[derive(Clone, Debug)]
pub(crate) struct Presented {
    /// The certificates as sent, end entity first.
    pub sent: Vec<Arc<Certificate>>,
    /// The stapled OCSP response.
    pub staple: Option<Vec<u8>>,
    /// The hello asked for one: that none came says nothing otherwise.
    pub asked_for_staple: bool,
}

impl Presented {
    /// Reads what an attempt showed; `None` where it came to no certificate.
    pub(crate) fn of(seen: &Seen<'_>, stores: &Stores) -> Option<Presented> {
        let list = seen.certificates()?;
        let sent: Vec<_> = list.entries.iter().take(MOST).map(|entry| stores.library.read(&entry.value)).collect();
        let staple = list.stapled_ocsp(0).or_else(|| seen.plain.stapled_ocsp());
        let asks = |hello: &HelloSpec| hello.extension(ExtensionType::STATUS_REQUEST).is_some();
        let asked_for_staple = seen.hello().is_none_or(asks);
        (!sent.is_empty()).then_some(Presented { sent, staple, asked_for_staple })
    }

    /// A staple that is demanded, and that it was not seen whether the server has.
    pub(crate) fn staple_unseen(&self) -> bool {
        !self.asked_for_staple && self.staple.is_none() && self.sent.first().is_some_and(|leaf| leaf.must_staple)
    }
}

/// One client's judgement of them.
#[derive(Debug)]
pub(crate) struct Opinion<'a> {
    /// The judgement.
    pub judgement: Judgement,
    /// The trust store that it rests on.
    pub chosen: Chosen<'a>,
    /// Certificates from elsewhere that were at hand.
    pub known: Vec<Known>,
    /// The client finds an issuer that was not sent, by its address or among those it has.
    pub finds_issuers: bool,
    /// Where certificates are that have the name of the missing issuer and another key.
    pub namesakes: Vec<String>,
}

impl Opinion<'_> {
    /// Whether no path leads to a trust anchor.
    pub(crate) fn is_untrusted(&self) -> bool {
        self.judgement.objections.iter().any(|objection| matches!(objection.kind, ObjectionKind::Untrusted { .. }))
    }

    /// Why the objection about trust is none that could be sworn to, if so.
    pub(crate) fn doubt(&self) -> Option<String> {
        let (end, issuer) = self.judgement.objections.iter().find_map(|objection| match &objection.kind {
            ObjectionKind::Untrusted { end, issuer } => Some((end, issuer)),
            _ => None,
        })?;
        // The pieces are there, and the client does not put them together: that is no question of trust.
        if self.judgement.paths.iter().any(|path| path.end == PathEnd::Anchor) {
            return None;
        }
        let top = self.judgement.paths.first().and_then(|path| path.links.last())?;
        let subject = &top.certificate.subject.text;
        match end {
            PathEnd::IssuerUnknown if matches!(top.origin, Origin::Anchor(_)) => Some(format!(
                "{} holds {subject}, which is no root; this client goes on to the root above it, {issuer}, and that is not there (curl, Go and others would stop at {subject})",
                self.chosen.store.source
            )),
            PathEnd::IssuerUnknown if !self.namesakes.is_empty() => Some(format!(
                "{subject} was signed by {issuer}; a certificate of that name is here ({}), but it has another key: the authority was made anew under its old name, or this is the wrong one of several",
                self.namesakes.join("; ")
            )),
            PathEnd::IssuerUnknown => Some(format!(
                "the issuer of {subject}, {issuer}, was neither sent nor is it known here: it may be an intermediate that is missing, or a root that is not trusted"
            )),
            // Nobody's stock store holds a server's own certificate.
            _ if !self.chosen.exact && self.judgement.paths.first().is_some_and(|path| path.links.len() > 1) => Some(format!(
                "the chain leads to {subject}, which Mozilla's store does not hold; the client's own is not known here"
            )),
            _ => None,
        }
    }
}

/// The name that the client asked for, as certificates are compared with.
pub(crate) fn wanted_name(case: &Case<'_>) -> ServerName {
    let subject = &case.evidence.subject;
    let name = subject.server_name.as_deref().unwrap_or(&subject.host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => ServerName::Address(address),
        Err(_) => ServerName::Dns(name.to_owned()),
    }
}

/// How the client of the case judges what was presented.
pub(crate) fn judge<'a>(case: &Case<'_>, presented: &Presented, stores: &'a Stores, now: i64) -> Opinion<'a> {
    judge_with(case, presented, stores, now, true)
}

/// The same by what the client itself would learn: not what was fetched of revocation, which well-known clients do not fetch.
pub(crate) fn judge_unasked<'a>(case: &Case<'_>, presented: &Presented, stores: &'a Stores, now: i64) -> Opinion<'a> {
    judge_with(case, presented, stores, now, false)
}

fn judge_with<'a>(case: &Case<'_>, presented: &Presented, stores: &'a Stores, now: i64, fetched: bool) -> Opinion<'a> {
    let policy = &case.client.policy;
    let chosen = stores.of(policy.trust_store.as_deref());
    let mut names = BTreeSet::new();
    for certificate in &presented.sent {
        names.insert(certificate.issuer.der.clone());
        names.insert(certificate.subject.der.clone());
    }
    let mut known = known(case, presented, stores);
    names.extend(known.iter().map(|known| known.certificate.issuer.der.clone()));
    let anchors = chosen.store.anchors(&names);
    neighbours(&mut known, &names, &anchors, chosen, stores);
    let demands = demands(policy, presented, chosen);
    let finds_issuers = demands.finds_intermediates;
    let name = wanted_name(case);
    let mut ocsp: Vec<OcspEvidence> = case
        .evidence
        .fetched
        .iter()
        .filter(|answer| fetched && answer.request.is_some())
        .filter_map(|fetched| Some(OcspEvidence { response: fetched.body.as_ref()?.0.clone(), stapled: false }))
        .collect();
    ocsp.extend(presented.staple.clone().map(|response| OcspEvidence { response, stapled: true }));
    let lists = if fetched { revocation_lists(case) } else { Vec::new() };
    let mut signatures = stores.signatures.lock().unwrap_or_else(PoisonError::into_inner);
    let situation = Situation {
        sent: &presented.sent,
        known: &known,
        anchors: &anchors,
        policy: &demands,
        name: Some(&name),
        purpose: Purpose::Server,
        now,
        maximum_intermediates: None,
        revocation_lists: &lists,
        ocsp: &ocsp,
    };
    let judgement = chain::judge_one(&situation, &mut signatures);
    let namesakes = namesakes(&judgement, &presented.sent, &anchors, &known, chosen);
    Opinion { judgement, chosen, known, finds_issuers, namesakes }
}

/// Where certificates are that have the name of the issuer at which the first path stops, and did not sign.
fn namesakes(
    judgement: &Judgement,
    sent: &[Arc<Certificate>],
    anchors: &[Anchor],
    known: &[Known],
    chosen: Chosen<'_>,
) -> Vec<String> {
    const MOST: usize = 3;
    let path = judgement.paths.first().filter(|path| path.end == PathEnd::IssuerUnknown);
    let Some(top) = path.and_then(|path| path.links.last()) else { return Vec::new() };
    let named = |certificate: &Certificate| chain::same_name(&certificate.subject, &top.certificate.issuer);
    let sent = sent.iter().enumerate().skip(1).filter(|(_, certificate)| named(certificate));
    let mut places: Vec<String> = sent.map(|(place, _)| format!("number {} of those sent", place.saturating_add(1))).collect();
    places.extend(anchors.iter().filter(|anchor| named(&anchor.certificate)).map(|_| chosen.store.source.clone()));
    places.extend(known.iter().filter(|known| named(&known.certificate)).map(|known| known.source.clone()));
    places.dedup();
    places.truncate(MOST);
    places
}

/// What the client demands, here: it can only find an issuer that an address is named for, or a public one that it has.
fn demands(policy: &ClientPolicy, presented: &Presented, chosen: Chosen<'_>) -> PathPolicy {
    let addressed = presented.sent.iter().any(|certificate| !certificate.issuer_urls.is_empty());
    let fetches = policy.fetches_aia == Some(true) && addressed;
    let preloads = policy.preloads_intermediates == Some(true) && chosen.store.name == "mozilla";
    let mut demands = PathPolicy { finds_intermediates: fetches || preloads, ..PathPolicy::of(policy) };
    if chosen.store.name != "mozilla" {
        // Only roots of public programmes are bound to a longest lifetime.
        demands.maximum_lifetime_days = None;
    }
    demands.enforces_must_staple &= !presented.staple_unseen();
    demands
}

/// Certificates that may stand in for one that was not sent: given, fetched, or sent by the server on another occasion.
fn known(case: &Case<'_>, presented: &Presented, stores: &Stores) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    let mut add = |der: &[u8], source: &str| {
        let certificate = stores.library.read(der);
        let there = known.iter().any(|other| other.certificate.sha256 == certificate.sha256)
            || presented.sent.iter().any(|sent| sent.sha256 == certificate.sha256);
        if !there && known.len() < MOST_KNOWN {
            known.push(Known { certificate, source: source.to_owned() });
        }
    };
    for given in &case.evidence.known_certificates {
        add(&given.certificate, &given.source);
    }
    for fetched in case.evidence.fetched.iter().filter(|fetched| fetched.request.is_none()) {
        for der in fetched.body.iter().flat_map(|body| chain::certificates_in(body)) {
            add(&der, &fetched.url);
        }
    }
    for seen in case.all() {
        // Its end entity has issued nothing.
        for entry in seen.certificates().iter().flat_map(|list| list.entries.iter().skip(1).take(MOST)) {
            add(&entry.value, &format!("the server itself, in attempt {}", seen.id()));
        }
    }
    known
}

/// Anchors of other stores, and of the user's, that bear on the chain: they show where it leads.
fn neighbours(known: &mut Vec<Known>, names: &BTreeSet<Vec<u8>>, anchors: &[Anchor], chosen: Chosen<'_>, stores: &Stores) {
    for store in stores.all() {
        if std::ptr::eq(store, chosen.store) {
            continue;
        }
        for anchor in store.anchors(names) {
            let sha256 = anchor.certificate.sha256;
            if !anchors.iter().any(|own| own.certificate.sha256 == sha256)
                && !known.iter().any(|other| other.certificate.sha256 == sha256)
            {
                known.push(Known { certificate: anchor.certificate, source: store.source.clone() });
            }
        }
    }
}

/// Revocation lists that were fetched.
fn revocation_lists(case: &Case<'_>) -> Vec<Vec<u8>> {
    let plain = case.evidence.fetched.iter().filter(|fetched| fetched.request.is_none());
    plain
        .filter_map(|fetched| Some(fetched.body.as_ref()?.0.clone()))
        .filter(|body| chain::certificates_in(body).is_empty())
        .collect()
}
