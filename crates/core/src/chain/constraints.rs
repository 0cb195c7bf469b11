//! Name constraints (RFC 5280 §4.2.1.10).

use std::net::IpAddr;

use super::certificate::{AlternativeName, Certificate, NameConstraints, Subtree};
use super::distinguished::attributes;

/// Most comparisons of a name with a subtree that one judgement may cost; beyond them, constraints count as violated.
pub(super) const MOST_COMPARISONS: usize = 250_000;

/// The first name of `certificate` that is not within the constraints, printable; `left` comparisons may be made.
pub(super) fn violation(constraints: &NameConstraints, certificate: &Certificate, left: &mut usize) -> Option<String> {
    let mut names: Vec<AlternativeName> = certificate.alternative_names.clone().unwrap_or_default();
    if certificate.subject.text != "(no name)" {
        names.push(AlternativeName::Directory(certificate.subject.der.clone()));
    }
    if !names.iter().any(|name| matches!(name, AlternativeName::Email(_))) {
        names.extend(certificate.subject_texts("1.2.840.113549.1.9.1").into_iter().map(AlternativeName::Email));
    }
    let subtrees = constraints.permitted.len().saturating_add(constraints.excluded.len());
    let needed = names.len().saturating_mul(subtrees);
    let enough = *left >= needed;
    *left = left.saturating_sub(needed);
    if !enough {
        return Some(format!("one of {} names under {subtrees} subtrees", names.len()));
    }
    names.iter().find(|name| !allowed(constraints, name)).map(shown)
}

fn shown(name: &AlternativeName) -> String {
    let text = match name {
        AlternativeName::Dns(text) | AlternativeName::Email(text) | AlternativeName::Uri(text) => text.clone(),
        AlternativeName::Address(address) => address.to_string(),
        AlternativeName::Directory(der) => super::certificate::Name::read(der, 0).0.text,
        AlternativeName::BadAddress(_) | AlternativeName::Other(_) => "a name of another kind".to_owned(),
    };
    tlswhy_model::printable(&text, 120)
}

fn allowed(constraints: &NameConstraints, name: &AlternativeName) -> bool {
    let mut permitted = constraints.permitted.iter().filter_map(|base| within(name, base, false)).peekable();
    let permits = permitted.peek().is_none() || permitted.any(|inside| inside == Some(true));
    // What cannot be compared with an excluded subtree might be in it.
    permits && constraints.excluded.iter().filter_map(|base| within(name, base, true)).all(|inside| inside == Some(false))
}

/// `None`: of different kinds. `Some(None)`: they cannot be compared.
fn within(name: &AlternativeName, base: &Subtree, excluded: bool) -> Option<Option<bool>> {
    Some(match (name, base) {
        (AlternativeName::Dns(name), Subtree::Dns(base)) => dns_within(name, base, excluded),
        (AlternativeName::Address(address), Subtree::Address(base)) => address_within(*address, base),
        (AlternativeName::BadAddress(_), Subtree::Address(_)) => None,
        (AlternativeName::Email(name), Subtree::Email(base)) => email_within(name, base),
        (AlternativeName::Uri(name), Subtree::Uri(base)) => host_of(name).map(|host| host_within(host, base)),
        (AlternativeName::Directory(name), Subtree::Directory(base)) => directory_within(name, base),
        (AlternativeName::Other(tag), Subtree::Other(base)) if tag == base => None,
        _ => return None,
    })
}

fn is_host(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 254
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))
}

/// Labels may be added on the left. A wildcard is excluded where it covers a name that is.
fn dns_within(name: &str, base: &str, excluded: bool) -> Option<bool> {
    let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
    if base.is_empty() {
        return Some(true);
    }
    let wild = name.strip_prefix("*.");
    if !is_host(&base) || !is_host(wild.unwrap_or(&name)) {
        return None;
    }
    let below = |name: &str| name.strip_suffix(base.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if excluded && let Some(parent) = wild {
        let covered = base.split_once('.').is_some_and(|(_, rest)| rest == parent);
        return Some(below(parent) || covered);
    }
    Some(below(wild.map_or(name.as_str(), |_| name.as_str())))
}

fn address_within(address: IpAddr, base: &[u8]) -> Option<bool> {
    let bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    if ![8, 32].contains(&base.len()) {
        return None;
    }
    let (network, mask) = base.split_at_checked(base.len() / 2)?;
    let bits: String = mask.iter().map(|byte| format!("{byte:08b}")).collect();
    if bits.contains("01") {
        return None;
    }
    let same = bytes.iter().zip(network).zip(mask).all(|((byte, network), mask)| byte & mask == network & mask);
    Some(network.len() == bytes.len() && same)
}

/// A mailbox, a host, or a domain with a leading dot.
fn email_within(name: &str, base: &str) -> Option<bool> {
    let (mailbox, host) = name.rsplit_once('@').filter(|(mailbox, host)| is_mailbox(mailbox) && is_host(host))?;
    if let Some((wanted, domain)) = base.rsplit_once('@') {
        return (is_mailbox(wanted) && is_host(domain)).then(|| mailbox == wanted && host.eq_ignore_ascii_case(domain));
    }
    is_host(base.strip_prefix('.').unwrap_or(base)).then(|| host_within(host, base))
}

fn is_mailbox(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"@()<>[]:;,\\\"".contains(&byte))
}

fn host_within(host: &str, base: &str) -> bool {
    let (host, base) = (host.to_ascii_lowercase(), base.to_ascii_lowercase());
    if base.starts_with('.') { host.len() > base.len() && host.ends_with(&base) } else { host == base }
}

fn host_of(uri: &str) -> Option<&str> {
    let behind = uri.split_once("://")?.1;
    let authority = behind.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next()?;
    is_host(host).then_some(host)
}

/// The base must be a prefix of the name, attribute by attribute.
fn directory_within(name: &[u8], base: &[u8]) -> Option<bool> {
    let (name, base) = (attributes(name, 0).ok()?, attributes(base, 0).ok()?);
    let same = |(left, right): (&super::distinguished::Attribute<'_>, &super::distinguished::Attribute<'_>)| {
        left.place == right.place && left.oid == right.oid && left.text().eq_ignore_ascii_case(&right.text())
    };
    Some(base.len() <= name.len() && base.iter().zip(&name).all(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_within_their_subtrees() {
        assert_eq!(dns_within("a.example.test", "example.test", false), Some(true));
        assert_eq!(dns_within("aexample.test", "example.test", false), Some(false));
        assert_eq!(dns_within("*.example.test", "foo.example.test", true), Some(true));
        assert_eq!(dns_within("a.example.test", ".example.test", false), None);
        assert_eq!(email_within("a@example.test", "example.test"), Some(true));
        assert_eq!(email_within("a@b.example.test", ".example.test"), Some(true));
        assert_eq!(email_within("a@example.test", "b@example.test"), Some(false));
        assert_eq!(address_within("192.0.2.9".parse().unwrap(), &[192, 0, 2, 0, 255, 255, 255, 0]), Some(true));
        assert_eq!(address_within("192.0.3.9".parse().unwrap(), &[192, 0, 2, 0, 255, 255, 255, 0]), Some(false));
        assert_eq!(address_within("192.0.3.9".parse().unwrap(), &[192, 0, 2, 0, 255, 0, 255, 0]), None);
    }
}
