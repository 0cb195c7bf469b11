//! The judgement: which path a client takes, and what it objects to on it.

use std::sync::Arc;

use super::build::{Found, search};
use super::certificate::Certificate;
use super::constraints::MOST_COMPARISONS;
use super::judgement::{Judgement, Link, Objection, ObjectionKind, Order, Origin, Path, PathEnd, Purpose, Situation};
use super::ocsp::OcspStatus;
use super::signature::Memo;
use super::{KeyKind, crl, names, ocsp, strict, suitable};

/// Judges a chain as one client does. Objections stand in the order in which OpenSSL's verification meets them.
pub fn judge(situation: &Situation<'_>) -> Judgement {
    judge_one(situation, &mut Memo::default())
}

/// The same, for one of many situations, such as one chain before many clients: no signature is checked twice.
pub fn judge_one(situation: &Situation<'_>, memo: &mut Memo) -> Judgement {
    memo.begin();
    let judgement = judge_with(situation, memo);
    Judgement { verifications: memo.done(), ..judgement }
}

fn judge_with(situation: &Situation<'_>, memo: &mut Memo) -> Judgement {
    let Some(leaf) = situation.sent.first() else {
        return Judgement { paths: Vec::new(), objections: Vec::new(), exhausted: false, verifications: 0 };
    };
    if !leaf.readable() {
        let objections = suitable::malformed(leaf, false).into_iter().map(|kind| about(leaf, kind)).collect();
        return Judgement { paths: Vec::new(), objections, exhausted: false, verifications: 0 };
    }
    let mut left = MOST_COMPARISONS;
    let (found, mut exhausted) = search(situation, situation.policy.finds_intermediates, memo);
    let mut paths: Vec<Path> = found.into_iter().map(|found| path(situation, found, &mut left)).collect();
    choose(&mut paths, situation.policy.tries_alternatives);
    let whole = paths.iter().any(|path| path.end == PathEnd::Anchor);
    if !whole && !situation.policy.finds_intermediates && !situation.known.is_empty() {
        let (found, cut) = search(situation, true, memo);
        exhausted |= cut;
        // A path that leads to a root, trusted or not, shows more than one that ends in the air; and of those the one that
        // comes further.
        let leads = |end: &PathEnd| match end {
            PathEnd::Anchor => 0,
            PathEnd::SelfSigned => 1,
            PathEnd::IssuerUnknown | PathEnd::Nowhere => 2,
        };
        let further = |links: &[Link]| links.iter().any(|link| matches!(link.origin, Origin::Known(_)));
        let found = found.into_iter().filter(|found| leads(&found.end) < 2 || further(&found.links));
        let mut complete: Vec<Path> = found.map(|found| path(situation, found, &mut left)).collect();
        complete.sort_by_key(|path| match leads(&path.end) {
            2 => (2, usize::MAX - path.links.len()),
            rank => (rank, path.objections.len()),
        });
        for path in &mut complete {
            let missing: Vec<(Arc<Certificate>, String)> = path
                .links
                .iter()
                .filter_map(|link| match link.origin {
                    Origin::Known(at) => {
                        situation.known.get(at).map(|known| (Arc::clone(&link.certificate), known.source.clone()))
                    }
                    _ => None,
                })
                .collect();
            let below = path.links.iter().take_while(|link| !matches!(link.origin, Origin::Known(_))).last();
            let below = below.map_or_else(|| Arc::clone(leaf), |link| Arc::clone(&link.certificate));
            if !missing.is_empty() && path.end == PathEnd::Anchor {
                path.objections.insert(0, about(&below, ObjectionKind::Incomplete { missing }));
            }
        }
        complete.append(&mut paths);
        paths = complete;
    }
    let mut objections = paths.first().map(|path| path.objections.clone()).unwrap_or_default();
    if !paths.iter().any(|path| path.end == PathEnd::Anchor) {
        // What cannot be read may well be what is missing.
        let unreadable = situation.sent.iter().skip(1).filter(|certificate| !certificate.readable());
        let found = unreadable.flat_map(|sent| suitable::malformed(sent, false).into_iter().map(|kind| about(sent, kind)));
        objections.splice(0..0, found.take(4).collect::<Vec<_>>());
    }
    Judgement { paths, objections, exhausted, verifications: 0 }
}

