//! Reading a certificate as far as it can be read.

use std::ops::Range;
use std::sync::Arc;

use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};

use super::KeyKind;
use super::algorithms::algorithm;
use super::certificate::{AlternativeName, Certificate, Defect, Name};
use super::der::{BIT_STRING, INTEGER, Item, Reader, SEQUENCE, Stop, irregularity, time};
use super::distinguished::attributes;

impl Certificate {
    /// Reads a certificate. What cannot be read is a [`Defect`], and everything else stands.
    pub fn read(der: &[u8]) -> Certificate {
        let mut read = Certificate { der: Arc::from(der), sha256: sha256(der), ..Certificate::default() };
        if let Err(stop) = read.outer(der) {
            read.defects.push(Defect { at: stop.at, what: stop.what, fatal: true, extension: None });
        } else if let Some(stop) = irregularity(der, 0) {
            read.defect(stop, None);
        }
        for name in [&mut read.subject, &mut read.issuer] {
            if name.text.is_empty() {
                "(a name that cannot be read)".clone_into(&mut name.text);
            }
        }
        read
    }

    fn outer(&mut self, der: &[u8]) -> Result<(), Stop> {
        let mut all = Reader::new(der, 0);
        let mut parts = all.expect(SEQUENCE, "certificate")?.reader();
        let signed = parts.expect(SEQUENCE, "tbsCertificate")?;
        self.signed = range(&signed);
        self.body(&signed)?;
        let named = parts.expect(SEQUENCE, "signatureAlgorithm")?;
        self.signature_algorithm = range(&named);
        self.signature.consistent = self.signature.consistent && {
            let inner = der.get(self.inner_algorithm.clone()).unwrap_or_default();
            inner == named.whole
        };
        let value = parts.expect(BIT_STRING, "signatureValue")?;
        self.signature_value = value.start.saturating_add(1)..value.start.saturating_add(value.content.len());
        parts.end("certificate")?;
        all.end("behind the certificate")
    }

    fn body(&mut self, signed: &Item<'_>) -> Result<(), Stop> {
        let mut parts = signed.reader();
        self.version = match parts.optional(0xa0, "version")? {
            Some(version) => match version.reader().expect(INTEGER, "version")?.content {
                [number @ 0..=2] => u32::from(*number) + 1,
                _ => {
                    self.defect(version.stop("a version that does not exist"), None);
                    0
                }
            },
            None => 1,
        };
        self.serial = parts.expect(INTEGER, "serialNumber")?.content.to_vec();
        let named = parts.expect(SEQUENCE, "signature")?;
        self.inner_algorithm = range(&named);
        self.signature = algorithm(&named)?;
        self.issuer = self.name(&parts.expect(SEQUENCE, "issuer")?);
        let mut validity = parts.expect(SEQUENCE, "validity")?.reader();
        self.not_before = self.time(&validity.next("notBefore")?)?;
        self.not_after = self.time(&validity.next("notAfter")?)?;
        self.subject = self.name(&parts.expect(SEQUENCE, "subject")?);
        self.self_issued = self.subject.der == self.issuer.der;
        self.key_info(&parts.expect(SEQUENCE, "subjectPublicKeyInfo")?);
        parts.optional(0x81, "issuerUniqueID")?;
        parts.optional(0x82, "subjectUniqueID")?;
        if let Some(extensions) = parts.optional(0xa3, "extensions")? {
            if self.version != 3 {
                self.defect(extensions.stop("extensions in a certificate that is not of version 3"), None);
            }
            let mut list = extensions.reader().expect(SEQUENCE, "extensions")?.reader();
            while !list.is_empty() {
                let extension = list.expect(SEQUENCE, "extension")?;
                self.extension(&extension)?;
            }
        }
        parts.end("tbsCertificate")
    }

    fn name(&mut self, item: &Item<'_>) -> Name {
        let (name, stop) = Name::read(item.whole, item.at);
        if let Some(stop) = stop {
            self.defect(stop, None);
        }
        name
    }

    fn time(&mut self, item: &Item<'_>) -> Result<i64, Stop> {
        let (time, irregular) = time(item)?;
        if let Some(what) = irregular {
            self.defect(item.stop(what), None);
        }
        Ok(time)
    }

    fn key_info(&mut self, item: &Item<'_>) {
        self.spki = item.whole.to_vec();
        self.spki_sha256 = sha256(item.whole);
        match SubjectPublicKeyInfo::from_der(item.whole) {
            Ok((_, info)) => {
                self.key = KeyKind::of_info(&info);
                self.key_algorithm = info.algorithm.algorithm.to_id_string();
            }
            Err(_) => self.defect(item.stop("the public key cannot be read"), None),
        }
    }

    pub(super) fn defect(&mut self, stop: Stop, extension: Option<&str>) {
        self.defects.push(Defect { at: stop.at, what: stop.what, fatal: false, extension: extension.map(str::to_owned) });
    }

