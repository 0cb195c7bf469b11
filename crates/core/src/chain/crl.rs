//! Certificate revocation lists (RFC 5280 §5). A list may be of many megabytes: it is walked through, never held in parts.

use super::asn1::{self, Der, Element, Extension};
use super::certificate::Certificate;
use super::ocsp::Revoked;

/// Longest list that is read, bytes.
const MAX_LIST: usize = 64 << 20;
/// How far clocks may be apart, seconds.
const LEEWAY: i64 = 300;
/// The bit cRLSign of keyUsage (RFC 5280 §4.2.1.3).
const CRL_SIGN: u16 = 1 << 6;

/// Contents of the object identifiers of extensions, all under id-ce (2.5.29).
mod id {
    pub(super) const ISSUER_ALTERNATIVE_NAME: [u8; 3] = [0x55, 0x1d, 18];
    pub(super) const CRL_NUMBER: [u8; 3] = [0x55, 0x1d, 20];
    pub(super) const REASON: [u8; 3] = [0x55, 0x1d, 21];
    pub(super) const INVALIDITY_DATE: [u8; 3] = [0x55, 0x1d, 24];
    pub(super) const DELTA: [u8; 3] = [0x55, 0x1d, 27];
    pub(super) const DISTRIBUTION_POINT: [u8; 3] = [0x55, 0x1d, 28];
    pub(super) const AUTHORITY_KEY: [u8; 3] = [0x55, 0x1d, 35];
}

/// Whether the list says that the certificate is revoked, at `now` (seconds since 1970). Clocks may be five minutes apart.
/// `strict` demands what RFC 5280 does of the list itself.
///
/// # Errors
/// In words, why the list says nothing about the certificate: it is of another issuer or for other certificates, it is not good
/// (encoding, signature, extensions), or it is not of this time.
pub fn revoked(
    list: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    now: i64,
    strict: bool,
) -> Result<Option<Revoked>, String> {
    let list = List::read(list)?;
    list.understood(strict)?;
    if list.issuer != issuer.subject.der || list.issuer != certificate.issuer.der {
        return Err("the revocation list is of another issuer".to_owned());
    }
    if issuer.key_usage.is_some_and(|usage| usage & CRL_SIGN == 0) {
        return Err(format!("{} may not sign revocation lists (keyUsage without cRLSign)", issuer.subject.text));
    }
    list.covers(certificate)?;
    list.is_of(now)?;
    asn1::signed(&issuer.spki, list.algorithm, list.signature, list.signed)
        .map_err(|why| format!("the signature of the revocation list cannot be relied on: {why}"))?;
    list.entry(certificate)
}

/// A CertificateList.
struct List<'a> {
    is_version_2: bool,
    /// tbsCertList as it is signed.
    signed: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    /// DER of the name.
    issuer: &'a [u8],
    this_update: i64,
    next_update: Option<i64>,
    entries: Der<'a>,
    extensions: Vec<Extension<'a>>,
}