/// The chain to serve for the best path: end entity first, no root, nothing superfluous.
pub fn full_chain(judgement: &Judgement) -> Option<Vec<Arc<Certificate>>> {
    let path = judgement.paths.first().filter(|path| path.end == PathEnd::Anchor)?;
    let other = |objection: &Objection| !matches!(objection.kind, ObjectionKind::Incomplete { .. } | ObjectionKind::Misordered);
    if path.objections.iter().any(other) {
        return None;
    }
    let last = path.links.len().saturating_sub(1);
    let served = path.links.iter().enumerate().filter(|(at, link)| *at == 0 || *at != last || !link.certificate.self_issued);
    Some(served.map(|(_, link)| Arc::clone(&link.certificate)).collect())
}

/// The client's choice first: the path it builds first, or, where it tries others, the one with the fewest objections.
fn choose(paths: &mut [Path], tries_alternatives: bool) {
    let weight = |path: &Path| (path.end != PathEnd::Anchor, path.objections.len());
    if tries_alternatives {
        paths.sort_by_key(weight);
    } else if let Some((_, rest)) = paths.split_first_mut() {
        rest.sort_by_key(weight);
    }
}

fn about(certificate: &Certificate, kind: ObjectionKind) -> Objection {
    Objection { kind, certificate: certificate.sha256, subject: certificate.subject.text.clone() }
}

fn path(situation: &Situation<'_>, found: Found, left: &mut usize) -> Path {
    let mut objections = Vec::new();
    let links = &found.links;
    let strict = situation.policy.strict;
    let is_anchor = |link: &Link| matches!(link.origin, Origin::Anchor(_));
    for link in links.iter().filter(|link| strict || !is_anchor(link)) {
        objections
            .extend(suitable::malformed(&link.certificate, strict).into_iter().map(|kind| about(&link.certificate, kind)));
    }
    objections.extend(standing(situation, &found));
    for (at, link) in links.iter().enumerate() {
        let mut kinds = suitable::objections(situation, links, at, left);
        if strict {
            let anchor = is_anchor(link) && at > 0;
            kinds.extend(
                strict::irregularities(&link.certificate, at == 0, anchor, situation.purpose == Purpose::Server)
                    .into_iter()
                    .map(|what| ObjectionKind::Irregular { what }),
            );
        }
        objections.extend(kinds.into_iter().map(|kind| about(&link.certificate, kind)));
    }
    for link in links {
        let kinds = weaknesses(situation, &link.certificate, is_anchor(link));
        objections.extend(kinds.into_iter().map(|kind| about(&link.certificate, kind)));
    }
    if let (Some(leaf), Some(name)) = (links.first(), situation.name) {
        let kind = names::objection(&leaf.certificate, name, situation.policy);
        objections.extend(kind.map(|kind| about(&leaf.certificate, kind)));
    }
    objections.extend(revocations(situation, links));
    for link in links.iter().filter(|link| situation.policy.checks_anchor_validity || !is_anchor(link)) {
        objections.extend(untimely(&link.certificate, situation.now).map(|kind| about(&link.certificate, kind)));
    }
    objections.extend(distrusts(situation, links));
    Path { links: found.links, end: found.end, objections }
}