    /// Whether it can be read at all.
    pub fn readable(&self) -> bool {
        self.defects.iter().all(|defect| !defect.fatal)
    }

    /// Subject and issuer are the same name, and, where both are given, the key identifiers the same too. Whether its own key
    /// signed it is for the signature to say.
    pub fn is_self_signed(&self) -> bool {
        let same_key = match (&self.authority_key, &self.subject_key) {
            (Some(authority), Some(subject)) => authority == subject,
            _ => true,
        };
        self.readable() && self.self_issued && same_key
    }

    /// The subjectAltNames in words, printable.
    pub fn names(&self) -> Vec<String> {
        const LONGEST: usize = 120;
        let show = |text: &str| tlswhy_model::printable(text, LONGEST);
        self.alternative_names
            .iter()
            .flatten()
            .map(|name| match name {
                AlternativeName::Dns(text) | AlternativeName::Email(text) | AlternativeName::Uri(text) => show(text),
                AlternativeName::Address(address) => address.to_string(),
                AlternativeName::BadAddress(bytes) => format!("an address of {} bytes", bytes.len()),
                AlternativeName::Directory(der) => Name::read(der, 0).0.text,
                AlternativeName::Other(tag) => format!("a name of another kind ({tag})"),
            })
            .collect()
    }

    /// SHA-256 of the certificate, hexadecimal.
    pub fn fingerprint(&self) -> String {
        self.sha256.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The bytes that its signature is over.
    pub(super) fn signed_bytes(&self) -> &[u8] {
        self.der.get(self.signed.clone()).unwrap_or_default()
    }

    /// Values of one attribute type of the subject, not made printable.
    pub(super) fn subject_texts(&self, oid: &str) -> Vec<String> {
        let found = attributes(&self.subject.der, 0).unwrap_or_default();
        found.iter().filter(|attribute| attribute.oid == oid).map(super::distinguished::Attribute::text).collect()
    }
}

pub(super) fn range(item: &Item<'_>) -> Range<usize> {
    item.at..item.at.saturating_add(item.whole.len())
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    <[u8; 32]>::try_from(digest.as_ref()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tlswhy_wire::NamedGroup;

    use super::*;

    fn made() -> Vec<u8> {
        let mut parameters = rcgen::CertificateParams::new(vec!["a.example.test".to_owned(), "192.0.2.1".to_owned()]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(2));
        parameters.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
        parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_whole_certificate_is_read() {
        let read = Certificate::read(&made());
        assert_eq!(read.defects, []);
        assert_eq!(read.names(), ["a.example.test", "192.0.2.1"]);
        assert_eq!(read.version, 3);
        assert_eq!(read.key, Some(KeyKind::Ec { bits: 256, curve: NamedGroup::SECP256R1 }));
        assert_eq!(read.basic_constraints.map(|basic| (basic.ca, basic.path_length)), Some((true, Some(2))));
        assert_eq!(read.key_usage, Some(0b110_0000));
        assert_eq!(read.extended_key_usage.as_deref(), Some(&["1.3.6.1.5.5.7.3.1".to_owned()][..]));
        assert_eq!((read.signature.name.as_str(), read.signature.digest), ("ecdsa-with-SHA256", Some("SHA-256")));
        assert!(read.signature.consistent && read.is_self_signed() && read.fingerprint().len() == 64);
    }

    #[test]
    fn a_certificate_cut_anywhere_is_still_read() {
        let der = made();
        for end in 0..der.len() {
            let read = Certificate::read(&der[..end]);
            assert!(!read.readable(), "cut at {end}");
        }
        let longer = [der.as_slice(), &[0]].concat();
        assert!(Certificate::read(&longer).defects.iter().any(|defect| defect.fatal && defect.at == der.len()));
    }

    #[test]
    fn no_single_byte_makes_it_panic() {
        let der = made();
        for at in 0..der.len() {
            for value in [0x00, 0x30, 0x7f, 0x80, 0x84, 0xff] {
                let mut changed = der.clone();
                changed[at] = value;
                let _ = Certificate::read(&changed).names();
            }
        }
    }

    #[test]
    fn a_broken_extension_leaves_the_rest() {
        let mut der = made();
        let at = der.windows(5).position(|window| window == [0x06, 0x03, 0x55, 0x1d, 0x11]).unwrap();
        der[at + 7] = 0x31; // the SEQUENCE of names becomes a SET
        let read = Certificate::read(&der);
        assert!(read.readable());
        assert_eq!(read.defects.len(), 1);
        assert_eq!((read.defects[0].at, read.defects[0].extension.as_deref()), (at + 7, Some("2.5.29.17")));
        assert_eq!(read.alternative_names, None);
        assert_eq!(read.key_usage, Some(0b110_0000));
    }
}
