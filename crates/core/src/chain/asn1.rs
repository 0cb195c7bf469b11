//! A cursor over DER (X.690) that neither copies nor allocates: for revocation lists and OCSP responses, whose length is the other side's choice.

use asn1_rs::BitString;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer;
use x509_parser::verify::verify_signature;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// BOOLEAN.
pub(crate) const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// NULL.
pub(crate) const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
/// ENUMERATED.
pub(crate) const ENUMERATED: u8 = 0x0a;
/// UTCTime.
pub(crate) const UTC_TIME: u8 = 0x17;
/// GeneralizedTime.
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
/// SEQUENCE, SEQUENCE OF.
pub(crate) const SEQUENCE: u8 = 0x30;

/// Tag byte of a constructed element of the context-specific class: `[number]`.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// Tag byte of a primitive element of the context-specific class.
pub(crate) const fn context_primitive(number: u8) -> u8 {
    0x80 | number
}

/// One element: tag, length, content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    /// Class, form and number in one byte; larger numbers are not read.
    pub(crate) tag: u8,
    /// What it holds.
    pub(crate) content: &'a [u8],
    /// Tag, length and content.
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// A cursor over what it holds.
    pub(crate) fn inside(self) -> Der<'a> {
        Der(self.content)
    }
}

/// What is left to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// A cursor over these bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Der<'a> {
        Der(bytes)
    }

    /// The only element of these bytes; fails on another tag and on bytes after it.
    pub(crate) fn only(bytes: &'a [u8], tag: u8, what: &str) -> Result<Element<'a>, String> {
        let mut der = Der(bytes);
        let element = der.expect(tag, what)?;
        if der.is_empty() { Ok(element) } else { Err(format!("bytes are left over after {what}")) }
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element; `None` where the bytes are none. It is not taken if they are none.
    pub(crate) fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        // Tag numbers of 31 and above take several bytes; nothing that is read here has them.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            let bytes = rest.get(..count).filter(|_| (1..=4).contains(&count))?;
            length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            rest = rest.get(count..)?;
        }
        let content = rest.get(..length)?;
        let after = rest.get(length..)?;
        let whole = self.0.get(..self.0.len() - after.len())?;
        self.0 = after;
        Some(Element { tag, content, whole })
    }

    /// The next element, if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8, what: &str) -> Result<Element<'a>, String> {
        self.optional(tag).ok_or_else(|| format!("{what} cannot be read"))
    }

    /// The next element, a time (RFC 5280 §4.1.2.5), in seconds since 1970.
    pub(crate) fn time(&mut self, what: &str) -> Result<i64, String> {
        self.optional_time().ok_or_else(|| format!("{what} is no time"))
    }

    /// The same, if it is one.
    pub(crate) fn optional_time(&mut self) -> Option<i64> {
        let mut ahead = *self;
        let element = ahead.next()?;
        let text = std::str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
        let (year, rest) = match element.tag {
            GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
            UTC_TIME => {
                let short: i16 = text.get(..2)?.parse().ok()?;
                (if short < 50 { 2000 + short } else { 1900 + short }, text.get(2..)?)
            }
            _ => return None,
        };
        if rest.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
        let time = jiff::civil::DateTime::new(year, number(0)?, number(2)?, number(4)?, number(6)?, number(8)?, 0).ok()?;
        *self = ahead;
        Some(jiff::tz::Offset::UTC.to_timestamp(time).ok()?.as_second())
    }
}

/// One extension (RFC 5280 §4.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    /// Content of its object identifier.
    pub(crate) oid: &'a [u8],
    /// Whether it must be understood.
    pub(crate) critical: bool,
    /// Content of its extnValue: DER.
    pub(crate) value: &'a [u8],
}