/// Whether the path leads to an anchor in the order in which it was sent.
fn standing(situation: &Situation<'_>, found: &Found) -> Vec<Objection> {
    let (Some(leaf), Some(last)) = (found.links.first(), found.links.last()) else { return Vec::new() };
    if found.broken {
        let below = found.links.iter().rev().nth(1).unwrap_or(leaf);
        let issuer = last.certificate.subject.text.clone();
        return vec![about(&below.certificate, ObjectionKind::BadSignature { issuer })];
    }
    if found.end != PathEnd::Anchor {
        let (end, issuer) = (found.end.clone(), last.certificate.issuer.text.clone());
        return vec![about(&last.certificate, ObjectionKind::Untrusted { end, issuer })];
    }
    let places: Vec<usize> =
        found.links.iter().filter_map(|link| if let Origin::Sent(at) = link.origin { Some(at) } else { None }).collect();
    let steps = || places.windows(2).map(|pair| (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0)));
    let ordered = match situation.policy.order {
        Order::Any => true,
        Order::Forward => steps().all(|(below, above)| below < above),
        Order::Exact => steps().all(|(below, above)| below + 1 == above),
    };
    if ordered { Vec::new() } else { vec![about(&leaf.certificate, ObjectionKind::Misordered)] }
}

/// Key sizes count for every certificate; the digest of an anchor's own signature does not, for nobody checks it.
fn weaknesses(situation: &Situation<'_>, certificate: &Certificate, anchor: bool) -> Vec<ObjectionKind> {
    let policy = situation.policy;
    let mut found = Vec::new();
    let (bits, floor) = match certificate.key {
        Some(KeyKind::Rsa { bits }) => (bits, policy.minimum_rsa_bits),
        Some(KeyKind::Ec { bits, .. }) => (bits, policy.minimum_ecdsa_bits),
        _ => (0, None),
    };
    if let (Some(wanted), Some(key)) = (floor.filter(|floor| bits < *floor), certificate.key) {
        found.push(ObjectionKind::WeakKey { key: key.name(), wanted });
    }
    let refused = match certificate.signature.digest {
        Some("SHA-1") => !policy.allows_sha1,
        Some("MD5" | "MD2") => !policy.allows_md5,
        _ => false,
    };
    if refused && !anchor && !certificate.is_self_signed() {
        found.push(ObjectionKind::WeakDigest { digest: certificate.signature.digest.unwrap_or_default().to_owned() });
    }
    found
}

fn untimely(certificate: &Certificate, now: i64) -> Option<ObjectionKind> {
    if certificate.not_before > now {
        return Some(ObjectionKind::NotYetValid { not_before: certificate.not_before });
    }
    (certificate.not_after < now).then_some(ObjectionKind::Expired { not_after: certificate.not_after })
}

fn revocations(situation: &Situation<'_>, links: &[Link]) -> Vec<Objection> {
    let policy = situation.policy;
    let mut found = Vec::new();
    // Without an issuer a staple cannot be checked: nothing is said against it then.
    let mut stapled = links.len() < 2 && situation.ocsp.iter().any(|evidence| evidence.stapled);
    for (at, pair) in links.windows(2).enumerate() {
        let [link, above] = pair else { continue };
        let (certificate, issuer) = (&link.certificate, &above.certificate);
        let revoked = |revoked: ocsp::Revoked, said_by: &str| {
            let kind = ObjectionKind::Revoked { at: revoked.at, reason: revoked.reason, said_by: said_by.to_owned() };
            about(certificate, kind)
        };
        for evidence in situation.ocsp {
            let said_by = if evidence.stapled { "the stapled OCSP response" } else { "an OCSP response" };
            match ocsp::status(&evidence.response, certificate, issuer, situation.now) {
                Ok(OcspStatus::Revoked(what)) => {
                    stapled |= at == 0 && evidence.stapled;
                    if !evidence.stapled || policy.heeds_staple {
                        found.push(revoked(what, said_by));
                    }
                }
                Ok(OcspStatus::Good { .. }) => stapled |= at == 0 && evidence.stapled,
                _ => {}
            }
        }
        let answers: Vec<Result<Option<ocsp::Revoked>, String>> = situation
            .revocation_lists
            .iter()
            .map(|list| crl::revoked(list, certificate, issuer, situation.now, policy.strict))
            .collect();
        if policy.strict && at == 0 && !answers.is_empty() && answers.iter().all(Result::is_err) {
            let why = answers.iter().find_map(|answer| answer.as_ref().err()).cloned().unwrap_or_default();
            let what = format!("no revocation list settles it: {}", tlswhy_model::printable(&why, 160));
            found.push(about(certificate, ObjectionKind::Irregular { what }));
        }
        let listed = answers.into_iter().flatten().flatten().next();
        found.extend(listed.map(|what| revoked(what, "a revocation list")));
    }
    if let Some(leaf) = links.first()
        && policy.enforces_must_staple
        && leaf.certificate.must_staple
        && !stapled
    {
        let no_use = links.get(1).and_then(|issuer| {
            let staple = situation.ocsp.iter().find(|evidence| evidence.stapled)?;
            ocsp::no_use(&staple.response, &leaf.certificate, &issuer.certificate, situation.now)
        });
        found.push(about(&leaf.certificate, ObjectionKind::NotStapled { no_use }));
    }
    found
}

