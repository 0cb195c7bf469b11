//! Cipher suites and what they are made of.

use super::{ProtocolVersion, registry};
use rows::DETAILS;

pub use rows::CipherSuite;

/// What a cipher suite is made of, and the versions that can negotiate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuiteDetails {
    /// The suite itself.
    pub suite: CipherSuite,
    /// Its IANA name, or the best known one.
    pub name: &'static str,
    /// What OpenSSL calls it: the name in the newest release that has it. Parsing a [`CipherSuite`] understands the older ones too.
    pub openssl_name: Option<&'static str>,
    /// How the premaster secret comes to be.
    pub key_exchange: KeyExchange,
    /// How the server proves who it is.
    pub authentication: Authentication,
    /// The cipher; its key length and mode are in `key_bits` and `mode`.
    pub encryption: Encryption,
    /// Bits of key that are secret: 40 or 56 for export suites, 0 without encryption.
    pub key_bits: u16,
    /// The mode of the cipher.
    pub mode: CipherMode,
    /// The integrity check of records.
    pub mac: Mac,
    /// The hash of TLS 1.2's PRF or of TLS 1.3's HKDF. TLS 1.1 and earlier ignore it: their PRF is fixed.
    pub hash: Hash,
    /// The lowest version that can negotiate it.
    pub lowest: ProtocolVersion,
    /// The highest version that can negotiate it.
    pub highest: ProtocolVersion,
    /// Does IANA recommend it? As of RFC 10015 (July 2026), which discourages finite-field DHE.
    pub recommended: bool,
    /// The document that defines it.
    pub reference: &'static str,
}

impl SuiteDetails {
    /// Does the cipher protect integrity by itself (GCM, CCM, ChaCha20-Poly1305 …)?
    pub fn is_aead(&self) -> bool {
        self.mac == Mac::Aead
    }

    /// Security bits as OpenSSL's security levels count them; 0 without encryption.
    pub fn strength_bits(&self) -> u16 {
        match (self.encryption, self.mode) {
            (Encryption::TripleDes, _) => 112,
            (_, CipherMode::Ccm8) => 64,
            _ => self.key_bits,
        }
    }

    /// Do recorded connections stay secret when a long-term key leaks? True for TLS 1.3 suites: there only a resumption without
    /// key_share is not, and the suite cannot tell.
    pub fn forward_secret(&self) -> bool {
        matches!(
            self.key_exchange,
            KeyExchange::Dhe
                | KeyExchange::DheExport
                | KeyExchange::DhAnon
                | KeyExchange::Ecdhe
                | KeyExchange::EcdhAnon
                | KeyExchange::DhePsk
                | KeyExchange::EcdhePsk
                | KeyExchange::Srp
                | KeyExchange::Eccpwd
                | KeyExchange::Tls13
        )
    }

    /// Is it one of the suites weakened for the export rules of the 1990s (FREAK, Logjam)?
    pub fn is_export(&self) -> bool {
        self.name.contains("_EXPORT")
    }

    /// Can `version` negotiate it?
    pub fn usable_with(&self, version: ProtocolVersion) -> bool {
        (self.lowest..=self.highest).contains(&version)
    }
}

impl CipherSuite {
    /// What it is made of; `None` for signalling values, for suites of which only the name is known, and for unknown numbers.
    pub fn details(self) -> Option<&'static SuiteDetails> {
        let i = DETAILS.binary_search_by_key(&self, |details| details.suite).ok()?;
        DETAILS.get(i)
    }

    /// Is it a signalling value (SCSV), which says something to the server and can never be chosen?
    pub fn is_signalling(self) -> bool {
        matches!(self, CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV | CipherSuite::TLS_FALLBACK_SCSV)
    }
}

/// How the premaster secret comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyExchange {
    /// None at all.
    Null,
    /// The client encrypts it to the server's RSA key.
    Rsa,
    /// The same with a short RSA key in the ServerKeyExchange message.
    RsaExport,
    /// Diffie-Hellman with the fixed key in the server's certificate.
    Dh,
    /// Ephemeral Diffie-Hellman, signed by the server.
    Dhe,
    /// The same with a prime of at most 512 or 1024 bits.
    DheExport,
    /// Ephemeral Diffie-Hellman that nobody signs.
    DhAnon,
    /// Elliptic-curve Diffie-Hellman with the fixed key in the server's certificate.
    Ecdh,
    /// Ephemeral elliptic-curve Diffie-Hellman, signed by the server.
    Ecdhe,
    /// Ephemeral elliptic-curve Diffie-Hellman that nobody signs.
    EcdhAnon,
    /// A key both sides hold already.
    Psk,
    /// A pre-shared key and RSA encryption together.
    RsaPsk,
    /// A pre-shared key and ephemeral Diffie-Hellman together.
    DhePsk,
    /// A pre-shared key and ephemeral elliptic-curve Diffie-Hellman together.
    EcdhePsk,
    /// A Kerberos ticket.
    Krb5,
    /// Secure Remote Password.
    Srp,
    /// The Russian GOST algorithms (VKO).
    Gost,
    /// A password over elliptic curves (TLS-PWD).
    Eccpwd,
    /// TLS 1.3: key_share or pre_shared_key decide, not the suite.
    Tls13,
}

