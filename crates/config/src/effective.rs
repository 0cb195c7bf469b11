use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

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
