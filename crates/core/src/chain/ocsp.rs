//! OCSP responses (RFC 6960): read, their signature checked, and what they say of one certificate.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use x509_parser::prelude::{FromDer, Validity, X509Certificate};

use super::asn1::{self, Der, Element, Extension};
use super::certificate::Certificate;

/// Longest response that is read, bytes.
const MAX_RESPONSE: usize = 1 << 20;
/// Most certificates of a response that are tried as its signer.
const MOST_SIGNERS: usize = 4;
/// How far clocks may be apart, seconds.
const LEEWAY: i64 = 300;

/// Content of id-pkix-ocsp-basic (1.3.6.1.5.5.7.48.1.1).
const BASIC: [u8; 9] = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// Content of the arc of OCSP's own extensions (1.3.6.1.5.5.7.48.1): nonce, CRL references, archive cutoff …
const OWN_EXTENSIONS: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 0x30, 1];
/// Content of the object identifier of SHA-1 (1.3.14.3.2.26).
const SHA1: [u8; 5] = [0x2b, 0x0e, 3, 2, 0x1a];

/// A revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When, seconds since 1970.
    pub at: i64,
    /// Why (RFC 5280 §5.3.1), such as `keyCompromise`.
    pub reason: Option<String>,
}

/// What a response says of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcspStatus {
    /// Not revoked.
    Good {
        /// When this was known to be so, seconds since 1970.
        this_update: i64,
        /// Until when; `None`: the responder always has newer information (RFC 6960 §2.4), and no end is given.
        next_update: Option<i64>,
    },
    /// Revoked.
    Revoked(Revoked),
    /// The responder does not know the certificate.
    Unknown,
    /// Whatever it says, it is too old to be relied on (RFC 6960 §3.2).
    Stale {
        /// When it should have been replaced, seconds since 1970.
        next_update: i64,
    },
}

/// What the response says of the certificate, at `now` (seconds since 1970). Clocks may be five minutes apart.
///
/// # Errors
/// In words, why the response says nothing about the certificate: it cannot be read, the responder reports an error, it is
/// signed by nobody who may, it is about another certificate, or lies in the future.
pub fn status(response: &[u8], certificate: &Certificate, issuer: &Certificate, now: i64) -> Result<OcspStatus, String> {
    let response = Response::read(response)?;
    let single = response.about(certificate, issuer)?;
    let delegate = response.signer(issuer)?;
    understood(&response.extensions)?;
    if single.this_update > now.saturating_add(LEEWAY) {
        return Err(format!("the OCSP response is of the future: thisUpdate is {}", asn1::time_text(single.this_update)));
    }
    if let Some(next_update) = single.next_update.filter(|next| next.saturating_add(LEEWAY) < now) {
        return Ok(OcspStatus::Stale { next_update });
    }
    let times = delegate.map(|validity| (validity.not_before.timestamp(), validity.not_after.timestamp()));
    if let Some((from, until)) = times.filter(|(from, until)| !(from - LEEWAY..=until + LEEWAY).contains(&now)) {
        let (from, until) = (asn1::time_text(from), asn1::time_text(until));
        return Err(format!("the certificate of the OCSP responder is not valid now: its time is {from} to {until}"));
    }
    single.status()
}

/// Why a response says nothing good and nothing bad of the certificate, in words; `None`: it says one or the other.
pub fn no_use(response: &[u8], certificate: &Certificate, issuer: &Certificate, now: i64) -> Option<String> {
    match status(response, certificate, issuer, now) {
        Ok(OcspStatus::Good { .. } | OcspStatus::Revoked(_)) => None,
        Ok(OcspStatus::Unknown) => Some("the responder does not know the certificate".to_owned()),
        Ok(OcspStatus::Stale { next_update }) => {
            Some(format!("it is too old: it should have been replaced by {}", asn1::time_text(next_update)))
        }
        Err(why) => Some(why),
    }
}

/// When the response was made, seconds since 1970: no later than now, if the responder's clock is right. The signature is not checked.
pub fn produced_at(response: &[u8]) -> Option<i64> {
    Response::read(response).ok().map(|response| response.produced_at)
}

