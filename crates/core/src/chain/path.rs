use std::net::IpAddr;

use tlswhy_model::{ClientPolicy, printable};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::KeyKind;

/// A reason why a client may refuse the certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What is doubtful, in words.
    pub says: String,
    /// Codes of the causes that it could be.
    pub could_be: &'static [&'static str],
}

/// Longest path that is followed.
const LONGEST: usize = 10;
/// Most certificates of a chain that are looked at.
const MOST: usize = 32;

/// Looks for a path from the end entity to an anchor, and for what a client could mind on it. Empty: nothing is doubtful.
///
/// `name` is the DNS name or the IP literal that the client asked for, `now` in seconds since 1970.
pub fn judge(chain: &[&[u8]], anchors: &[&[u8]], policy: &ClientPolicy, name: &str, now: i64) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let sent: Vec<X509Certificate<'_>> = chain.iter().take(MOST).filter_map(|der| read(der)).collect();
    let roots: Vec<X509Certificate<'_>> = anchors.iter().filter_map(|der| read(der)).collect();
    let Some(leaf) = sent.first().filter(|_| chain.first().is_some_and(|der| read(der).is_some())) else {
        return vec![Doubt { says: "the server's certificate cannot be read".to_owned(), could_be: &["untrusted-root"] }];
    };

    doubts.extend(name_doubt(leaf, policy, name));
    let mut path = vec![leaf];
    let mut current = leaf;
    loop {
        if roots.iter().any(|root| root.as_ref() == current.as_ref()) {
            break;
        }
        if let Some(root) = roots.iter().find(|root| issued(root, current)) {
            doubts.extend(validity_doubt(root, now));
            break;
        }
        let self_signed = current.issuer() == current.subject();
        let next = sent
            .iter()
            .skip(1)
            .find(|candidate| issued(candidate, current) && !path.iter().any(|seen| std::ptr::eq(*seen, *candidate)));
        match next {
            Some(issuer) if !self_signed && path.len() < LONGEST => {
                if !issuer.is_ca() {
                    doubts.push(Doubt {
                        says: format!("{} issued a certificate and is no CA", subject(issuer)),
                        could_be: &["untrusted-root"],
                    });
                }
                path.push(issuer);
                current = issuer;
            }
            _ if self_signed => {
                doubts.push(Doubt {
                    says: format!("the chain ends at {}, which is not among the trust anchors", subject(current)),
                    could_be: &["untrusted-root"],
                });
                break;
            }
            _ => {
                doubts.push(Doubt {
                    says: format!(
                        "the issuer of {}, {}, was neither sent nor is it a trust anchor",
                        subject(current),
                        printable(&current.issuer().to_string(), 120)
                    ),
                    could_be: &["chain-incomplete", "untrusted-root"],
                });
                break;
            }
        }
    }
    for certificate in &path {
        doubts.extend(validity_doubt(certificate, now));
        doubts.extend(strength_doubt(certificate, policy));
    }
    doubts.extend(usage_doubt(leaf));
    doubts
}

