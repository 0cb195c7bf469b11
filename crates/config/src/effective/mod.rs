//! What a service will really do: its own settings, the policy of its library, and what the library can do at all.

mod gnutls;
pub(crate) mod go;
mod levels;
mod openssl;

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::files::Files;
use crate::language::names;
use crate::service::{Library, Service};
use crate::setting::Language;
use crate::span::Origin;

/// What a service will really do: its settings, cut by the library's policy and by what the library can do at all. `None` is what
/// cannot be known from the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective {
    /// Versions that lead to a handshake, newest first.
    pub versions: Option<Vec<ProtocolVersion>>,
    /// Suites up to TLS 1.2, in the order of preference.
    pub cipher_suites: Option<Vec<CipherSuite>>,
    /// Suites of TLS 1.3, in the order of preference.
    pub cipher_suites_13: Option<Vec<CipherSuite>>,
    /// Key-exchange groups.
    pub groups: Option<Vec<NamedGroup>>,
    /// Signature schemes.
    pub signature_schemes: Option<Vec<SignatureScheme>>,
    /// OpenSSL's security level.
    pub security_level: Option<u8>,
    /// Whether a server chooses by its own order of suites, up to TLS 1.2, not by the client's.
    pub server_preference: Option<bool>,
    /// Whether a client goes on with a server that lacks secure renegotiation (RFC 5746).
    pub legacy_servers: Option<bool>,
    /// What the settings allow and something else takes away.
    pub reductions: Vec<Reduction>,
}

/// Something that a setting allows and something else takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduction {
    /// What, such as `TLSv1.1`.
    pub what: String,
    /// Why, a clause: `OpenSSL 3.0 at security level 2 cannot sign it`.
    pub why: String,
    /// What takes it away.
    pub by: Origin,
}

/// The versions of which configurations speak, lowest first.
const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::SSLV3,
    ProtocolVersion::TLSV1_0,
    ProtocolVersion::TLSV1_1,
    ProtocolVersion::TLSV1_2,
    ProtocolVersion::TLSV1_3,
];

/// What a service will really do.
pub fn effective(service: &Service, files: &Files<'_>) -> Effective {
    match service.library {
        Library::OpenSsl(release) => openssl::effective(service, files, release),
        Library::Go(release) => go::effective(service, release),
        Library::GnuTls(release) => gnutls::effective(service, files, release),
        _ => as_set(service),
    }
}

/// What the settings say, of a library of which no more is known here.
fn as_set(service: &Service) -> Effective {
    let settings = &service.settings;
    let (lowest, highest) = (settings.minimum_version.as_ref(), settings.maximum_version.as_ref());
    let named = settings.versions.as_ref().map(|versions| versions.value.clone());
    let versions = (named.is_some() || lowest.is_some() || highest.is_some()).then(|| {
        let mut versions = named.unwrap_or_else(|| VERSIONS.to_vec());
        versions.retain(|version| lowest.is_none_or(|lowest| *version >= lowest.value));
        versions.retain(|version| highest.is_none_or(|highest| *version <= highest.value));
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions
    });
    // A list of names holds those of TLS 1.3 as well.
    let named = settings.cipher_list.as_ref().filter(|list| list.value.language == Language::Iana);
    let (named_13, named): (Option<Vec<CipherSuite>>, Option<Vec<CipherSuite>>) = named
        .map(|list| names::suites(&list.value.text).unwrap_or_default().into_iter().partition(|suite| suite.0 >> 8 == 0x13))
        .unzip();
    Effective {
        versions,
        cipher_suites: named,
        cipher_suites_13: settings.cipher_suites.as_ref().map(|suites| suites.value.clone()).or(named_13),
        groups: settings.groups.as_ref().map(|groups| groups.value.clone()),
        signature_schemes: settings.signature_algorithms.as_ref().map(|schemes| schemes.value.clone()),
        security_level: settings.security_level.as_ref().map(|level| level.value),
        server_preference: settings.server_preference.as_ref().map(|preference| preference.value),
        ..Effective::default()
    }
}