/// An OCSPRequest about the certificate, with SHA-1 in its CertID, which every responder knows (RFC 5019 §2.1.1), and without a nonce,
/// so that it can be answered with a response made beforehand.
pub fn request(certificate: &Certificate, issuer: &Certificate) -> Vec<u8> {
    let hash = |bytes: &[u8]| asn1::encode(asn1::OCTET_STRING, &[digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()]);
    let algorithm =
        asn1::encode(asn1::SEQUENCE, &[&asn1::encode(asn1::OBJECT_IDENTIFIER, &[&SHA1]), &asn1::encode(asn1::NULL, &[])]);
    let name = hash(&issuer.subject.der);
    let key = hash(asn1::key_bits(&issuer.spki).unwrap_or_default());
    let serial = asn1::encode(asn1::INTEGER, &[&certificate.serial]);
    let id = asn1::encode(asn1::SEQUENCE, &[&algorithm, &name, &key, &serial]);
    // Request in requestList in TBSRequest in OCSPRequest.
    (0..4).fold(id, |inner, _| asn1::encode(asn1::SEQUENCE, &[&inner]))
}

/// A BasicOCSPResponse.
struct Response<'a> {
    /// tbsResponseData as it is signed.
    signed: &'a [u8],
    /// AlgorithmIdentifier.
    algorithm: &'a [u8],
    signature: &'a [u8],
    /// The certificates that came with it.
    certificates: Der<'a>,
    responder: Element<'a>,
    produced_at: i64,
    singles: Der<'a>,
    extensions: Vec<Extension<'a>>,
}

impl<'a> Response<'a> {
    fn read(bytes: &'a [u8]) -> Result<Response<'a>, String> {
        if bytes.len() > MAX_RESPONSE {
            return Err(format!("the OCSP response is longer than {MAX_RESPONSE} bytes"));
        }
        let mut outer = Der::only(bytes, asn1::SEQUENCE, "the OCSP response")?.inside();
        let code = outer.expect(asn1::ENUMERATED, "the status of the OCSP response")?.content;
        if code != [0] {
            return Err(format!("the OCSP responder answered with an error: {}", responder_error(code)));
        }
        let mut typed = outer.expect(asn1::context(0), "the bytes of the OCSP response")?.inside();
        let mut typed = typed.expect(asn1::SEQUENCE, "the bytes of the OCSP response")?.inside();
        let kind = typed.expect(asn1::OBJECT_IDENTIFIER, "the type of the OCSP response")?.content;
        if kind != BASIC {
            return Err(format!("the OCSP response is of a type that is not read here: {}", asn1::dotted(kind)));
        }
        let basic = typed.expect(asn1::OCTET_STRING, "the bytes of the OCSP response")?.content;

        let mut basic = Der::only(basic, asn1::SEQUENCE, "the basic OCSP response")?.inside();
        let data = basic.expect(asn1::SEQUENCE, "the data of the OCSP response")?;
        let algorithm = basic.expect(asn1::SEQUENCE, "the signature algorithm of the OCSP response")?.whole;
        let signature = basic.expect(asn1::BIT_STRING, "the signature of the OCSP response")?.content;
        let list = basic.optional(asn1::context(0)).and_then(|certificates| certificates.inside().optional(asn1::SEQUENCE));
        let certificates = list.map_or(Der::new(&[]), Element::inside);

        let mut inside = data.inside();
        inside.optional(asn1::context(0));
        let responder = inside.next().ok_or("the responder of the OCSP response cannot be read")?;
        let produced_at = inside.time("producedAt of the OCSP response")?;
        let singles = inside.expect(asn1::SEQUENCE, "the list in the OCSP response")?.inside();
        let extensions = extensions(inside)?;
        Ok(Response { signed: data.whole, algorithm, signature, certificates, responder, produced_at, singles, extensions })
    }

    /// The part that is about this certificate.
    fn about(&self, certificate: &Certificate, issuer: &Certificate) -> Result<Single<'a>, String> {
        let mut reason = "it is about no certificate";
        let mut singles = self.singles;
        while !singles.is_empty() {
            let single = Single::read(singles.expect(asn1::SEQUENCE, "a part of the OCSP response")?)?;
            match single.id.fits(certificate, issuer) {
                None => return Ok(single),
                Some(why) => reason = why,
            }
        }
        Err(format!("the OCSP response says nothing about this certificate: {reason}"))
    }

