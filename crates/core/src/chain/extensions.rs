//! The extensions of a certificate (RFC 5280 §4.2), one by one: a broken one leaves the others as they are.

use std::net::IpAddr;

use super::certificate::{AlternativeName, BasicConstraints, Certificate, Extension, NameConstraints, Subtree};
use super::der::{
    BIT_STRING, BOOLEAN, INTEGER, Item, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, Stop, dotted, irregularity,
};

pub(super) const SUBJECT_KEY: &str = "2.5.29.14";
pub(super) const KEY_USAGE: &str = "2.5.29.15";
pub(super) const ALTERNATIVE_NAMES: &str = "2.5.29.17";
pub(super) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(super) const NAME_CONSTRAINTS: &str = "2.5.29.30";
pub(super) const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
pub(super) const POLICIES: &str = "2.5.29.32";
pub(super) const POLICY_MAPPINGS: &str = "2.5.29.33";
pub(super) const AUTHORITY_KEY: &str = "2.5.29.35";
pub(super) const POLICY_CONSTRAINTS: &str = "2.5.29.36";
pub(super) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
pub(super) const INHIBIT_ANY_POLICY: &str = "2.5.29.54";
pub(super) const AUTHORITY_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
const EMBEDDED_SCTS: &str = "1.3.6.1.4.1.11129.2.4.2";

/// Extensions that may be critical: clients in general process them.
const PROCESSED: &[&str] = &[
    SUBJECT_KEY,
    KEY_USAGE,
    ALTERNATIVE_NAMES,
    BASIC_CONSTRAINTS,
    NAME_CONSTRAINTS,
    CRL_DISTRIBUTION_POINTS,
    POLICIES,
    POLICY_MAPPINGS,
    AUTHORITY_KEY,
    POLICY_CONSTRAINTS,
    EXTENDED_KEY_USAGE,
    INHIBIT_ANY_POLICY,
    TLS_FEATURE,
];

/// Most names, subtrees or URLs of one extension that are kept.
const MOST: usize = 4096;

impl Certificate {
    pub(super) fn extension(&mut self, item: &Item<'_>) -> Result<(), Stop> {
        let mut parts = item.reader();
        let oid = dotted(parts.expect(OBJECT_IDENTIFIER, "extension")?.content);
        let critical = parts.optional(BOOLEAN, "critical")?.is_some_and(|flag| flag.content.iter().any(|byte| *byte != 0));
        let value = parts.expect(OCTET_STRING, "extension")?;
        parts.end("extension")?;
        if self.extensions.iter().any(|known| known.oid == oid) {
            self.defect(item.stop(format!("the extension {oid} stands there twice")), Some(&oid));
            return Ok(());
        }
        if critical && !PROCESSED.contains(&oid.as_str()) {
            self.unknown_critical.push(oid.clone());
        }
        let inner = value.reader();
        if let Err(stop) = self.known_extension(&oid, critical, inner) {
            self.defect(stop, Some(&oid));
        } else if let Some(stop) = irregularity(value.content, value.start).filter(|_| PROCESSED.contains(&oid.as_str())) {
            self.defect(stop, None);
        }
        let end = value.start.saturating_add(value.content.len());
        self.extensions.push(Extension { oid, critical, value: value.start..end });
        Ok(())
    }

