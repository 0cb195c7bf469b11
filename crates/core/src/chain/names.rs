//! Whether a certificate is for the name asked for (RFC 9525), and which of its names nearly is.

use super::certificate::{AlternativeName, Certificate};
use super::judgement::{ObjectionKind, PathPolicy, ServerName};

/// Most names of a certificate that an objection lists.
const MOST: usize = 64;

/// What is to be objected to; `None`: a name fits.
pub(super) fn objection(leaf: &Certificate, asked: &ServerName, policy: &PathPolicy) -> Option<ObjectionKind> {
    let dns: Vec<&str> = leaf
        .alternative_names
        .iter()
        .flatten()
        .filter_map(|name| if let AlternativeName::Dns(text) = name { Some(text.as_str()) } else { None })
        .collect();
    let wanted = spelled(asked);
    let fits = match asked {
        ServerName::Dns(_) => {
            let partial = |pattern: &str| policy.partial_wildcards && covers_in_part(pattern, &wanted);
            dns.iter().any(|pattern| covers(pattern, &wanted) || partial(pattern))
        }
        ServerName::Address(address) => {
            leaf.alternative_names.iter().flatten().any(|name| *name == AlternativeName::Address(*address))
        }
    };
    if fits {
        return None;
    }
    let common = leaf.subject_texts("2.5.4.3");
    let common_fits = dns.is_empty()
        && common.iter().any(|text| match asked {
            ServerName::Dns(_) => covers(text, &wanted),
            ServerName::Address(address) => text.parse() == Ok(*address),
        });
    let falls_back = match asked {
        ServerName::Dns(_) => policy.common_name_fallback,
        ServerName::Address(_) => policy.common_name_addresses,
    };
    if common_fits && falls_back {
        return None;
    }
    let mut names = leaf.names();
    names.truncate(MOST);
    let near = dns.iter().find_map(|pattern| {
        let why = near_miss(pattern, &wanted, asked)?;
        Some((tlswhy_model::printable(pattern, 120), why.to_owned()))
    });
    Some(ObjectionKind::NameMismatch { names, near, common_name_only: common_fits })
}

/// The name in lower case and A-labels, without a trailing dot.
fn spelled(name: &ServerName) -> String {
    match name {
        ServerName::Dns(name) => {
            let name = name.trim_end_matches('.');
            if name.is_ascii() {
                return name.to_ascii_lowercase();
            }
            idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_lowercase())
        }
        ServerName::Address(address) => address.to_string(),
    }
}

/// A wildcard within the leftmost label (RFC 6125 §6.4.3, which RFC 9525 gave up).
fn covers_in_part(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    let (Some((label, parent)), Some((first, rest))) = (pattern.split_once('.'), name.split_once('.')) else { return false };
    let Some((before, after)) = label.split_once('*') else { return false };
    let idn = label.starts_with("xn--") || first.starts_with("xn--");
    parent == rest
        && parent.contains('.')
        && !after.contains('*')
        && !idn
        && first.len() > before.len() + after.len()
        && first.starts_with(before)
        && first.ends_with(after)
}

/// RFC 9525 §6.3: case does not count, and a wildcard stands for the whole leftmost label alone.
pub(super) fn covers(pattern: &str, name: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    if name.is_empty() || name.parse::<std::net::IpAddr>().is_ok() {
        return false;
    }
    match pattern.strip_prefix("*.") {
        Some(parent) => {
            parent.contains('.')
                && !parent.contains('*')
                && name.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
        }
        None => !pattern.contains('*') && pattern == name,
    }
}

/// Why a name of the certificate that looks like the one asked for does not cover it.
fn near_miss(pattern: &str, wanted: &str, asked: &ServerName) -> Option<&'static str> {
    let lower = pattern.to_ascii_lowercase();
    if let ServerName::Address(_) = asked {
        return (lower == wanted).then_some("the address stands there as a DNS name and must be an iPAddress");
    }
    if lower.trim_end_matches('.') == wanted {
        return Some("the name in the certificate ends with a dot");
    }
    if let Some(parent) = lower.strip_prefix("*.") {
        if parent == wanted {
            return Some("a wildcard stands for one label and not for none");
        }
        if wanted.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.') && rest.matches('.').count() > 1) {
            return Some("a wildcard stands for one label and not for several");
        }
        if wanted.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')) {
            return Some("a wildcard must have two labels to its right");
        }
    } else if lower.contains('*') {
        return Some("a wildcard must be the whole leftmost label");
    }
    if lower.strip_prefix("www.") == Some(wanted) {
        return Some("the certificate names it with www alone");
    }
    if wanted.strip_prefix("www.") == Some(lower.as_str()) {
        return Some("the certificate names it without www alone");
    }
    if !lower.is_ascii() {
        return Some("an internationalised name must stand there in A-labels (xn--)");
    }
    let (stem, wanted_stem) = (lower.rsplit_once('.')?.0, wanted.rsplit_once('.')?.0);
    if stem == wanted_stem {
        return Some("the top-level domain is another");
    }
    if lower.replace('_', "-") == wanted.replace('_', "-") {
        return Some("an underscore is not a hyphen");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_covers_one_whole_label() {
        assert!(covers("*.example.test", "a.example.test"));
        assert!(covers("A.EXAMPLE.test", "a.example.test"));
        for (pattern, name) in [
            ("*.example.test", "a.b.example.test"),
            ("*.example.test", "example.test"),
            ("*.test", "example.test"),
            ("a*.b.test", "ab.b.test"),
        ] {
            assert!(!covers(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_near_miss_is_explained() {
        let near = |pattern: &str, wanted: &str| near_miss(pattern, wanted, &ServerName::Dns(wanted.to_owned()));
        assert_eq!(near("*.example.test", "a.b.example.test"), Some("a wildcard stands for one label and not for several"));
        assert_eq!(near("*.example.test", "example.test"), Some("a wildcard stands for one label and not for none"));
        assert_eq!(near("www.example.test", "example.test"), Some("the certificate names it with www alone"));
        assert_eq!(near("example.org", "example.net"), Some("the top-level domain is another"));
        assert_eq!(near("other.test", "example.test"), None);
    }

    #[test]
    fn a_name_in_other_letters_is_asked_for_in_a_labels() {
        assert_eq!(spelled(&ServerName::Dns("Bücher.example.".to_owned())), "xn--bcher-kva.example");
    }
}
