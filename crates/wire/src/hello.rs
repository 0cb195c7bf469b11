//! The ClientHello that we send: every knob explicit, nothing added behind the caller's back.
//!
//! A [`HelloSpec`] says what a hello contains; [`HelloSpec::encode`] turns it, with the
//! [`KeyMaterial`] of one connection, into bytes. Two specs that differ in one field give hellos
//! that differ in just that, which is what makes one attempt a control for another.

mod encode;
mod extension;
mod knobs;

use crate::registry::{CipherSuite, NamedGroup, ProtocolVersion, Sslv2CipherKind};

pub use encode::{EncodeError, EncodedHello};
pub use extension::ExtensionSpec;
pub(crate) use extension::key_shares;

/// What a ClientHello contains, but for what is new in every connection (that is [`KeyMaterial`]).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct HelloSpec {
    /// TLS, or the SSLv2-compatible form.
    pub format: HelloFormat,
    /// The version in the record headers (RFC 8446 §5.1: `legacy_record_version`).
    pub record_version: ProtocolVersion,
    /// `client_version`, since TLS 1.3 `legacy_version` (RFC 8446 §4.1.2).
    pub legacy_version: ProtocolVersion,
    /// As on the wire: GREASE and signalling values included.
    pub cipher_suites: Vec<CipherSuite>,
    /// Only for [`HelloFormat::Sslv2`]; they stand before the suites.
    pub sslv2_cipher_kinds: Vec<Sslv2CipherKind>,
    /// `compression_methods`; 0 is null.
    pub compression: Vec<u8>,
    /// How many bytes of the session id are sent, 0 to 32.
    pub session_id_length: u8,
    /// In wire order; `None` is a hello without an extension block at all.
    pub extensions: Option<Vec<ExtensionSpec>>,
    /// Length of the whole handshake message in bytes, with its 4-byte header, to be reached by a
    /// padding extension (RFC 7685). A longer message stays as it is. Padding is never empty (some
    /// servers choke on an empty last extension), so a message that lacks 1 to 4 bytes becomes
    /// 4 to 1 bytes longer than this.
    pub pad_to: Option<u16>,
    /// How the message is cut up.
    pub fragment: Fragment,
}

impl Default for HelloSpec {
    /// A TLS 1.2 hello that offers no suite and has no extension.
    fn default() -> Self {
        HelloSpec {
            format: HelloFormat::Tls,
            record_version: ProtocolVersion::TLSV1_0,
            legacy_version: ProtocolVersion::TLSV1_2,
            cipher_suites: Vec::new(),
            sslv2_cipher_kinds: Vec::new(),
            compression: vec![0],
            session_id_length: 0,
            extensions: None,
            pad_to: None,
            fragment: Fragment::Whole,
        }
    }
}

/// The two forms of a ClientHello.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum HelloFormat {
    /// A handshake message in TLS records.
    #[default]
    Tls,
    /// The SSLv2 CLIENT-HELLO, which may offer SSLv2 cipher kinds, TLS suites or both (RFC 5246 §E.2).
    Sslv2,
}

/// How the hello is cut up on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Fragment {
    /// One record (several only above 16384 bytes), one write.
    #[default]
    Whole,
    /// Payload sizes in bytes of the records; the last one repeats. One write. An SSLv2 hello
    /// cannot be cut into records and stays whole.
    Records(Vec<u16>),
    /// Sizes in bytes of the TCP writes; the last one repeats. The bytes are those of `Whole`.
    Segments(Vec<u16>),
}

/// What is new in every connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct KeyMaterial {
    /// `ClientHello.random`; an SSLv2 hello sends it, or its last 16 bytes, as its challenge.
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::array"))]
    pub random: [u8; 32],
    /// At least as many bytes as [`HelloSpec::session_id_length`] says; more are not sent.
    #[cfg_attr(feature = "serde", serde(with = "crate::hex"))]
    pub session_id: Vec<u8>,
    /// The public key of each group in the key_share extension. A group that no one can make a key
    /// for (GREASE, unknown numbers) needs none: it is sent with a single zero byte.
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::shares"))]
    pub key_shares: Vec<(NamedGroup, Vec<u8>)>,
}