/// How the server proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authentication {
    /// Not at all: nothing is negotiated.
    Null,
    /// Not at all: the key exchange is anonymous.
    Anon,
    /// A certificate with an RSA key.
    Rsa,
    /// A certificate with a DSA key.
    Dss,
    /// A certificate with an EC key that signs: ECDSA, or Ed25519 and Ed448 (RFC 8422).
    Ecdsa,
    /// A certificate with a Diffie-Hellman key, which does not sign.
    Dh,
    /// A certificate with an EC key that agrees on keys and does not sign (fixed ECDH).
    Ecdh,
    /// The pre-shared key.
    Psk,
    /// Kerberos.
    Krb5,
    /// The SRP password.
    Srp,
    /// A certificate with a GOST key.
    Gost,
    /// The password of TLS-PWD.
    Eccpwd,
    /// TLS 1.3: signature_algorithms decide, not the suite.
    Tls13,
}

/// The cipher of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the algorithms say it all")]
pub enum Encryption {
    Null,
    Rc4,
    Rc2,
    Des,
    TripleDes,
    Idea,
    Seed,
    Camellia,
    Aria,
    Aes,
    Chacha20Poly1305,
    Gost,
    Kuznyechik,
    Magma,
    Sm4,
    Aegis,
}

/// The mode of a cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CipherMode {
    /// No encryption.
    Null,
    /// A stream cipher.
    Stream,
    /// Cipher block chaining.
    Cbc,
    /// Counter mode with a separate integrity check.
    Counter,
    /// Galois/Counter mode.
    Gcm,
    /// Counter with CBC-MAC, 16 byte tag.
    Ccm,
    /// Counter with CBC-MAC, 8 byte tag.
    Ccm8,
    /// Multilinear Galois mode.
    Mgm,
    /// An AEAD that has no modes (ChaCha20-Poly1305, AEGIS).
    Aead,
}

/// The integrity check of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mac {
    /// None.
    Null,
    /// HMAC with MD5.
    Md5,
    /// HMAC with SHA-1.
    Sha1,
    /// HMAC with SHA-256.
    Sha256,
    /// HMAC with SHA-384.
    Sha384,
    /// A MAC of the GOST family.
    Gost,
    /// Part of the cipher.
    Aead,
}

/// The hash of the PRF or HKDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the algorithms say it all")]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
    Sm3,
    /// GOST R 34.11-94.
    Gost94,
    /// GOST R 34.11-2012 with 256 bits.
    Streebog256,
}

/// The rows: `NAME = code, "reference";` where only the name is known, and for the others also
/// `[names in OpenSSL, newest first], key exchange/authentication, encryption key_bits mode, mac, hash, lowest..=highest, recommended`.
macro_rules! suites {
    ( $(
        $name:ident = $code:literal, $reference:literal
        $(, [$($openssl:literal),*], $key_exchange:ident/$authentication:ident, $encryption:ident $key_bits:literal $mode:ident,
          $mac:ident, $hash:ident, $lowest:ident..=$highest:ident, $recommended:literal)?;
    )* ) => {
        registry! {
            /// A cipher suite of SSLv3 to TLS 1.3, by its IANA name or the best known one. OpenSSL's names are understood too.
            CipherSuite(u16), 16 bits;
            $( $name = $code, stringify!($name) $($( => $openssl )*)?, $reference; )*
        }

        /// What is known about the suites, ascending by code.
        pub(super) static DETAILS: &[SuiteDetails] = &[ $( $( SuiteDetails {
            suite: CipherSuite::$name,
            name: stringify!($name),
            openssl_name: first(&[$($openssl),*]),
            key_exchange: KeyExchange::$key_exchange,
            authentication: Authentication::$authentication,
            encryption: Encryption::$encryption,
            key_bits: $key_bits,
            mode: CipherMode::$mode,
            mac: Mac::$mac,
            hash: Hash::$hash,
            lowest: ProtocolVersion::$lowest,
            highest: ProtocolVersion::$highest,
            recommended: $recommended,
            reference: $reference,
        }, )? )* ];
    };
}

const fn first(names: &[&'static str]) -> Option<&'static str> {
    match names {
        [first, ..] => Some(first),
        [] => None,
    }
}

mod rows;