impl<'a> Extension<'a> {
    /// Reads an `Extensions`, at most 64 of them, no object identifier twice.
    pub(crate) fn list(element: Element<'a>) -> Result<Vec<Extension<'a>>, String> {
        const MOST: usize = 64;
        let mut found: Vec<Extension<'a>> = Vec::new();
        let mut list = element.inside();
        while !list.is_empty() {
            let mut extension = list.expect(SEQUENCE, "an extension")?.inside();
            let oid = extension.expect(OBJECT_IDENTIFIER, "an extension's object identifier")?.content;
            let critical = extension.optional(BOOLEAN).is_some_and(|flag| flag.content != [0]);
            let value = extension.expect(OCTET_STRING, "an extension's value")?.content;
            if found.iter().any(|other| other.oid == oid) {
                return Err(format!("the extension {} stands twice", dotted(oid)));
            }
            if found.len() == MOST {
                return Err(format!("more than {MOST} extensions"));
            }
            found.push(Extension { oid, critical, value });
        }
        Ok(found)
    }
}

/// Content of an object identifier in dotted decimal.
pub(crate) fn dotted(oid: &[u8]) -> String {
    asn1_rs::Oid::new(oid.into()).to_id_string()
}

/// Reason of a revocation (RFC 5280 §5.3.1), in words.
pub(crate) fn revocation_reason(code: &[u8]) -> Option<&'static str> {
    Some(match code {
        [0] => "unspecified",
        [1] => "keyCompromise",
        [2] => "cACompromise",
        [3] => "affiliationChanged",
        [4] => "superseded",
        [5] => "cessationOfOperation",
        [6] => "certificateHold",
        [8] => "removeFromCRL",
        [9] => "privilegeWithdrawn",
        [10] => "aACompromise",
        _ => return None,
    })
}

/// An INTEGER's content without the zeros that only pad it: encoders that pad name the same number.
pub(crate) fn unpadded(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.get(zeros..).unwrap_or_default()
}

/// A time in words.
pub(crate) fn time_text(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds} s after 1970"), |time| time.to_string())
}

/// Content of the BIT STRING of a SubjectPublicKeyInfo, which is what key identifiers are hashes of (RFC 5280 §4.2.1.2).
pub(crate) fn key_bits(spki: &[u8]) -> Option<&[u8]> {
    let mut inside = Der::only(spki, SEQUENCE, "SubjectPublicKeyInfo").ok()?.inside();
    inside.optional(SEQUENCE)?;
    inside.optional(BIT_STRING)?.content.get(1..)
}

/// Fails unless the key made the signature (content of its BIT STRING) over the bytes; in words.
pub(crate) fn signed(spki: &[u8], algorithm: &[u8], signature: &[u8], bytes: &[u8]) -> Result<(), String> {
    let (_, key) = SubjectPublicKeyInfo::from_der(spki).map_err(|_| "the signer's key cannot be read")?;
    let (_, algorithm) = AlgorithmIdentifier::from_der(algorithm).map_err(|_| "its algorithm cannot be read")?;
    let signature = match signature.split_first() {
        Some((0, signature)) => BitString::new(0, signature),
        _ => return Err("it cannot be read".to_owned()),
    };
    verify_signature(&key, &algorithm, &signature, bytes).map_err(|error| match error {
        X509Error::SignatureUnsupportedAlgorithm => "its algorithm is not computed here".to_owned(),
        _ => "it does not verify".to_owned(),
    })
}

/// An element of this tag around the parts.
pub(crate) fn encode(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    match length {
        0..=0x7f => bytes.push(length as u8),
        _ => {
            let big = (length as u64).to_be_bytes();
            let significant = unpadded(&big);
            bytes.push(0x80 | significant.len() as u8);
            bytes.extend(significant);
        }
    }
    for part in parts {
        bytes.extend(*part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_up_to_where_bytes_are_missing() {
        let bytes = encode(SEQUENCE, &[&encode(INTEGER, &[&[5]]), &encode(OCTET_STRING, &[&[7; 300]])]);
        let mut inside = Der::only(&bytes, SEQUENCE, "it").unwrap().inside();
        assert_eq!(inside.next().unwrap().content, [5]);
        assert!(inside.optional(INTEGER).is_none());
        assert_eq!(inside.next().unwrap().content.len(), 300);
        assert!(inside.is_empty());
        for cut in 0..bytes.len() {
            assert!(Der::new(&bytes[..cut]).next().is_none());
        }
        for hostile in
            [&[0x30, 0x80, 0, 0][..], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x3f, 1, 0]]
        {
            assert!(Der::new(hostile).next().is_none());
        }
    }

    #[test]
    fn times_have_two_forms() {
        let time = |tag, text: &str| Der::new(&encode(tag, &[text.as_bytes()])).optional_time();
        assert_eq!(time(UTC_TIME, "700101000001Z"), Some(1));
        assert_eq!(time(GENERALIZED_TIME, "20261123223000Z"), Some(1_795_473_000));
        assert_eq!(time(UTC_TIME, "491231235959Z"), time(GENERALIZED_TIME, "20491231235959Z"));
        for wrong in ["20261123223000", "20261323223000Z", "2026112322300Z", "20261123223000.5Z", "2026112322+0+0Z"] {
            assert_eq!(time(GENERALIZED_TIME, wrong), None, "{wrong}");
        }
    }
}
