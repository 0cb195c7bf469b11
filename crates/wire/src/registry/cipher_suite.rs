//! Cipher suites and what they are made of.

use super::{ProtocolVersion, registry};

/// What a cipher suite is made of, and the versions that can negotiate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuiteDetails {
    /// The suite itself.
    pub suite: CipherSuite,
    /// Its IANA name, or the best known one.
    pub name: &'static str,
    /// What OpenSSL calls it, in any of its releases that had it.
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
    /// The hash of TLS 1.2's PRF, or of TLS 1.3's HKDF. Before TLS 1.2 the PRF is fixed.
    pub hash: Hash,
    /// The lowest version that can negotiate it.
    pub lowest: ProtocolVersion,
    /// The highest version that can negotiate it.
    pub highest: ProtocolVersion,
    /// Does IANA mark it as recommended?
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

    /// Do recorded connections stay secret when the long-term key leaks? True for TLS 1.3 suites, whose key exchange is separate.
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

    /// Can `version` negotiate it?
    pub fn usable_with(&self, version: ProtocolVersion) -> bool {
        (self.lowest..=self.highest).contains(&version)
    }
}

impl CipherSuite {
    /// What it is made of; `None` for signalling values and numbers without a row.
    pub fn details(self) -> Option<&'static SuiteDetails> {
        let i = DETAILS
            .binary_search_by_key(&self, |details| details.suite)
            .ok()?;
        DETAILS.get(i)
    }

    /// Is it a signalling value (SCSV), which says something to the server and can never be chosen?
    pub fn is_signalling(self) -> bool {
        matches!(
            self,
            CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV | CipherSuite::TLS_FALLBACK_SCSV
        )
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
    /// A certificate with a Diffie-Hellman key.
    Dh,
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
    Fortezza,
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

/// The rows: `NAME = code, "reference";` for signalling values, for suites also
/// `name in OpenSSL, key exchange / authentication, encryption key_bits mode, mac, hash, lowest ..= highest, recommended`.
macro_rules! suites {
    ( $(
        $name:ident = $code:literal, $reference:literal
        $(, $openssl:expr, $key_exchange:ident / $authentication:ident, $encryption:ident $key_bits:literal $mode:ident, $mac:ident, $hash:ident,
          $lowest:ident ..= $highest:ident, $recommended:ident )?;
    )* ) => {
        registry! {
            /// A cipher suite of SSLv3 to TLS 1.3.
            CipherSuite(u16), 16 bits;
            $( $name = $code, stringify!($name), $reference; )*
        }

        static DETAILS: &[SuiteDetails] = &[ $( $( SuiteDetails {
            suite: CipherSuite::$name,
            name: stringify!($name),
            openssl_name: $openssl,
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

suites! {
    TLS_NULL_WITH_NULL_NULL = 0x0000, "RFC 5246", None, Null/Null, Null 0 Null, Null, Sha256, SSLV3..=TLSV1_2, false;
    TLS_RSA_WITH_RC4_128_MD5 = 0x0004, "RFC 5246", Some("RC4-MD5"), Rsa/Rsa, Rc4 128 Stream, Md5, Sha256, SSLV3..=TLSV1_2, false;
    TLS_RSA_WITH_RC4_128_SHA = 0x0005, "RFC 5246", Some("RC4-SHA"), Rsa/Rsa, Rc4 128 Stream, Sha1, Sha256, SSLV3..=TLSV1_2, false;
    TLS_RSA_WITH_3DES_EDE_CBC_SHA = 0x000a, "RFC 5246", Some("DES-CBC3-SHA"), Rsa/Rsa, TripleDes 168 Cbc, Sha1, Sha256, SSLV3..=TLSV1_2, false;
    TLS_RSA_WITH_AES_128_CBC_SHA = 0x002f, "RFC 5246", Some("AES128-SHA"), Rsa/Rsa, Aes 128 Cbc, Sha1, Sha256, SSLV3..=TLSV1_2, false;
    TLS_DHE_RSA_WITH_AES_128_CBC_SHA = 0x0033, "RFC 5246", Some("DHE-RSA-AES128-SHA"), Dhe/Rsa, Aes 128 Cbc, Sha1, Sha256, SSLV3..=TLSV1_2, false;
    TLS_RSA_WITH_AES_256_CBC_SHA = 0x0035, "RFC 5246", Some("AES256-SHA"), Rsa/Rsa, Aes 256 Cbc, Sha1, Sha256, SSLV3..=TLSV1_2, false;
    TLS_DHE_RSA_WITH_AES_256_CBC_SHA = 0x0039, "RFC 5246", Some("DHE-RSA-AES256-SHA"), Dhe/Rsa, Aes 256 Cbc, Sha1, Sha256, SSLV3..=TLSV1_2, false;
    TLS_RSA_WITH_AES_128_CBC_SHA256 = 0x003c, "RFC 5246", Some("AES128-SHA256"), Rsa/Rsa, Aes 128 Cbc, Sha256, Sha256, TLSV1_2..=TLSV1_2, false;
    TLS_RSA_WITH_AES_128_GCM_SHA256 = 0x009c, "RFC 5288", Some("AES128-GCM-SHA256"), Rsa/Rsa, Aes 128 Gcm, Aead, Sha256, TLSV1_2..=TLSV1_2, false;
    TLS_RSA_WITH_AES_256_GCM_SHA384 = 0x009d, "RFC 5288", Some("AES256-GCM-SHA384"), Rsa/Rsa, Aes 256 Gcm, Aead, Sha384, TLSV1_2..=TLSV1_2, false;
    TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 = 0x009e, "RFC 5288", Some("DHE-RSA-AES128-GCM-SHA256"), Dhe/Rsa, Aes 128 Gcm, Aead, Sha256, TLSV1_2..=TLSV1_2, false;
    TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 = 0x009f, "RFC 5288", Some("DHE-RSA-AES256-GCM-SHA384"), Dhe/Rsa, Aes 256 Gcm, Aead, Sha384, TLSV1_2..=TLSV1_2, false;
    TLS_EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff, "RFC 5746";
    TLS_AES_128_GCM_SHA256 = 0x1301, "RFC 8446", Some("TLS_AES_128_GCM_SHA256"), Tls13/Tls13, Aes 128 Gcm, Aead, Sha256, TLSV1_3..=TLSV1_3, true;
    TLS_AES_256_GCM_SHA384 = 0x1302, "RFC 8446", Some("TLS_AES_256_GCM_SHA384"), Tls13/Tls13, Aes 256 Gcm, Aead, Sha384, TLSV1_3..=TLSV1_3, true;
    TLS_CHACHA20_POLY1305_SHA256 = 0x1303, "RFC 8446", Some("TLS_CHACHA20_POLY1305_SHA256"), Tls13/Tls13, Chacha20Poly1305 256 Aead, Aead, Sha256, TLSV1_3..=TLSV1_3, true;
    TLS_AES_128_CCM_SHA256 = 0x1304, "RFC 8446", Some("TLS_AES_128_CCM_SHA256"), Tls13/Tls13, Aes 128 Ccm, Aead, Sha256, TLSV1_3..=TLSV1_3, true;
    TLS_AES_128_CCM_8_SHA256 = 0x1305, "RFC 8446", Some("TLS_AES_128_CCM_8_SHA256"), Tls13/Tls13, Aes 128 Ccm8, Aead, Sha256, TLSV1_3..=TLSV1_3, false;
    TLS_FALLBACK_SCSV = 0x5600, "RFC 7507";
    TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA = 0xc009, "RFC 8422", Some("ECDHE-ECDSA-AES128-SHA"), Ecdhe/Ecdsa, Aes 128 Cbc, Sha1, Sha256, TLSV1_0..=TLSV1_2, false;
    TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA = 0xc00a, "RFC 8422", Some("ECDHE-ECDSA-AES256-SHA"), Ecdhe/Ecdsa, Aes 256 Cbc, Sha1, Sha256, TLSV1_0..=TLSV1_2, false;
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA = 0xc013, "RFC 8422", Some("ECDHE-RSA-AES128-SHA"), Ecdhe/Rsa, Aes 128 Cbc, Sha1, Sha256, TLSV1_0..=TLSV1_2, false;
    TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA = 0xc014, "RFC 8422", Some("ECDHE-RSA-AES256-SHA"), Ecdhe/Rsa, Aes 256 Cbc, Sha1, Sha256, TLSV1_0..=TLSV1_2, false;
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 = 0xc02b, "RFC 5289", Some("ECDHE-ECDSA-AES128-GCM-SHA256"), Ecdhe/Ecdsa, Aes 128 Gcm, Aead, Sha256, TLSV1_2..=TLSV1_2, true;
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 = 0xc02c, "RFC 5289", Some("ECDHE-ECDSA-AES256-GCM-SHA384"), Ecdhe/Ecdsa, Aes 256 Gcm, Aead, Sha384, TLSV1_2..=TLSV1_2, true;
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 = 0xc02f, "RFC 5289", Some("ECDHE-RSA-AES128-GCM-SHA256"), Ecdhe/Rsa, Aes 128 Gcm, Aead, Sha256, TLSV1_2..=TLSV1_2, true;
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 = 0xc030, "RFC 5289", Some("ECDHE-RSA-AES256-GCM-SHA384"), Ecdhe/Rsa, Aes 256 Gcm, Aead, Sha384, TLSV1_2..=TLSV1_2, true;
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 = 0xcca8, "RFC 7905", Some("ECDHE-RSA-CHACHA20-POLY1305"), Ecdhe/Rsa, Chacha20Poly1305 256 Aead, Aead, Sha256, TLSV1_2..=TLSV1_2, true;
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 = 0xcca9, "RFC 7905", Some("ECDHE-ECDSA-CHACHA20-POLY1305"), Ecdhe/Ecdsa, Chacha20Poly1305 256 Aead, Aead, Sha256, TLSV1_2..=TLSV1_2, true;
    TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256 = 0xccaa, "RFC 7905", Some("DHE-RSA-CHACHA20-POLY1305"), Dhe/Rsa, Chacha20Poly1305 256 Aead, Aead, Sha256, TLSV1_2..=TLSV1_2, true;
}
