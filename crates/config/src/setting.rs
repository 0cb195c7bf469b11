use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::service::Trouble;
use crate::span::Origin;

/// Most lines without effect that are told of beside one setting.
pub(crate) const MOST_SHADOWED: usize = 20;

/// A value in effect, where it comes from, and what it keeps from having effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// What it means.
    pub value: T,
    /// The directive as the program names it, such as `ssl_protocols`.
    pub name: String,
    /// The value as written, quotes and escapes taken away, white space single.
    pub text: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What would say something else and has no effect, the nearest rival first; no more than `MOST_SHADOWED`.
    pub shadowed: Vec<Shadowed>,
}

impl<T> Setting<T> {
    /// A setting that shadows nothing.
    pub fn new(name: impl Into<String>, value: T, text: impl Into<String>, origin: Origin) -> Setting<T> {
        Setting { value, name: name.into(), text: text.into(), origin, shadowed: Vec::new() }
    }

    /// Adds what it shadows, the nearest rival first, as far as the bound goes; what lies beyond is not even looked at.
    pub(crate) fn shadow(&mut self, rivals: impl IntoIterator<Item = Shadowed>) {
        let room = MOST_SHADOWED.saturating_sub(self.shadowed.len());
        self.shadowed.extend(rivals.into_iter().take(room));
    }

    /// The same place with another meaning.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        let Setting { value, name, text, origin, shadowed } = self;
        Setting { value: change(value), name, text, origin, shadowed }
    }
}

/// A directive that is there and has no effect on this service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadowed {
    /// The directive.
    pub name: String,
    /// Its value as written.
    pub text: String,
    /// Where it stands.
    pub origin: Origin,
    /// Why it has no effect, a clause: `the default server of *:443 decides the version before the name is known`.
    pub why: String,
    /// Whether somebody who wrote it expects it to count here. A general value that a more specific one replaces, as the
    /// program's manual says, is not meant to: it is shown and is no fault.
    pub meant_to_count: bool,
}

/// The language of a list of cipher suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// OpenSSL's cipher strings.
    OpenSsl,
    /// GnuTLS's priority strings.
    GnuTls,
    /// Names of the IANA registry (JSSE, Go, SChannel), in the order given.
    Iana,
}

/// A list of cipher suites as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CipherList {
    /// In this language.
    pub language: Language,
    /// The list.
    pub text: String,
}

/// Whether a server asks for a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientVerification {
    /// It does not ask.
    Off,
    /// It asks, and takes none as well.
    Optional,
    /// It insists.
    Required,
}

/// The TLS settings of one service or program. What is `None` is not known from the files: the library's default counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether TLS is spoken at all.
    pub tls: Option<Setting<bool>>,
    /// The versions, where the grammar is a set.
    pub versions: Option<Setting<Vec<ProtocolVersion>>>,
    /// The lowest version, where the grammar is a range.
    pub minimum_version: Option<Setting<ProtocolVersion>>,
    /// The highest version, where the grammar is a range.
    pub maximum_version: Option<Setting<ProtocolVersion>>,
    /// Suites up to TLS 1.2.
    pub cipher_list: Option<Setting<CipherList>>,
    /// Suites of TLS 1.3, where they have a setting of their own.
    pub cipher_suites: Option<Setting<Vec<CipherSuite>>>,
    /// Key-exchange groups.
    pub groups: Option<Setting<Vec<NamedGroup>>>,
    /// Signature algorithms.
    pub signature_algorithms: Option<Setting<Vec<SignatureScheme>>>,
    /// OpenSSL's security level, where a setting of its own names it (within a cipher list it is part of that).
    pub security_level: Option<Setting<u8>>,
    /// Files with the own certificate, each with its chain where the program reads it from there; one for each kind of key.
    pub certificates: Vec<Setting<String>>,
    /// Files with the keys, in the order of the certificates.
    pub keys: Vec<Setting<String>>,
    /// A file with intermediates alone.
    pub chain: Option<Setting<String>>,
    /// A file with Diffie-Hellman parameters.
    pub dh_parameters: Option<Setting<String>>,
    /// Whether the server asks for a client certificate.
    pub client_verification: Option<Setting<ClientVerification>>,
    /// Trust anchors by which the other side is judged: a file or a directory.
    pub trust: Option<Setting<String>>,
    /// Application protocols, in order.
    pub alpn: Option<Setting<Vec<String>>>,
    /// Whether the server's order of suites counts.
    pub server_preference: Option<Setting<bool>>,
    /// Whether a server name that no service has is refused.
    pub refuses_unknown_names: Option<Setting<bool>>,
    /// Whether every handshake is refused (`ssl_reject_handshake`).
    pub refuses_all: Option<Setting<bool>>,
    /// Options of the library by its own names (`UnsafeLegacyRenegotiation`, `-MiddleboxCompat` …).
    pub options: Option<Setting<Vec<String>>>,
    /// The file that stands in the place of the library's system-wide one, where the program's environment names it (`OPENSSL_CONF`).
    pub library_policy: Option<Setting<String>>,
    /// Client: what in its files makes it end, or make no connection at all.
    pub stops: Option<Trouble>,
    /// Client: the server name that is sent; `None` inside says that none is.
    pub server_name: Option<Setting<Option<String>>>,
    /// Client: whether the server's certificate is verified.
    pub verifies_peer: Option<Setting<bool>>,
}

/// One setting as it is shown: its meaning is left out.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What it governs, such as `versions`.
    pub governs: &'static str,
    /// The directive.
    pub name: &'a str,
    /// Its value as written.
    pub text: &'a str,
    /// Where it comes from.
    pub origin: &'a Origin,
    /// What has no effect besides it.
    pub shadowed: &'a [Shadowed],
}

impl Settings {
    /// Every setting, in the order in which a handshake meets them.
    pub fn shown(&self) -> Vec<Shown<'_>> {
        fn one<'a, T>(governs: &'static str, setting: impl IntoIterator<Item = &'a Setting<T>>) -> Vec<Shown<'a>>
        where
            T: 'a,
        {
            let shown = |setting: &'a Setting<T>| Shown {
                governs,
                name: &setting.name,
                text: &setting.text,
                origin: &setting.origin,
                shadowed: &setting.shadowed,
            };
            setting.into_iter().map(shown).collect()
        }
        [
            one("tls", &self.tls),
            one("refuses-all", &self.refuses_all),
            one("refuses-unknown-names", &self.refuses_unknown_names),
            one("server-name", &self.server_name),
            one("versions", &self.versions),
            one("minimum-version", &self.minimum_version),
            one("maximum-version", &self.maximum_version),
            one("cipher-list", &self.cipher_list),
            one("cipher-suites", &self.cipher_suites),
            one("server-preference", &self.server_preference),
            one("groups", &self.groups),
            one("dh-parameters", &self.dh_parameters),
            one("signature-algorithms", &self.signature_algorithms),
            one("security-level", &self.security_level),
            one("options", &self.options),
            one("library-policy", &self.library_policy),
            one("alpn", &self.alpn),
            one("certificate", &self.certificates),
            one("key", &self.keys),
            one("chain", &self.chain),
            one("client-verification", &self.client_verification),
            one("verifies-peer", &self.verifies_peer),
            one("trust", &self.trust),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