    fn known_extension(&mut self, oid: &str, critical: bool, mut value: Reader<'_>) -> Result<(), Stop> {
        match oid {
            SUBJECT_KEY => self.subject_key = Some(value.expect(OCTET_STRING, "subjectKeyIdentifier")?.content.to_vec()),
            AUTHORITY_KEY => {
                let mut fields = value.expect(SEQUENCE, "authorityKeyIdentifier")?.reader();
                let key = fields.optional(0x80, "keyIdentifier")?.map(|item| item.content.to_vec());
                let issuer = fields.optional(0xa1, "authorityCertIssuer")?.is_some();
                let serial = fields.optional(0x82, "authorityCertSerialNumber")?.is_some();
                fields.end("authorityKeyIdentifier")?;
                (self.authority_key, self.authority_by_serial) = (key, issuer || serial);
            }
            KEY_USAGE => self.key_usage = Some(usage_bits(&value.expect(BIT_STRING, "keyUsage")?)?),
            BASIC_CONSTRAINTS => {
                let mut fields = value.expect(SEQUENCE, "basicConstraints")?.reader();
                let ca = fields.optional(BOOLEAN, "cA")?.is_some_and(|flag| flag.content.iter().any(|byte| *byte != 0));
                let length = fields.optional(INTEGER, "pathLenConstraint")?;
                let path_length = length.map(|item| small_number(&item)).transpose()?;
                fields.end("basicConstraints")?;
                self.basic_constraints = Some(BasicConstraints { ca, path_length, critical });
            }
            EXTENDED_KEY_USAGE => {
                let mut list = value.expect(SEQUENCE, "extKeyUsage")?.reader();
                let mut usages = Vec::new();
                while !list.is_empty() && usages.len() < MOST {
                    usages.push(dotted(list.expect(OBJECT_IDENTIFIER, "extKeyUsage")?.content));
                }
                self.extended_key_usage = Some(usages);
            }
            ALTERNATIVE_NAMES => {
                let mut list = value.expect(SEQUENCE, "subjectAltName")?.reader();
                let mut names = Vec::new();
                while !list.is_empty() {
                    if names.len() == MOST {
                        return Err(Stop::new(list.at(), format!("more than {MOST} names")));
                    }
                    names.push(general_name(&list.next("subjectAltName")?)?);
                }
                self.alternative_names = Some(names);
            }
            NAME_CONSTRAINTS => {
                let mut fields = value.expect(SEQUENCE, "nameConstraints")?.reader();
                let permitted = fields.optional(0xa0, "permittedSubtrees")?.map(|item| subtrees(&item)).transpose()?;
                let excluded = fields.optional(0xa1, "excludedSubtrees")?.map(|item| subtrees(&item)).transpose()?;
                fields.end("nameConstraints")?;
                let (permitted, excluded) = (permitted.unwrap_or_default(), excluded.unwrap_or_default());
                self.name_constraints = Some(NameConstraints { permitted, excluded, critical });
            }
            AUTHORITY_ACCESS => {
                let mut list = value.expect(SEQUENCE, "authorityInfoAccess")?.reader();
                while !list.is_empty() && self.issuer_urls.len() + self.ocsp_urls.len() < MOST {
                    let mut access = list.expect(SEQUENCE, "authorityInfoAccess")?.reader();
                    let method = dotted(access.expect(OBJECT_IDENTIFIER, "accessMethod")?.content);
                    let location = access.next("accessLocation")?;
                    match (method.as_str(), location.tag) {
                        ("1.3.6.1.5.5.7.48.2", 0x86) => self.issuer_urls.push(ia5(&location)),
                        ("1.3.6.1.5.5.7.48.1", 0x86) => self.ocsp_urls.push(ia5(&location)),
                        (_, 0x81..=0x89 | 0xa0 | 0xa3..=0xa5) => {}
                        _ => return Err(location.stop("accessLocation is no GeneralName")),
                    }
                }
            }
            CRL_DISTRIBUTION_POINTS => {
                let mut list = value.expect(SEQUENCE, "cRLDistributionPoints")?.reader();
                while !list.is_empty() && self.crl_urls.len() < MOST {
                    let mut point = list.expect(SEQUENCE, "DistributionPoint")?.reader();
                    let Some(name) = point.optional(0xa0, "distributionPoint")? else { continue };
                    let Some(full) = name.reader().optional(0xa0, "fullName")? else { continue };
                    let mut names = full.reader();
                    while !names.is_empty() && self.crl_urls.len() < MOST {
                        let name = names.next("fullName")?;
                        if name.tag == 0x86 {
                            self.crl_urls.push(ia5(&name));
                        }
                    }
                }
            }
            TLS_FEATURE => {
                let mut list = value.expect(SEQUENCE, "TLS feature")?.reader();
                while !list.is_empty() {
                    self.must_staple |= list.expect(INTEGER, "TLS feature")?.content == [5];
                }
            }
            EMBEDDED_SCTS => self.embedded_scts = timestamps(&value.expect(OCTET_STRING, "SCT list")?)?,
            _ => return Ok(()),
        }
        value.end("extension")
    }