impl<'a> List<'a> {
    fn read(bytes: &'a [u8]) -> Result<List<'a>, String> {
        if bytes.len() > MAX_LIST {
            return Err(format!("the revocation list is longer than {MAX_LIST} bytes"));
        }
        let mut outer = Der::only(bytes, asn1::SEQUENCE, "the revocation list")?.inside();
        let list = outer.expect(asn1::SEQUENCE, "the content of the revocation list")?;
        let algorithm = outer.expect(asn1::SEQUENCE, "the signature algorithm of the revocation list")?.whole;
        let signature = outer.expect(asn1::BIT_STRING, "the signature of the revocation list")?.content;
        if !outer.is_empty() {
            return Err("bytes are left over after the signature of the revocation list".to_owned());
        }

        let mut inside = list.inside();
        let version = inside.optional(asn1::INTEGER).map(|version| version.content);
        if inside.expect(asn1::SEQUENCE, "the signature algorithm of the revocation list")?.whole != algorithm {
            return Err("the revocation list names two signature algorithms".to_owned());
        }
        let issuer = inside.expect(asn1::SEQUENCE, "the issuer of the revocation list")?.whole;
        let this_update = inside.time("thisUpdate of the revocation list")?;
        let next_update = inside.optional_time();
        let entries = inside.optional(asn1::SEQUENCE).map_or(Der::new(&[]), Element::inside);
        let extensions = match inside.optional(asn1::context(0)) {
            Some(tagged) => Extension::list(tagged.inside().expect(asn1::SEQUENCE, "the extensions of the revocation list")?)?,
            None => Vec::new(),
        };
        if !inside.is_empty() {
            return Err("the revocation list cannot be read to its end".to_owned());
        }
        let is_version_2 = version == Some(&[1]);
        Ok(List {
            is_version_2,
            signed: list.whole,
            algorithm,
            signature,
            issuer,
            this_update,
            next_update,
            entries,
            extensions,
        })
    }

    fn extension(&self, oid: [u8; 3]) -> Option<&Extension<'a>> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// Fails on extensions that are not as they must be. Lists of private authorities often lack what RFC 5280 demands and
    /// clients do not look for: only `strict` minds.
    fn understood(&self, strict: bool) -> Result<(), String> {
        if strict && !self.is_version_2 {
            return Err("the revocation list is not of version 2 (RFC 5280 §5.1.2.1)".to_owned());
        }
        if self.extension(id::DELTA).is_some() {
            return Err("the revocation list holds only changes to another one (a delta list)".to_owned());
        }
        match self.extension(id::CRL_NUMBER) {
            None if strict => return Err("the revocation list has no cRLNumber (RFC 5280 §5.2.3)".to_owned()),
            Some(number) if strict && number.critical => {
                return Err("cRLNumber of the revocation list is critical (RFC 5280 §5.2.3)".to_owned());
            }
            _ => {}
        }
        let known = [id::ISSUER_ALTERNATIVE_NAME, id::CRL_NUMBER, id::DISTRIBUTION_POINT, id::AUTHORITY_KEY];
        unknown_critical(&self.extensions, &known)
    }

    /// Fails unless the list is for this certificate too (issuingDistributionPoint, RFC 5280 §5.2.5 and §6.3.3).
    fn covers(&self, certificate: &Certificate) -> Result<(), String> {
        let Some(extension) = self.extension(id::DISTRIBUTION_POINT) else { return Ok(()) };
        let what = "issuingDistributionPoint of the revocation list";
        let mut fields = Der::only(extension.value, asn1::SEQUENCE, what)?.inside();
        let is_ca = certificate.basic_constraints.is_some_and(|constraints| constraints.ca);
        while !fields.is_empty() {
            let field = fields.next().ok_or_else(|| format!("{what} cannot be read"))?;
            let says_so = field.content.iter().any(|byte| *byte != 0);
            let scope = match field.tag {
                tag if tag == asn1::context(0) => {
                    (!names_one_of(field, &certificate.crl_urls)).then_some("of another distribution point")
                }
                0x81 => (says_so && is_ca).then_some("for end entities only"),
                0x82 => (says_so && !is_ca).then_some("for CAs only"),
                0x83 => Some("for some reasons of revocation only"),
                0x84 => says_so.then_some("for the certificates of several issuers (indirect), which is not read here"),
                0x85 => says_so.then_some("for attribute certificates only"),
                _ => return Err(format!("{what} cannot be read")),
            };
            if let Some(scope) = scope {
                return Err(format!("the revocation list is {scope}"));
            }
        }
        Ok(())
    }

    fn is_of(&self, now: i64) -> Result<(), String> {
        if self.this_update > now.saturating_add(LEEWAY) {
            return Err(format!("the revocation list is of the future: thisUpdate is {}", asn1::time_text(self.this_update)));
        }
        let next = self.next_update.ok_or("the revocation list has no nextUpdate (RFC 5280 §5.1.2.5)")?;
        if next.saturating_add(LEEWAY) < now {
            return Err(format!("the revocation list is too old: nextUpdate was {}", asn1::time_text(next)));
        }
        Ok(())
    }

    /// The certificate's entry. All entries are read: a critical extension that is unknown spoils the list (RFC 5280 §5.3).
    fn entry(&self, certificate: &Certificate) -> Result<Option<Revoked>, String> {
        let what = "an entry of the revocation list";
        let wanted = asn1::unpadded(&certificate.serial);
        let mut found = None;
        let mut entries = self.entries;
        while !entries.is_empty() {
            let mut entry = entries.expect(asn1::SEQUENCE, what)?.inside();
            let serial = entry.expect(asn1::INTEGER, what)?.content;
            let at = entry.time(what)?;
            let extensions = match entry.optional(asn1::SEQUENCE) {
                Some(extensions) => Extension::list(extensions)?,
                None => Vec::new(),
            };
            unknown_critical(&extensions, &[id::REASON, id::INVALIDITY_DATE])?;
            if asn1::unpadded(serial) == wanted {
                let reason = extensions.iter().find(|extension| extension.oid == id::REASON);
                let code = reason.and_then(|reason| Der::new(reason.value).optional(asn1::ENUMERATED));
                let reason = code.and_then(|code| asn1::revocation_reason(code.content)).map(str::to_owned);
                found = Some(Revoked { at, reason });
            }
        }
        Ok(found)
    }
}

/// Whether a DistributionPointName holds one of the addresses.
fn names_one_of(point: Element<'_>, urls: &[String]) -> bool {
    // distributionPoint [0] { fullName [0] { uniformResourceIdentifier [6] … } }
    let Some(full) = point.inside().optional(asn1::context(0)) else { return false };
    let mut names = full.inside();
    while let Some(name) = names.next() {
        if name.tag == asn1::context_primitive(6) && urls.iter().any(|url| url.as_bytes() == name.content) {
            return true;
        }
    }
    false
}

fn unknown_critical(extensions: &[Extension<'_>], known: &[[u8; 3]]) -> Result<(), String> {
    let unknown = extensions.iter().find(|extension| extension.critical && !known.iter().any(|oid| extension.oid == *oid));
    unknown.map_or(Ok(()), |extension| {
        Err(format!("the revocation list has a critical extension that is unknown: {}", asn1::dotted(extension.oid)))
    })
}
