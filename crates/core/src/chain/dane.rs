//! What the domain name system says of certificates: TLSA (RFC 6698, RFC 7671) and CAA (RFC 8659). For notices alone.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use tlswhy_model::printable;

use super::certificate::Certificate;

/// Most records that are looked at.
const MOST: usize = 32;
/// Longest text of a record that is shown, characters.
const SHOWN: usize = 120;

/// What the TLSA records say of the certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dane {
    /// Whether one of them fits, as a client that heeds DANE wants it.
    pub fits: bool,
    /// Whether one of them could be used at all; if none can, such a client does as if there were none (RFC 7671 §4.1).
    pub usable: bool,
    /// One sentence a record.
    pub says: Vec<String>,
}

/// Compares TLSA records in presentation format (`3 1 1 abcdef…`) with the certificates: `sent`, the end entity first, and those of
/// the `path` that was found. Whether usages 0 and 1 hold takes a path to a trust anchor too, which is not judged here.
pub fn tlsa(records: &[String], sent: &[Arc<Certificate>], path: &[Arc<Certificate>]) -> Dane {
    let mut dane = Dane::default();
    for text in records.iter().take(MOST) {
        let shown = printable(text, SHOWN);
        let Some(record) = Tlsa::read(text) else {
            dane.says.push(format!("TLSA {shown} cannot be used: it is not of the form of RFC 6698 §2.2"));
            continue;
        };
        dane.usable = true;
        match record.find(sent, path) {
            Found::Fits(certificate) => {
                dane.fits = true;
                dane.says.push(format!("TLSA {shown} fits {}", certificate.subject.text));
            }
            Found::NotSent(certificate) => dane.says.push(format!(
                "TLSA {shown} fits {}, which the server does not send and must (RFC 7671 §5.2.2)",
                certificate.subject.text
            )),
            Found::Nothing => dane.says.push(format!("TLSA {shown} fits none of the certificates")),
        }
    }
    dane
}

/// What CAA records in presentation format (`0 issue "ca.example"`) permit, in words. They bind who issues, not who connects, and name
/// domains where a certificate names an organisation: the two cannot be compared exactly.
pub fn caa(records: &[String], certificate: &Certificate) -> Option<String> {
    let (mut issue, mut issue_wild) = (Vec::new(), Vec::new());
    for text in records.iter().take(MOST) {
        let mut parts = text.splitn(3, char::is_whitespace);
        let (Some(_), Some(tag), Some(value)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let value = value.trim().trim_matches('"');
        let domain = value.split(';').next().unwrap_or_default().trim();
        let domain = if domain.is_empty() { "nobody".to_owned() } else { printable(domain, SHOWN) };
        match tag.to_ascii_lowercase().as_str() {
            "issue" => issue.push(domain),
            "issuewild" => issue_wild.push(domain),
            _ => {}
        }
    }
    if issue.is_empty() && issue_wild.is_empty() {
        return None;
    }
    let mut says = String::from("CAA lets");
    if !issue.is_empty() {
        says.push_str(&format!(" {} issue certificates", issue.join(", ")));
    }
    if !issue_wild.is_empty() {
        let and = if issue.is_empty() { "" } else { " and" };
        says.push_str(&format!("{and} {} issue those with a wildcard", issue_wild.join(", ")));
    }
    says.push_str(&format!("; this one was issued by {}", certificate.issuer.text));
    Some(says)
}

/// A TLSA record.
struct Tlsa {
    /// 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE.
    usage: u8,
    /// 0 the certificate, 1 its SubjectPublicKeyInfo.
    selector: u8,
    /// 0 in full, 1 SHA-256, 2 SHA-512.
    matching: u8,
    data: Vec<u8>,
}

enum Found<'a> {
    Fits(&'a Certificate),
    NotSent(&'a Certificate),
    Nothing,
}

impl Tlsa {
    fn read(text: &str) -> Option<Tlsa> {
        let mut parts = text.split_ascii_whitespace();
        let mut number = |most: u8| parts.next()?.parse::<u8>().ok().filter(|number| *number <= most);
        let (usage, selector, matching) = (number(3)?, number(1)?, number(2)?);
        // The data may stand in several groups.
        let hex: String = parts.collect();
        if hex.is_empty() || !hex.len().is_multiple_of(2) || !hex.is_ascii() {
            return None;
        }
        let digits = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        let data: Vec<u8> = digits.collect::<Option<_>>()?;
        let wanted = [None, Some(32), Some(64)].get(usize::from(matching)).copied().flatten();
        wanted.is_none_or(|length| data.len() == length).then_some(Tlsa { usage, selector, matching, data })
    }

    /// Usages 1 and 3 are about the end entity; 0 and 2 about a CA, which with usage 2 has to be sent.
    fn find<'a>(&self, sent: &'a [Arc<Certificate>], path: &'a [Arc<Certificate>]) -> Found<'a> {
        let ends_there = self.usage % 2 == 1;
        if ends_there {
            let leaf = sent.first().filter(|leaf| self.is_of(leaf));
            return leaf.map_or(Found::Nothing, |leaf| Found::Fits(leaf));
        }
        let above =
            |certificates: &'a [Arc<Certificate>]| certificates.iter().skip(1).find(|certificate| self.is_of(certificate));
        match (above(sent), above(path)) {
            (_, Some(certificate)) if self.usage == 0 => Found::Fits(certificate),
            (Some(certificate), _) if self.usage == 2 => Found::Fits(certificate),
            (None, Some(certificate)) => Found::NotSent(certificate),
            _ => Found::Nothing,
        }
    }

    fn is_of(&self, certificate: &Certificate) -> bool {
        let bytes: &[u8] = if self.selector == 0 { &certificate.der } else { &certificate.spki };
        match self.matching {
            0 => self.data == bytes,
            1 => self.data == digest(&SHA256, bytes).as_ref(),
            _ => self.data == digest(&SHA512, bytes).as_ref(),
        }
    }
}