fn distrusts(situation: &Situation<'_>, links: &[Link]) -> Vec<Objection> {
    let (Some(leaf), Some(last)) = (links.first(), links.last()) else { return Vec::new() };
    let leaf = &leaf.certificate;
    let mut found = Vec::new();
    if let Origin::Anchor(at) = last.origin
        && let Some(after) = situation.anchors.get(at).and_then(|anchor| anchor.distrust_after)
        && leaf.not_before > after
    {
        found.push(about(&last.certificate, ObjectionKind::Distrusted { after }));
    }
    let seconds = leaf.not_after.saturating_sub(leaf.not_before).saturating_add(1).max(0);
    let days = u32::try_from(seconds.saturating_add(86_399) / 86_400).unwrap_or(u32::MAX);
    if let Some(allowed) = situation.policy.maximum_lifetime_days.filter(|allowed| days > *allowed) {
        found.push(about(leaf, ObjectionKind::LifetimeTooLong { days, allowed }));
    }
    found
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::super::judgement::{Anchor, Known, PathPolicy, ServerName};
    use super::*;

    const NOW: i64 = 1_790_000_000;

    /// A root, an intermediate below it, and an end entity.
    struct Chain {
        root: Arc<Certificate>,
        middle: Arc<Certificate>,
        leaf: Arc<Certificate>,
    }

    fn parameters(name: &str, ca: bool) -> CertificateParams {
        let names = if ca { Vec::new() } else { vec![name.to_owned()] };
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.use_authority_key_identifier_extension = true;
        if ca {
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        parameters
    }

    fn chain_with(change: impl Fn(&str, &mut CertificateParams)) -> Chain {
        let keys = [(); 3].map(|()| KeyPair::generate().unwrap());
        let mut made = ["Test Root", "Test Middle", "a.example.test"].map(|name| parameters(name, !name.contains('.')));
        for (name, parameters) in ["root", "middle", "leaf"].into_iter().zip(&mut made) {
            change(name, parameters);
        }
        let read = |certificate: rcgen::Certificate| Arc::new(Certificate::read(certificate.der()));
        let root = read(made[0].self_signed(&keys[0]).unwrap());
        let middle = read(made[1].signed_by(&keys[1], &Issuer::from_params(&made[0], &keys[0])).unwrap());
        let leaf = read(made[2].signed_by(&keys[2], &Issuer::from_params(&made[1], &keys[1])).unwrap());
        Chain { root, middle, leaf }
    }

    fn chain() -> Chain {
        chain_with(|_, _| {})
    }

    fn lenient() -> PathPolicy {
        PathPolicy::of(&tlswhy_model::ClientPolicy::default())
    }

    fn judged(
        sent: &[&Arc<Certificate>],
        known: &[&Arc<Certificate>],
        anchors: &[&Arc<Certificate>],
        policy: &PathPolicy,
    ) -> Judgement {
        let sent: Vec<_> = sent.iter().map(|certificate| Arc::clone(certificate)).collect();
        let known: Vec<_> = known
            .iter()
            .map(|certificate| Known { certificate: Arc::clone(certificate), source: "a file".to_owned() })
            .collect();
        let anchors: Vec<_> =
            anchors.iter().map(|certificate| Anchor { certificate: Arc::clone(certificate), distrust_after: None }).collect();
        judge(&Situation {
            sent: &sent,
            known: &known,
            anchors: &anchors,
            policy,
            name: Some(&ServerName::Dns("a.example.test".to_owned())),
            purpose: Purpose::Server,
            now: NOW,
            maximum_intermediates: None,
            revocation_lists: &[],
            ocsp: &[],
        })
    }

    fn causes(judgement: &Judgement) -> Vec<&'static str> {
        judgement.objections.iter().map(|objection| objection.kind.cause()).collect()
    }

    #[test]
    fn a_whole_chain_is_accepted_and_served_without_its_root() {
        let made = chain();
        for sent in [vec![&made.leaf, &made.middle], vec![&made.leaf, &made.root, &made.middle, &made.middle]] {
            let judgement = judged(&sent, &[], &[&made.root], &lenient());
            assert_eq!(judgement.objections, []);
            assert_eq!(full_chain(&judgement), Some(vec![Arc::clone(&made.leaf), Arc::clone(&made.middle)]));
            assert_eq!(judgement.verifications, 2);
        }
    }

    #[test]
    fn incomplete_is_said_only_where_the_missing_certificate_is_there() {
        let made = chain();
        let judgement = judged(&[&made.leaf], &[&made.middle], &[&made.root], &lenient());
        assert_eq!(causes(&judgement), ["chain-incomplete"]);
        let ObjectionKind::Incomplete { missing } = &judgement.objections[0].kind else { panic!() };
        assert_eq!(missing, &[(Arc::clone(&made.middle), "a file".to_owned())]);
        assert_eq!(full_chain(&judgement).map(|chain| chain.len()), Some(2));
        let unknown = judged(&[&made.leaf], &[], &[&made.root], &lenient());
        assert!(matches!(&unknown.objections[0].kind, ObjectionKind::Untrusted { end: PathEnd::IssuerUnknown, .. }));
        let fetches = PathPolicy { finds_intermediates: true, ..lenient() };
        assert!(judged(&[&made.leaf], &[&made.middle], &[&made.root], &fetches).accepts());
    }

    #[test]
    fn a_root_that_is_not_trusted_is_no_missing_certificate() {
        let made = chain();
        let judgement = judged(&[&made.leaf, &made.middle], &[&made.root], &[], &lenient());
        assert_eq!(causes(&judgement), ["untrusted-root"]);
        // Known, and no root known: the path that comes further shows whose issuer is wanted next.
        let further = judged(&[&made.leaf], &[&made.middle], &[], &lenient());
        assert_eq!(further.paths.first().map(|path| path.links.len()), Some(2));
        let sent_along = judged(&[&made.leaf, &made.middle, &made.root], &[], &[], &lenient());
        assert!(matches!(&sent_along.objections[0].kind, ObjectionKind::Untrusted { end: PathEnd::SelfSigned, .. }));
    }

    #[test]
    fn the_order_matters_to_those_who_mind_it() {
        let made = chain();
        let sent = [&made.leaf, &made.root, &made.middle];
        for (order, wanted) in [(Order::Any, vec![]), (Order::Forward, vec![]), (Order::Exact, vec!["chain-misordered"])] {
            let policy = PathPolicy { order, ..lenient() };
            assert_eq!(causes(&judged(&sent, &[], &[&made.root], &policy)), wanted, "{order:?}");
        }
    }

    #[test]
    fn what_stands_in_a_row_is_said_in_the_order_in_which_it_is_met() {
        let made = chain_with(|which, parameters| {
            if which == "leaf" {
                parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
                parameters.subject_alt_names = vec![rcgen::SanType::DnsName("*.b.example.test".try_into().unwrap())];
            }
        });
        let judgement = judged(&[&made.leaf], &[&made.middle], &[&made.root], &lenient());
        assert_eq!(causes(&judgement), ["chain-incomplete", "hostname-mismatch", "certificate-expired"]);
    }

    #[test]
    fn an_issuer_of_the_right_name_and_the_wrong_key_is_a_bad_signature() {
        let (made, other) = (
            chain_with(|_, parameters| parameters.use_authority_key_identifier_extension = false),
            chain_with(|_, parameters| parameters.use_authority_key_identifier_extension = false),
        );
        let judgement = judged(&[&made.leaf, &other.middle], &[], &[&other.root], &lenient());
        assert!(matches!(&judgement.objections[0].kind, ObjectionKind::BadSignature { .. }), "{:?}", judgement.objections);
    }

    #[test]
    fn many_clients_cost_no_more_signatures_than_one() {
        let made = chain();
        let sent = [Arc::clone(&made.leaf), Arc::clone(&made.middle)];
        let anchors = [Anchor { certificate: Arc::clone(&made.root), distrust_after: None }];
        let (first, second) = (lenient(), PathPolicy::strict());
        let situation = |policy| Situation {
            sent: &sent,
            known: &[],
            anchors: &anchors,
            policy,
            name: None,
            purpose: Purpose::Server,
            now: NOW,
            maximum_intermediates: None,
            revocation_lists: &[],
            ocsp: &[],
        };
        let mut memo = Memo::default();
        let judgements = [judge_one(&situation(&first), &mut memo), judge_one(&situation(&second), &mut memo)];
        assert_eq!(judgements.iter().map(|judgement| judgement.verifications).collect::<Vec<_>>(), [2, 0]);
    }

    #[test]
    fn what_must_be_stapled_and_is_not_is_refused_by_those_who_insist() {
        let made = chain_with(|which, parameters| {
            if which == "leaf" {
                let feature = vec![0x30, 0x03, 0x02, 0x01, 0x05];
                parameters.custom_extensions =
                    vec![rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], feature)];
            }
        });
        let insists = PathPolicy { enforces_must_staple: true, ..lenient() };
        assert!(judged(&[&made.leaf, &made.middle], &[], &[&made.root], &lenient()).accepts());
        let judgement = judged(&[&made.leaf, &made.middle], &[], &[&made.root], &insists);
        assert!(matches!(
            judgement.objections.as_slice(),
            [Objection { kind: ObjectionKind::NotStapled { no_use: None }, .. }]
        ));
    }

    #[test]
    fn a_trusted_intermediate_ends_the_path_of_some() {
        let made = chain();
        assert!(!judged(&[&made.leaf], &[], &[&made.middle], &lenient()).accepts());
        let partial = PathPolicy { partial_chain: true, ..lenient() };
        assert!(judged(&[&made.leaf], &[], &[&made.middle], &partial).accepts());
    }

    #[test]
    fn another_path_is_tried_by_those_who_try() {
        let keys = [(); 3].map(|()| KeyPair::generate().unwrap());
        let (root, leaf) = (parameters("Test Root", true), parameters("a.example.test", false));
        let middle = parameters("Test Middle", true);
        let mut barred = parameters("Test Middle", true);
        barred.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("other.test".into())],
            excluded_subtrees: vec![],
        });
        let read = |certificate: rcgen::Certificate| Arc::new(Certificate::read(certificate.der()));
        let issuer = Issuer::from_params(&root, &keys[0]);
        let good = read(middle.signed_by(&keys[1], &issuer).unwrap());
        let bad = read(barred.signed_by(&keys[1], &issuer).unwrap());
        let leaf = read(leaf.signed_by(&keys[2], &Issuer::from_params(&middle, &keys[1])).unwrap());
        let root = read(root.self_signed(&keys[0]).unwrap());
        let tries = PathPolicy { tries_alternatives: true, ..lenient() };
        assert_eq!(causes(&judged(&[&leaf, &bad, &good], &[], &[&root], &lenient())), ["certificate-unsuitable"]);
        let judgement = judged(&[&leaf, &bad, &good], &[], &[&root], &tries);
        assert_eq!((judgement.accepts(), judgement.paths.len()), (true, 2));
    }
}
