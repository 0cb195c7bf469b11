//! The lists of disabled algorithms of java.security, as JSSE applies them to a handshake.
//!
//! Sources: the comments above the property in java.security; the classes DisabledAlgorithmConstraints, SSLAlgorithmDecomposer and
//! SignatureScheme of OpenJDK; the words measured by the hellos of JDK 17.0.15 and 25.0.3.

use std::ops::Range;

use tlswhy_wire::{
    Authentication, CipherMode, CipherSuite, Encryption, Hash, KeyExchange, Mac, NamedGroup, ProtocolVersion, SignatureScheme,
};

use super::jsse;
use crate::mend::CannotMend;
use crate::release::Release;

/// Patterns with `*` count since this release (its release notes: TLS_RSA_* are disabled; measured: not in 21, in 25).
const HAS_PATTERNS: Release = Release::new(24, 0, 0);

/// Which list an entry stands in: both reach the hello, that for chains by fewer words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// `jdk.tls.disabledAlgorithms`.
    Handshakes,
    /// `jdk.certpath.disabledAlgorithms`.
    Chains,
}

/// One entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As written, without the blanks around it.
    pub text: String,
    /// Where it stands among the characters of the list.
    pub at: Range<usize>,
    list: List,
    /// The algorithm as written.
    name: String,
    conditions: Vec<Condition>,
}

/// What has to hold besides the name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    KeySize(Comparison, u64),
    /// Lower case.
    Usage(Vec<String>),
    /// Of certificates alone: `jdkCA`.
    Anchor,
    /// Of certificates alone: `denyAfter`.
    Date,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Greater,
}