    /// Who signed it: the issuer (`None`), or a certificate in the response that the issuer made for this (RFC 6960 §4.2.2.2).
    fn signer(&self, issuer: &Certificate) -> Result<Option<Validity>, String> {
        if self.names(&issuer.subject.der, &issuer.spki) {
            return self.signed_with(&issuer.spki).map(|()| None);
        }
        let mut certificates = self.certificates;
        for _ in 0..MOST_SIGNERS {
            let Some(element) = certificates.next() else { break };
            let Ok((_, delegate)) = X509Certificate::from_der(element.whole) else { continue };
            if !self.names(delegate.subject().as_raw(), delegate.public_key().raw) {
                continue;
            }
            let usage = delegate.extended_key_usage().ok().flatten();
            if !usage.is_some_and(|usage| usage.value.ocsp_signing) {
                return Err("the certificate that signed the OCSP response is not made for it (OCSPSigning)".to_owned());
            }
            issued(issuer, element, &delegate)?;
            self.signed_with(delegate.public_key().raw)?;
            return Ok(Some(delegate.validity().clone()));
        }
        Err("the OCSP response is signed neither by the issuer nor by a certificate that came with it".to_owned())
    }

    /// Fails unless this key signed it.
    fn signed_with(&self, spki: &[u8]) -> Result<(), String> {
        let broken = |why| format!("the signature of the OCSP response cannot be relied on: {why}");
        asn1::signed(spki, self.algorithm, self.signature, self.signed).map_err(broken)
    }

    /// Whether this name or key is the one that the response gives as its signer's.
    fn names(&self, subject: &[u8], spki: &[u8]) -> bool {
        let mut inside = self.responder.inside();
        if self.responder.tag == asn1::context(1) {
            return inside.next().is_some_and(|name| name.whole == subject);
        }
        let hash = inside.optional(asn1::OCTET_STRING).filter(|_| self.responder.tag == asn1::context(2));
        hash.zip(asn1::key_bits(spki))
            .is_some_and(|(hash, bits)| digest(&SHA1_FOR_LEGACY_USE_ONLY, bits).as_ref() == hash.content)
    }
}

/// Fails unless the issuer signed this certificate, in its own name.
fn issued(issuer: &Certificate, whole: Element<'_>, delegate: &X509Certificate<'_>) -> Result<(), String> {
    let broken = |why: String| format!("the issuer did not make the certificate of the OCSP responder: {why}");
    if delegate.issuer().as_raw() != issuer.subject.der {
        return Err(broken("it names another issuer".to_owned()));
    }
    let mut inside = whole.inside();
    let signed = inside.expect(asn1::SEQUENCE, "it")?;
    let algorithm = inside.expect(asn1::SEQUENCE, "its signature algorithm")?;
    let signature = inside.expect(asn1::BIT_STRING, "its signature")?;
    asn1::signed(&issuer.spki, algorithm.whole, signature.content, signed.whole).map_err(broken)
}

/// A SingleResponse.
struct Single<'a> {
    id: CertId<'a>,
    state: Element<'a>,
    this_update: i64,
    next_update: Option<i64>,
    extensions: Vec<Extension<'a>>,
}

