//! What the system's file says to every priority string: `[overrides]`, and the keywords that `@` stands for.

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use super::Lists;
use super::rows::ROWS;
use super::words::{self, Group, Signature};

/// What an override speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A version.
    Version,
    /// A key exchange.
    KeyExchange,
    /// A cipher.
    Cipher,
    /// A MAC.
    Mac,
    /// A group.
    Group,
    /// A curve, wherever it is used.
    Curve,
    /// A digest, wherever it is used.
    Digest,
    /// A signature algorithm.
    Signature,
    /// A signature algorithm in certificates.
    SignatureOfCertificates,
}

/// The system's file, as far as it rules priority strings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// `override-mode = allowlist`: what is listed is on, and nothing else; without it, what is listed is off.
    pub allows: bool,
    /// What is listed, by GnuTLS's names.
    pub listed: Vec<(Kind, &'static str)>,
    /// Keywords of `[priorities]` with their priority strings.
    pub keywords: Vec<(String, String)>,
}

/// GnuTLS's own name of an algorithm; `None` where it has none such.
pub fn known(kind: Kind, name: &str) -> Option<&'static str> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    let first = |mut names: Box<dyn Iterator<Item = &'static str>>| names.find(|known| is(known));
    match kind {
        Kind::Version => first(Box::new(words::VERSIONS.iter().map(|(name, _)| *name))),
        Kind::KeyExchange => first(Box::new(words::KEY_EXCHANGES.iter().map(|one| one.name))),
        Kind::Cipher => first(Box::new(words::CIPHERS.iter().map(|(name, _)| *name))),
        Kind::Mac => first(Box::new(words::MACS.iter().map(|(name, _)| *name))),
        Kind::Digest => first(Box::new(words::DIGESTS.iter().copied())),
        Kind::Group => first(Box::new(words::GROUPS.iter().map(|one| one.name))),
        Kind::Curve => {
            first(Box::new(words::GROUPS.iter().filter_map(|one| one.curve).chain(words::OTHER_CURVES.iter().copied())))
        }
        Kind::Signature | Kind::SignatureOfCertificates => first(Box::new(words::SIGNATURES.iter().map(|one| one.name))),
    }
}

/// Whether an override of this kind and name speaks of a version.
pub fn speaks_of_version(kind: Kind, name: &str, version: ProtocolVersion) -> bool {
    kind == Kind::Version && words::VERSIONS.iter().any(|(own, of)| *own == name && *of == Some(version))
}

/// Whether it speaks of something that a suite is made of.
pub fn speaks_of_suite(kind: Kind, name: &str, suite: CipherSuite) -> bool {
    let row = ROWS.iter().find(|row| row.0 == suite.0);
    row.is_some_and(|row| match kind {
        Kind::KeyExchange => row.1 == name,
        Kind::Cipher => row.2 == name,
        Kind::Mac => row.3 == name,
        Kind::Digest => super::suites::prf(suite) == name,
        _ => false,
    })
}

/// Whether it speaks of a group, or of its curve.
pub fn speaks_of_group(kind: Kind, name: &str, group: NamedGroup) -> bool {
    let row = words::GROUPS.iter().find(|row| row.code == group.0);
    row.is_some_and(|row| match kind {
        Kind::Group => row.name == name,
        Kind::Curve => row.curve == Some(name),
        _ => false,
    })
}

/// Whether it speaks of a signature scheme, or of its digest.
pub fn speaks_of_scheme(kind: Kind, name: &str, scheme: SignatureScheme) -> bool {
    words::SIGNATURES.iter().filter(|row| row.code == Some(scheme.0)).any(|row| match kind {
        Kind::Signature => row.name == name,
        Kind::Digest => row.digest == name,
        _ => false,
    })
}

impl System {
    fn lists(&self, kind: Kind, name: &str) -> bool {
        self.listed.iter().any(|(other, listed)| *other == kind && *listed == name)
    }

    /// Whether what is listed by name is on.
    fn has(&self, kind: Kind, name: &str) -> bool {
        self.lists(kind, name) == self.allows
    }

    pub(super) fn has_curve(&self, group: &Group) -> bool {
        group.curve.is_none_or(|curve| self.has(Kind::Curve, curve))
    }

    pub(super) fn has_digest(&self, digest: &str) -> bool {
        self.has(Kind::Digest, digest)
    }

    /// With a list of what is allowed a string may name others.
    pub(super) fn has_signature(&self, signature: &Signature) -> bool {
        let weak = matches!(signature.name, "RSA-MD5" | "RSA-MD2");
        !weak && (self.allows || !(self.lists(Kind::Signature, signature.name) || self.lists(Kind::Digest, signature.digest)))
    }

    /// Takes away what the file switches off. A list of what is allowed does not bind a string that names more.
    pub(super) fn take_away(&self, lists: &mut Lists) {
        // SSL 3.0 is built in on purpose alone.
        lists.versions.retain(|version| *version != "SSL3.0");
        if self.allows {
            return;
        }
        let of_kind = [
            (Kind::Version, &mut lists.versions),
            (Kind::KeyExchange, &mut lists.key_exchanges),
            (Kind::Cipher, &mut lists.ciphers),
            (Kind::Mac, &mut lists.macs),
            (Kind::Group, &mut lists.groups),
        ];
        for (kind, list) in of_kind {
            list.retain(|name| !self.lists(kind, name));
        }
    }

    /// The priority string that `A,B:rest` stands for: that of the first keyword which is there, and the rest.
    pub(super) fn resolve(&self, text: &str) -> Option<String> {
        let (keywords, rest) = text.split_once(':').map_or((text, None), |(keywords, rest)| (keywords, Some(rest)));
        let value = keywords.split(',').find_map(|keyword| self.keyword(keyword))?;
        Some(rest.map_or_else(|| value.clone(), |rest| format!("{value}:{rest}")))
    }

    fn keyword(&self, keyword: &str) -> Option<String> {
        if self.allows && keyword == "SYSTEM" {
            return Some(self.of_what_is_allowed());
        }
        let found = self.keywords.iter().find(|(known, _)| known == keyword);
        found.map(|(_, value)| value.clone())
    }

    /// The string that a list of what is allowed comes to.
    fn of_what_is_allowed(&self) -> String {
        let order = [
            (Kind::KeyExchange, ""),
            (Kind::Group, "GROUP-"),
            (Kind::Cipher, ""),
            (Kind::Mac, ""),
            (Kind::Signature, "SIGN-"),
            (Kind::Version, "VERS-"),
        ];
        let mut text = "NONE".to_owned();
        for (kind, lead) in order {
            for (_, name) in self.listed.iter().filter(|(other, _)| *other == kind) {
                text.extend([":+", lead, name]);
            }
        }
        text
    }
}