const COMPARISONS: &[(&str, Comparison)] = &[
    ("<=", Comparison::AtMost),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Comparison {
    fn holds(self, size: u64, than: u64) -> bool {
        match self {
            Comparison::Less => size < than,
            Comparison::AtMost => size <= than,
            Comparison::Equal => size == than,
            Comparison::NotEqual => size != than,
            Comparison::AtLeast => size >= than,
            Comparison::Greater => size > than,
        }
    }
}

const INCLUDE: &str = "include ";
/// The list of curves, the one that others may include.
pub(crate) const CURVES: &str = "jdk.disabled.namedCurves";

/// The entries of a list; where one is wrong, its place and what is wrong with it: the virtual machine ends at it.
///
/// # Errors
/// An entry has a condition that this release of Java refuses.
pub fn entries(list: &[char], of: List, release: Option<Release>) -> Result<Vec<Entry>, (Range<usize>, String)> {
    let mut inner = trimmed(list, 0..list.len());
    let is_quote = |at: usize| list.get(at) == Some(&'"');
    if inner.len() > 1 && is_quote(inner.start) && is_quote(inner.end - 1) {
        inner = inner.start + 1..inner.end - 1;
    }
    let mut found = Vec::new();
    let mut start = inner.start;
    for end in inner.clone().filter(|at| list.get(*at) == Some(&',')).chain([inner.end]) {
        let at = trimmed(list, start..end);
        start = end + 1;
        if at.is_empty() {
            continue;
        }
        let text: String = list.get(at.clone()).unwrap_or_default().iter().collect();
        match entry(&text, of, release) {
            Ok((name, conditions)) => found.push(Entry { text, at, list: of, name, conditions }),
            Err(says) => return Err((at, says)),
        }
    }
    Ok(found)
}

fn trimmed(list: &[char], range: Range<usize>) -> Range<usize> {
    let text = list.get(range.clone()).unwrap_or_default();
    let before = text.iter().take_while(|letter| letter.is_ascii_whitespace()).count();
    let after = text.iter().rev().take_while(|letter| letter.is_ascii_whitespace()).count();
    if before == text.len() { range.start..range.start } else { range.start + before..range.end - after }
}

fn entry(text: &str, of: List, release: Option<Release>) -> Result<(String, Vec<Condition>), String> {
    let (name, policy) = text.split_once(' ').unwrap_or((text, ""));
    if includes_curves(text) {
        return Ok((text.to_owned(), Vec::new()));
    }
    let has_patterns = of == List::Handshakes && release.is_none_or(|release| release >= HAS_PATTERNS);
    if has_patterns && name.contains('*') && !name.starts_with("TLS_") {
        return Err(format!("{name:?}: a pattern has to begin with TLS_"));
    }
    if policy.trim().is_empty() {
        return Ok((name.to_owned(), Vec::new()));
    }
    let conditions: Vec<Condition> =
        policy.split('&').map(|one| condition(one.trim(), release)).collect::<Result<_, String>>()?;
    for (once, word) in [(Condition::Anchor, "jdkCA"), (Condition::Date, "denyAfter")] {
        if conditions.iter().filter(|condition| **condition == once).count() > 1 {
            return Err(format!("{text:?}: {word} may be named once"));
        }
    }
    Ok((name.to_owned(), conditions))
}

fn includes_curves(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.strip_prefix(INCLUDE).is_some_and(|rest| rest == CURVES.to_ascii_lowercase())
}

/// A condition; but for `jdkCA` the case of its first word counts.
fn condition(text: &str, release: Option<Release>) -> Result<Condition, String> {
    let wrong = || format!("{text:?} is no condition of Java's");
    let mut words = text.split_ascii_whitespace();
    if text.eq_ignore_ascii_case("jdkCA") {
        return Ok(Condition::Anchor);
    }
    match words.next() {
        Some("usage") => {
            let usages: Vec<String> = words.map(str::to_ascii_lowercase).collect();
            let of_signatures = |usage: &&String| matches!(usage.as_str(), "handshakesignature" | "certificatesignature");
            let count = usages.iter().filter(of_signatures).count();
            if count > 0 && count < usages.len() && release.is_none_or(|release| release >= jsse::HAS_SCOPES) {
                return Err(format!("{text:?} mixes usages of signatures with others"));
            }
            Ok(Condition::Usage(usages))
        }
        Some("keySize") => {
            let sign = words.next().ok_or_else(wrong)?;
            let (_, comparison) = COMPARISONS.iter().find(|(known, _)| *known == sign).ok_or_else(wrong)?;
            let size = words.next().and_then(|size| size.parse().ok()).ok_or_else(wrong)?;
            Ok(Condition::KeySize(*comparison, size))
        }
        Some("denyAfter") => words.next().filter(|date| is_date(date)).map(|_| Condition::Date).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// `2020-01-31`.
fn is_date(text: &str) -> bool {
    let mut parts = text.split('-').map(|part| part.parse::<u32>().ok().map(|number| (part.len(), number)));
    matches!(
        (parts.next(), parts.next(), parts.next(), parts.next()),
        (Some(Some((4, _))), Some(Some((2, 1..=12))), Some(Some((2, 1..=31))), None)
    )
}

impl Entry {
    /// Whether the list of curves stands here as well.
    pub fn includes_curves(&self) -> bool {
        includes_curves(&self.text)
    }

    /// Whether it is a name alone.
    fn is_plain(&self) -> bool {
        self.conditions.is_empty()
    }

    fn is_any_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }

    /// The conditions on a key's size, as far as it has any.
    fn forbids_size(&self, size: u64) -> bool {
        let mut sizes = self.conditions.iter().filter_map(|condition| match condition {
            Condition::KeySize(comparison, than) => Some(comparison.holds(size, *than)),
            _ => None,
        });
        sizes.next().is_some_and(|first| first && sizes.all(|holds| holds))
    }

    /// The same entry, for keys smaller than this alone; `None` where it is none that has one upper bound.
    pub(crate) fn below(&self, size: u64) -> Option<String> {
        match self.conditions.as_slice() {
            [Condition::KeySize(Comparison::Less | Comparison::AtMost, _)] => Some(format!("{} keySize < {size}", self.name)),
            _ => None,
        }
    }

    /// The entries of another text in the same list.
    pub(crate) fn like(&self, text: &str, release: Option<Release>) -> Result<Vec<Entry>, CannotMend> {
        let text: Vec<char> = text.chars().collect();
        entries(&text, self.list, release).map_err(|(_, says)| CannotMend::because(says))
    }

    /// Whether it takes a version away.
    pub fn takes_version(&self, version: ProtocolVersion) -> bool {
        self.is_plain() && jsse::version_name(version).is_some_and(|name| self.is_any_of(&[name]))
    }

    /// Whether it takes away what is called so: by the whole name, or by a pattern for suites.
    pub(crate) fn takes_name(&self, name: &str, release: Option<Release>) -> bool {
        if self.name.contains('*') {
            let has = self.list == List::Handshakes && release.is_none_or(|release| release >= HAS_PATTERNS);
            return has && self.is_plain() && crate::files::fits(literal(&self.name).as_bytes(), name.as_bytes());
        }
        self.is_plain() && self.is_any_of(&[name])
    }

    /// Whether it takes a suite away.
    pub fn takes_suite(&self, suite: CipherSuite, release: Option<Release>) -> bool {
        let Some(row) = suite.details().filter(|_| self.is_plain()) else { return false };
        let name = jsse::suite_name(suite);
        let exchange: &[&str] = match (row.key_exchange, row.authentication) {
            (KeyExchange::Rsa, _) => &["RSA"],
            (KeyExchange::Dhe, Authentication::Rsa) => &["RSA", "DH", "DHE", "DiffieHellman", "DHE_RSA"],
            (KeyExchange::Dhe, _) => &["DSA", "DSS", "DH", "DHE", "DiffieHellman", "DHE_DSS"],
            (KeyExchange::Ecdhe, Authentication::Rsa) => &["ECDHE", "RSA", "ECDHE_RSA"],
            (KeyExchange::Ecdhe, _) => &["ECDHE", "ECDSA", "ECDHE_ECDSA"],
            // The fixed kinds are told apart by who signed the certificate: by the name alone.
            (KeyExchange::Ecdh, _) if name.starts_with("TLS_ECDH_RSA_") => &["ECDH", "RSA", "ECDH_RSA"],
            (KeyExchange::Ecdh, _) => &["ECDH", "ECDSA", "ECDH_ECDSA"],
            _ => &[],
        };
        if self.takes_name(name, release) || self.is_any_of(exchange) {
            return true;
        }
        if self.list == List::Chains {
            return false;
        }
        // Suites of TLS 1.3 have no word for cipher and mode together (measured).
        let of_13 = row.lowest >= ProtocolVersion::TLSV1_3;
        let bulk: &[&str] = match (row.encryption, row.key_bits, row.mode) {
            (Encryption::Aes, 128, CipherMode::Cbc) => &["AES", "CBC", "NoPadding", "AES_128_CBC"],
            (Encryption::Aes, _, CipherMode::Cbc) => &["AES", "CBC", "NoPadding", "AES_256_CBC"],
            (Encryption::Aes, _, _) if of_13 => &["AES", "GCM", "NoPadding"],
            (Encryption::Aes, 128, _) => &["AES", "GCM", "NoPadding", "AES_128_GCM"],
            (Encryption::Aes, _, _) => &["AES", "GCM", "NoPadding", "AES_256_GCM"],
            (Encryption::TripleDes, _, _) => &["DESede", "CBC", "NoPadding", "3DES_EDE_CBC"],
            (Encryption::Chacha20Poly1305, _, _) => &["ChaCha20-Poly1305"],
            _ => &[],
        };
        let mac: &[&str] = match row.mac {
            Mac::Sha1 => &["SHA1", "SHA-1", "HmacSHA1"],
            Mac::Sha256 => &["SHA256", "SHA-256", "HmacSHA256"],
            Mac::Sha384 => &["SHA384", "SHA-384", "HmacSHA384"],
            Mac::Md5 => &["MD5", "HmacMD5"],
            _ => &[],
        };
        let hash: &[&str] = match row.hash {
            Hash::Sha384 => &["SHA384", "SHA-384", "HmacSHA384"],
            _ => &["SHA256", "SHA-256", "HmacSHA256"],
        };
        [bulk, mac, hash].iter().any(|names| self.is_any_of(names))
    }

    /// Whether it takes a group away.
    pub fn takes_group(&self, group: NamedGroup) -> bool {
        let name = group.to_string();
        let Some(row) = jsse::GROUPS.iter().find(|row| row.group == group) else { return false };
        if self.is_plain() {
            return self.is_any_of(&[&name]) || self.is_any_of(row.algorithms);
        }
        row.sized_as.iter().any(|kind| self.is_any_of(&[kind])) && self.forbids_size(row.bits)
    }

    /// Whether it takes a signature scheme away.
    pub fn takes_scheme(&self, scheme: SignatureScheme, release: Option<Release>) -> bool {
        let Some(row) = jsse::SCHEMES.iter().find(|row| row.scheme == scheme) else { return false };
        let own = [row.key, row.signature];
        let own = || self.is_any_of(&own) || self.is_any_of(&[&jsse::scheme_name(scheme)]);
        if self.is_plain() {
            // `SHA256withECDSA` is `SHA256` and `ECDSA` too.
            let signer = row.signature.split_once("with").map(|(_, signer)| signer);
            return own()
                || self.is_any_of(row.parts)
                || signer.is_some_and(|signer| self.is_any_of(&[signer]))
                || row.curve.is_some_and(|curve| self.is_any_of(&[&curve.to_string()]));
        }
        let curve = row.curve.and_then(|curve| jsse::GROUPS.iter().find(|row| row.group == curve));
        let by_size = self.is_any_of(&["EC"]) && curve.is_some_and(|curve| self.forbids_size(curve.bits));
        let scoped = self.list == List::Handshakes && release.is_none_or(|release| release >= jsse::HAS_SCOPES);
        by_size || scoped && self.is_for_handshake_signatures() && own()
    }

    /// Whether its first condition is that usage: behind another it does not count (measured).
    fn is_for_handshake_signatures(&self) -> bool {
        matches!(self.conditions.first(), Some(Condition::Usage(of)) if of.iter().any(|usage| usage == "handshakesignature"))
    }

    /// Why it has no effect with this release, where somebody may expect one.
    pub fn without_effect(&self, release: Option<Release>) -> Option<String> {
        let release = release?;
        if self.name.contains('*') && (release < HAS_PATTERNS || self.list == List::Chains) {
            return Some(match self.list {
                List::Chains => format!("`{}`: patterns count in jdk.tls.disabledAlgorithms alone", self.text),
                List::Handshakes => {
                    format!("`{}`: patterns count since Java {}, not in {release}", self.text, HAS_PATTERNS.major)
                }
            });
        }
        if self.is_for_handshake_signatures() && release < jsse::HAS_SCOPES {
            let since = jsse::HAS_SCOPES.major;
            return Some(format!("`{}`: this usage counts since Java {since}, not in {release}", self.text));
        }
        None
    }
}

/// A pattern in which `*` alone is special.
fn literal(pattern: &str) -> String {
    pattern.chars().flat_map(|letter| matches!(letter, '?' | '[' | '\\').then_some('\\').into_iter().chain([letter])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &str) -> Vec<Entry> {
        entries(&list.chars().collect::<Vec<char>>(), List::Handshakes, None).unwrap()
    }

    #[test]
    fn entries_are_names_with_conditions() {
        let list = of("SSLv3, DH keySize < 1024 , ,include jdk.disabled.NamedCurves,RSA jdkCA & usage TLSServer");
        let texts: Vec<&str> = list.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["SSLv3", "DH keySize < 1024", "include jdk.disabled.NamedCurves", "RSA jdkCA & usage TLSServer"]);
        assert!(list.get(2).is_some_and(Entry::includes_curves));
        assert_eq!(list.get(1).map(|entry| entry.at.clone()), Some(7..24));
        assert_eq!(of("\"TLSv1, RC4\"").len(), 2);
        let wrong = |list: &str| entries(&list.chars().collect::<Vec<char>>(), List::Handshakes, None).is_err();
        for list in ["RSA keySize < many", "RSA keySize<1024", "ECDHE & usage TLSServer", "DH size < 3", "include x.y", "*"] {
            assert!(wrong(list), "{list}");
        }
        assert!(wrong("RSA denyAfter 2020-13-01") && !wrong("RSA denyAfter 2020-12-01"));
        assert!(wrong("RSA jdkCA & jdkca") && wrong("RSA usage HandshakeSignature TLSServer"));
    }

    #[test]
    fn a_word_takes_what_has_it_as_a_part() {
        let takes = |list: &str, suite: &str| {
            let suite = suite.parse().unwrap();
            of(list).iter().any(|entry| entry.takes_suite(suite, None))
        };
        assert!(takes("ecdhe", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
        assert!(!takes("ECDH", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
        assert!(takes("TLS_RSA_*", "TLS_RSA_WITH_AES_128_GCM_SHA256"));
        assert!(!takes("RSA keySize < 9999", "TLS_RSA_WITH_AES_128_GCM_SHA256"));
        assert!(of("EC keySize < 300").iter().any(|entry| entry.takes_group(NamedGroup::SECP256R1)));
        assert!(!of("EC keySize < 256").iter().any(|entry| entry.takes_group(NamedGroup::SECP256R1)));
        assert!(of("TLSv1").iter().all(|entry| !entry.takes_version(ProtocolVersion::TLSV1_1)));
    }
}