    /// Whether one of its extensions is there, and whether it is critical.
    pub(super) fn criticality(&self, oid: &str) -> Option<bool> {
        self.extensions.iter().find(|known| known.oid == oid).map(|known| known.critical)
    }
}

/// Named bits, the first is bit 0.
fn usage_bits(item: &Item<'_>) -> Result<u16, Stop> {
    let [unused @ 0..=7, bytes @ ..] = item.content else { return Err(item.stop("keyUsage is no BIT STRING")) };
    let mut bits = 0u16;
    for number in 0..16usize.min(bytes.len() * 8).saturating_sub(if bytes.len() <= 2 { usize::from(*unused) } else { 0 }) {
        if bytes.get(number / 8).is_some_and(|byte| byte & (0x80 >> (number % 8)) != 0) {
            bits |= 1 << number;
        }
    }
    Ok(bits)
}

fn small_number(item: &Item<'_>) -> Result<u32, Stop> {
    match item.content {
        [] => Err(item.stop("a number without digits")),
        [first, ..] if first & 0x80 != 0 => Err(item.stop("a negative pathLenConstraint")),
        digits if digits.len() > 5 => Ok(u32::MAX),
        digits => {
            let number = digits.iter().fold(0u64, |number, digit| (number << 8) | u64::from(*digit));
            Ok(u32::try_from(number).unwrap_or(u32::MAX))
        }
    }
}

fn ia5(item: &Item<'_>) -> String {
    String::from_utf8_lossy(item.content).into_owned()
}

fn general_name(item: &Item<'_>) -> Result<AlternativeName, Stop> {
    Ok(match item.tag {
        0x81 => AlternativeName::Email(ia5(item)),
        0x82 => AlternativeName::Dns(ia5(item)),
        0x86 => AlternativeName::Uri(ia5(item)),
        0x87 => {
            address(item.content).map_or_else(|| AlternativeName::BadAddress(item.content.to_vec()), AlternativeName::Address)
        }
        0xa4 => AlternativeName::Directory(item.reader().expect(SEQUENCE, "directoryName")?.whole.to_vec()),
        0xa0 | 0xa3 | 0xa5 | 0x88 => AlternativeName::Other(u32::from(item.tag & 0x1f)),
        _ => return Err(item.stop("a name that is no GeneralName")),
    })
}

/// An address of 4 or 16 bytes.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn subtrees(item: &Item<'_>) -> Result<Vec<Subtree>, Stop> {
    let mut list = item.reader();
    let mut found = Vec::new();
    while !list.is_empty() {
        if found.len() == MOST {
            return Err(Stop::new(list.at(), format!("more than {MOST} subtrees")));
        }
        let base = list.expect(SEQUENCE, "GeneralSubtree")?.reader().next("base")?;
        found.push(match base.tag {
            0x81 => Subtree::Email(ia5(&base)),
            0x82 => Subtree::Dns(ia5(&base)),
            0x86 => Subtree::Uri(ia5(&base)),
            0x87 => Subtree::Address(base.content.to_vec()),
            0xa4 => Subtree::Directory(base.reader().expect(SEQUENCE, "directoryName")?.whole.to_vec()),
            _ => Subtree::Other(u32::from(base.tag & 0x1f)),
        });
    }
    Ok(found)
}

/// How many entries a SignedCertificateTimestampList has (RFC 6962 §3.3).
fn timestamps(item: &Item<'_>) -> Result<usize, Stop> {
    let wrong = || item.stop("the list of SCTs cannot be read");
    let [high, low, list @ ..] = item.content else { return Err(wrong()) };
    let mut rest: &[u8] = list;
    if usize::from(u16::from_be_bytes([*high, *low])) != rest.len() {
        return Err(wrong());
    }
    let mut count = 0;
    while let [high, low, behind @ ..] = rest {
        rest = behind.get(usize::from(u16::from_be_bytes([*high, *low]))..).ok_or_else(wrong)?;
        count += 1;
    }
    Ok(count)
}