impl<'a> Single<'a> {
    fn read(element: Element<'a>) -> Result<Single<'a>, String> {
        let mut inside = element.inside();
        let id = CertId::read(inside.expect(asn1::SEQUENCE, "CertID of the OCSP response")?)?;
        let state = inside.next().ok_or("certStatus of the OCSP response cannot be read")?;
        let this_update = inside.time("thisUpdate of the OCSP response")?;
        let next_update = match inside.optional(asn1::context(0)) {
            Some(next) => Some(next.inside().time("nextUpdate of the OCSP response")?),
            None => None,
        };
        Ok(Single { id, state, this_update, next_update, extensions: extensions(inside)? })
    }

    fn status(&self) -> Result<OcspStatus, String> {
        understood(&self.extensions)?;
        match self.state.tag {
            tag if tag == asn1::context_primitive(0) => {
                Ok(OcspStatus::Good { this_update: self.this_update, next_update: self.next_update })
            }
            tag if tag == asn1::context(1) => {
                let mut inside = self.state.inside();
                let at = inside.time("revocationTime of the OCSP response")?;
                let code = inside.optional(asn1::context(0)).and_then(|reason| reason.inside().optional(asn1::ENUMERATED));
                let reason = code.and_then(|code| asn1::revocation_reason(code.content)).map(str::to_owned);
                Ok(OcspStatus::Revoked(Revoked { at, reason }))
            }
            tag if tag == asn1::context_primitive(2) => Ok(OcspStatus::Unknown),
            tag => Err(format!("the OCSP response has a status that does not exist: tag {tag:#04x}")),
        }
    }
}

/// A CertID.
struct CertId<'a> {
    algorithm: &'a [u8],
    name: &'a [u8],
    key: &'a [u8],
    serial: &'a [u8],
}

impl<'a> CertId<'a> {
    fn read(element: Element<'a>) -> Result<CertId<'a>, String> {
        let what = "CertID of the OCSP response";
        let mut inside = element.inside();
        let algorithm = inside.expect(asn1::SEQUENCE, what)?.inside().expect(asn1::OBJECT_IDENTIFIER, what)?.content;
        let name = inside.expect(asn1::OCTET_STRING, what)?.content;
        let key = inside.expect(asn1::OCTET_STRING, what)?.content;
        let serial = inside.expect(asn1::INTEGER, what)?.content;
        Ok(CertId { algorithm, name, key, serial })
    }

    /// Why it is not this certificate, if it is not.
    fn fits(&self, certificate: &Certificate, issuer: &Certificate) -> Option<&'static str> {
        if asn1::unpadded(self.serial) != asn1::unpadded(&certificate.serial) {
            return Some("it is about another serial number");
        }
        let Some(algorithm) = hash(self.algorithm) else {
            return Some("it names the issuer by a digest that is not computed here");
        };
        let same = |wanted: &[u8], bytes: &[u8]| digest(algorithm, bytes).as_ref() == wanted;
        if !same(self.name, &issuer.subject.der) {
            return Some("it is about a certificate of another issuer");
        }
        let key = asn1::key_bits(&issuer.spki).is_some_and(|bits| same(self.key, bits));
        (!key).then_some("it is about a certificate that another key of the issuer signed")
    }
}

/// The digest with this object identifier.
fn hash(oid: &[u8]) -> Option<&'static Algorithm> {
    // 2.16.840.1.101.3.4.2: the hash algorithms of NIST.
    const NIST: [u8; 8] = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];
    match oid.strip_prefix(&NIST) {
        Some([1]) => Some(&SHA256),
        Some([2]) => Some(&SHA384),
        Some([3]) => Some(&SHA512),
        _ => (oid == SHA1).then_some(&SHA1_FOR_LEGACY_USE_ONLY),
    }
}

/// Extensions at the end of a structure, in `[1]`.
fn extensions(mut rest: Der<'_>) -> Result<Vec<Extension<'_>>, String> {
    match rest.optional(asn1::context(1)) {
        Some(tagged) => Extension::list(tagged.inside().expect(asn1::SEQUENCE, "the extensions of the OCSP response")?),
        None => Ok(Vec::new()),
    }
}

fn understood(extensions: &[Extension<'_>]) -> Result<(), String> {
    let unknown = extensions.iter().find(|extension| extension.critical && !extension.oid.starts_with(&OWN_EXTENSIONS));
    unknown.map_or(Ok(()), |extension| {
        Err(format!("the OCSP response has a critical extension that is unknown: {}", asn1::dotted(extension.oid)))
    })
}

/// OCSPResponseStatus (RFC 6960 §4.2.1) in its own words.
fn responder_error(code: &[u8]) -> String {
    match code {
        [1] => "malformedRequest".to_owned(),
        [2] => "internalError".to_owned(),
        [3] => "tryLater".to_owned(),
        [5] => "sigRequired".to_owned(),
        [6] => "unauthorized".to_owned(),
        _ => format!("status 0x{}", code.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}
