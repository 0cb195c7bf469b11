//! One chain on its way to being judged.

use std::sync::Arc;

use tlswhy_core::chain::Certificate;
use tlswhy_model::printable;

use super::asking::Presented;
use crate::render::chain::Facts;

/// Most certificates of one chain that are looked at.
const MOST: usize = 100;
/// Most characters of a URL that are shown.
pub(super) const LONGEST_URL: usize = 300;

/// One chain on its way to being judged.
pub(super) struct Chain {
    /// The kinds of keys that a client with no other gets it for.
    pub(super) kinds: Vec<&'static str>,
    /// End entity first.
    pub(super) certificates: Vec<Arc<Certificate>>,
    /// The place of each as it came.
    pub(super) places: Vec<usize>,
    /// The stapled OCSP response, DER.
    pub(super) staple: Option<Vec<u8>>,
}

impl Chain {
    /// Reads what was presented.
    pub(super) fn of(presented: Presented) -> Chain {
        let certificates: Vec<_> =
            presented.certificates.iter().take(MOST).map(|der| Arc::new(Certificate::read(der))).collect();
        let places = (0..certificates.len()).collect();
        Chain { kinds: presented.kinds, certificates, places, staple: presented.staple }
    }

    /// Puts the end entity first, where an authority stands there that issued another of them; says whether it had to.
    pub(super) fn sort(&mut self) -> bool {
        let is_issuer = |first: &Certificate, rest: &[Arc<Certificate>]| {
            first.is_self_signed() && rest.len() > 1 || rest.iter().skip(1).any(|other| other.issuer.der == first.subject.der)
        };
        let is_ca = |certificate: &Certificate| certificate.basic_constraints.is_some_and(|constraints| constraints.ca);
        let Some(first) = self.certificates.first() else { return false };
        if !is_ca(first) || !is_issuer(first, &self.certificates) {
            return false;
        }
        let Some(leaf) = self.certificates.iter().position(|certificate| !is_ca(certificate)) else { return false };
        self.certificates[..=leaf].rotate_right(1);
        self.places[..=leaf].rotate_right(1);
        true
    }
}

/// What the drawing shows of a certificate beyond its view.
pub(super) fn facts_of(certificate: &Certificate) -> Facts {
    let shown = |urls: &[String]| urls.iter().map(|url| printable(url, LONGEST_URL)).collect();
    let mut says = Vec::new();
    if certificate.must_staple {
        says.push("must be stapled (RFC 7633)".to_owned());
    }
    if certificate.embedded_scts > 0 {
        says.push(format!("certificate transparency: {} timestamps (SCT) embedded", certificate.embedded_scts));
    }
    Facts {
        issuer_urls: shown(&certificate.issuer_urls),
        ocsp_urls: shown(&certificate.ocsp_urls),
        crl_urls: shown(&certificate.crl_urls),
        must_staple: certificate.must_staple,
        embedded_scts: certificate.embedded_scts,
        says,
    }
}
