//! A chain for people and programs: each certificate in words, and what becomes of them in each trust store.

use std::sync::Arc;

use tlswhy_model::{CertificateView, ChainView, StoreView, printable};

use super::{Anchor, Certificate, Known, Link, Origin, PathEnd, PathPolicy, Purpose, Situation, judge};

/// Most names of a certificate that are shown.
const MOST_NAMES: usize = 100;
/// Most certificates that are shown.
const MOST: usize = 100;

/// The certificates as sent, and the paths that they make in each of the stores (name, source, anchors). Names asked for and
/// revocation play no part.
pub fn view(
    sent: &[Arc<Certificate>],
    known: &[Known],
    stores: &[(String, String, Vec<Anchor>)],
    policy: &PathPolicy,
    now: i64,
) -> ChainView {
    let mut view = ChainView::default();
    let mut used = vec![false; sent.len()];
    let mut elsewhere: Vec<(Arc<Certificate>, String)> = Vec::new();
    for (name, source, anchors) in stores {
        let judgement = judge(&Situation {
            sent,
            known,
            anchors,
            policy,
            name: None,
            purpose: Purpose::Server,
            now,
            maximum_intermediates: None,
            revocation_lists: &[],
            ocsp: &[],
        });
        let path = judgement.paths.first();
        let links: &[Link] = path.map(|path| path.links.as_slice()).unwrap_or_default();
        for link in judgement.paths.iter().flat_map(|path| &path.links) {
            // Also where the client took its own copy of what was sent.
            for (sent, used) in sent.iter().zip(&mut used) {
                *used |= sent.sha256 == link.certificate.sha256;
            }
        }
        for link in links {
            let from = match link.origin {
                Origin::Sent(_) => continue,
                Origin::Anchor(_) => source.clone(),
                Origin::Known(number) => known.get(number).map(|known| known.source.clone()).unwrap_or_default(),
            };
            if !elsewhere.iter().any(|(other, _)| other.sha256 == link.certificate.sha256) {
                elsewhere.push((Arc::clone(&link.certificate), from));
            }
        }
        let trusted = path.is_some_and(|path| path.end == PathEnd::Anchor);
        let top = links.last().map(|link| link.certificate.subject.text.clone()).unwrap_or_default();
        let says = match judgement.objections.first() {
            None => format!("trusted: leads to {top}"),
            Some(objection) => objection.kind.says(&objection.subject),
        };
        view.stores.push(StoreView {
            store: name.clone(),
            source: printable(source, 200),
            trusted: trusted && judgement.accepts(),
            path: links.iter().map(|link| link.certificate.fingerprint()).collect(),
            says,
        });
    }
    for (place, certificate) in sent.iter().enumerate().take(MOST) {
        let mut shown = certificate_view(certificate, now);
        shown.place = u32::try_from(place).ok();
        let same = |other: &Arc<Certificate>| other.sha256 == certificate.sha256;
        if sent.iter().take(place).any(same) {
            shown.remarks.push("sent more than once".to_owned());
        } else if place > 0 && certificate.is_self_signed() && issues_another(sent, certificate) {
            shown.remarks.push("a root: need not be sent".to_owned());
        } else if place > 0 && !used.get(place).copied().unwrap_or(true) {
            shown.remarks.push("a stranger: it has no part in any path".to_owned());
        }
        view.certificates.push(shown);
    }
    for (certificate, source) in elsewhere {
        if !sent.iter().any(|sent| sent.sha256 == certificate.sha256) {
            let mut shown = certificate_view(&certificate, now);
            shown.source = Some(printable(&source, 200));
            view.certificates.push(shown);
        }
    }
    view
}

/// Whether one of the others names it as its issuer.
fn issues_another(sent: &[Arc<Certificate>], certificate: &Certificate) -> bool {
    sent.iter().any(|other| other.sha256 != certificate.sha256 && other.issuer.der == certificate.subject.der)
}

/// One certificate in words.
pub fn certificate_view(certificate: &Certificate, now: i64) -> CertificateView {
    let time = |seconds: i64| jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut names = certificate.names();
    let hidden = names.len().saturating_sub(MOST_NAMES);
    names.truncate(MOST_NAMES);
    if hidden > 0 {
        names.push(format!("and {hidden} more"));
    }
    let defects = certificate.defects.iter().map(|defect| format!("{}, at byte {}", printable(&defect.what, 200), defect.at));
    CertificateView {
        sha256: certificate.fingerprint(),
        place: None,
        source: None,
        subject: certificate.subject.text.clone(),
        issuer: certificate.issuer.text.clone(),
        serial: hex(&certificate.serial),
        not_before: time(certificate.not_before),
        not_after: time(certificate.not_after),
        days_left: certificate.not_after.saturating_sub(now).div_euclid(86_400),
        key: certificate.key.map_or_else(|| "unknown".to_owned(), super::KeyKind::name),
        signature: printable(&certificate.signature.name, 80),
        names,
        spki_sha256: hex(&certificate.spki_sha256),
        ca: certificate.basic_constraints.is_some_and(|constraints| constraints.ca),
        remarks: defects.take(4).collect(),
    }
}