fn read(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

fn issued(issuer: &X509Certificate<'_>, certificate: &X509Certificate<'_>) -> bool {
    issuer.subject() == certificate.issuer() && certificate.verify_signature(Some(issuer.public_key())).is_ok()
}

fn validity_doubt(certificate: &X509Certificate<'_>, now: i64) -> Option<Doubt> {
    let validity = certificate.validity();
    if validity.not_after.timestamp() < now {
        return Some(Doubt {
            says: format!("{} ended on {}", subject(certificate), validity.not_after),
            could_be: &["certificate-expired"],
        });
    }
    (validity.not_before.timestamp() > now).then(|| Doubt {
        says: format!("{} begins on {}", subject(certificate), validity.not_before),
        could_be: &["certificate-not-yet-valid"],
    })
}

fn strength_doubt(certificate: &X509Certificate<'_>, policy: &ClientPolicy) -> Option<Doubt> {
    let (bits, floor) = match KeyKind::of(certificate)? {
        KeyKind::Rsa { bits } => (bits, policy.minimum_rsa_bits?),
        KeyKind::Ec { bits } => (bits, policy.minimum_ecdsa_bits?),
        _ => return digest_doubt(certificate, policy),
    };
    if bits < floor {
        return Some(Doubt {
            says: format!("the key of {} has {bits} bits and the client wants {floor}", subject(certificate)),
            could_be: &["weak-key-or-digest"],
        });
    }
    digest_doubt(certificate, policy)
}

/// MD5 and SHA-1 signatures; a self-signed certificate's own signature is not checked by anybody.
fn digest_doubt(certificate: &X509Certificate<'_>, policy: &ClientPolicy) -> Option<Doubt> {
    let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
    let weak = match algorithm.as_str() {
        "1.2.840.113549.1.1.4" => "MD5",
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => "SHA-1",
        _ => return None,
    };
    let allowed = policy.allows_sha1_signatures == Some(true) && weak == "SHA-1";
    (!allowed && certificate.issuer() != certificate.subject())
        .then(|| Doubt { says: format!("{} is signed with {weak}", subject(certificate)), could_be: &["weak-key-or-digest"] })
}

fn usage_doubt(leaf: &X509Certificate<'_>) -> Option<Doubt> {
    let usage = leaf.extended_key_usage().ok()??.value;
    (!usage.server_auth && !usage.any).then(|| Doubt {
        says: format!("{} is not meant for servers (extendedKeyUsage)", subject(leaf)),
        could_be: &["untrusted-root"],
    })
}

fn name_doubt(leaf: &X509Certificate<'_>, policy: &ClientPolicy, name: &str) -> Option<Doubt> {
    let names = leaf.subject_alternative_name().ok().flatten().map(|extension| &extension.value.general_names);
    let address: Option<IpAddr> = name.parse().ok();
    let covered = match (names, address) {
        (Some(names), Some(address)) => names.iter().any(|known| match (known, address) {
            (GeneralName::IPAddress(bytes), IpAddr::V4(address)) => *bytes == address.octets(),
            (GeneralName::IPAddress(bytes), IpAddr::V6(address)) => *bytes == address.octets(),
            _ => false,
        }),
        (Some(names), None) if names.iter().any(|known| matches!(known, GeneralName::DNSName(_))) => {
            names.iter().any(|known| matches!(known, GeneralName::DNSName(pattern) if covers(pattern, name)))
        }
        _ => {
            policy.common_name_fallback == Some(true)
                && leaf
                    .subject()
                    .iter_common_name()
                    .filter_map(|common| common.as_str().ok())
                    .any(|pattern| covers(pattern, name))
        }
    };
    (!covered).then(|| Doubt {
        says: format!("no name in the certificate of {} covers {}", subject(leaf), printable(name, 120)),
        could_be: &["hostname-mismatch"],
    })
}

/// RFC 9525 §6.3: case does not count, and a wildcard stands for the whole leftmost label alone.
fn covers(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.trim_end_matches('.').to_ascii_lowercase(), name.trim_end_matches('.').to_ascii_lowercase());
    match pattern.strip_prefix("*.") {
        Some(parent) => {
            name.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent && parent.contains('.'))
        }
        None => pattern == name,
    }
}

fn subject(certificate: &X509Certificate<'_>) -> String {
    let subject = certificate.subject().to_string();
    if subject.is_empty() { "the certificate without a subject".to_owned() } else { printable(&subject, 120) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_covers_one_label() {
        assert!(covers("*.example.test", "a.example.test"));
        assert!(covers("A.example.test", "a.EXAMPLE.test."));
        assert!(!covers("*.example.test", "a.b.example.test"));
        assert!(!covers("*.example.test", "example.test"));
        assert!(!covers("*.test", "example.test"));
    }
}
