//! One extension of a hello that we send.

use super::encode::{EncodeError, Number, Shares, u16s, vector8, vector16};
use crate::located::DecodeError;
use crate::reader::Reader;
use crate::registry::{ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};

/// An extension of a ClientHello. What has no variant of its own is [`ExtensionSpec::Raw`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ExtensionSpec {
    /// `server_name` with one host_name (RFC 6066 §3).
    ServerName(String),
    /// `supported_versions` (RFC 8446 §4.2.1), GREASE included.
    SupportedVersions(Vec<ProtocolVersion>),
    /// `supported_groups` (RFC 8446 §4.2.7), GREASE included.
    SupportedGroups(Vec<NamedGroup>),
    /// `key_share` (RFC 8446 §4.2.8); the keys come from [`super::KeyMaterial::key_shares`].
    KeyShare(Vec<NamedGroup>),
    /// `signature_algorithms` (RFC 8446 §4.2.3).
    SignatureAlgorithms(Vec<SignatureScheme>),
    /// `signature_algorithms_cert` (RFC 8446 §4.2.3).
    SignatureAlgorithmsCert(Vec<SignatureScheme>),
    /// `application_layer_protocol_negotiation` (RFC 7301).
    Alpn(Vec<String>),
    /// `ec_point_formats` (RFC 8422 §5.1.2); 0 is uncompressed.
    EcPointFormats(Vec<u8>),
    /// `renegotiation_info` of a first handshake: empty (RFC 5746 §3.4).
    RenegotiationInfo,
    /// `extended_master_secret` (RFC 7627).
    ExtendedMasterSecret,
    /// `encrypt_then_mac` (RFC 7366).
    EncryptThenMac,
    /// `session_ticket`, empty: the client takes tickets and has none (RFC 5077 §3.2).
    SessionTicket,
    /// `status_request` for OCSP, without responders and extensions (RFC 6066 §8).
    StatusRequest,
    /// `signed_certificate_timestamp` (RFC 6962 §3.3.1).
    SignedCertificateTimestamp,
    /// `psk_key_exchange_modes` (RFC 8446 §4.2.9); 1 is psk_dhe_ke.
    PskKeyExchangeModes(Vec<u8>),
    /// `compress_certificate` (RFC 8879); 1 zlib, 2 brotli, 3 zstd.
    CompressCertificate(Vec<u16>),
    /// `record_size_limit` in bytes (RFC 8449).
    RecordSizeLimit(u16),
    /// `post_handshake_auth` (RFC 8446 §4.2.6).
    PostHandshakeAuth,
    /// `cookie`, the answer to a HelloRetryRequest with one (RFC 8446 §4.2.2).
    Cookie(#[cfg_attr(feature = "serde", serde(with = "crate::hex"))] Vec<u8>),
    /// An empty extension of this type, which is one of the GREASE values (RFC 8701).
    Grease(u16),
    /// `padding` of so many zero bytes (RFC 7685); see also [`super::HelloSpec::pad_to`].
    Padding(u16),
    /// Any extension, byte for byte.
    Raw {
        /// Its type.
        extension_type: ExtensionType,
        /// Its `extension_data`.
        #[cfg_attr(feature = "serde", serde(with = "crate::hex"))]
        body: Vec<u8>,
    },
}

impl ExtensionSpec {
    /// The type that it has on the wire.
    pub fn extension_type(&self) -> ExtensionType {
        match self {
            ExtensionSpec::ServerName(_) => ExtensionType::SERVER_NAME,
            ExtensionSpec::SupportedVersions(_) => ExtensionType::SUPPORTED_VERSIONS,
            ExtensionSpec::SupportedGroups(_) => ExtensionType::SUPPORTED_GROUPS,
            ExtensionSpec::KeyShare(_) => ExtensionType::KEY_SHARE,
            ExtensionSpec::SignatureAlgorithms(_) => ExtensionType::SIGNATURE_ALGORITHMS,
            ExtensionSpec::SignatureAlgorithmsCert(_) => ExtensionType::SIGNATURE_ALGORITHMS_CERT,
            ExtensionSpec::Alpn(_) => ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
            ExtensionSpec::EcPointFormats(_) => ExtensionType::EC_POINT_FORMATS,
            ExtensionSpec::RenegotiationInfo => ExtensionType::RENEGOTIATION_INFO,
            ExtensionSpec::ExtendedMasterSecret => ExtensionType::EXTENDED_MASTER_SECRET,
            ExtensionSpec::EncryptThenMac => ExtensionType::ENCRYPT_THEN_MAC,
            ExtensionSpec::SessionTicket => ExtensionType::SESSION_TICKET,
            ExtensionSpec::StatusRequest => ExtensionType::STATUS_REQUEST,
            ExtensionSpec::SignedCertificateTimestamp => ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP,
            ExtensionSpec::PskKeyExchangeModes(_) => ExtensionType::PSK_KEY_EXCHANGE_MODES,
            ExtensionSpec::CompressCertificate(_) => ExtensionType::COMPRESS_CERTIFICATE,
            ExtensionSpec::RecordSizeLimit(_) => ExtensionType::RECORD_SIZE_LIMIT,
            ExtensionSpec::PostHandshakeAuth => ExtensionType::POST_HANDSHAKE_AUTH,
            ExtensionSpec::Cookie(_) => ExtensionType::COOKIE,
            ExtensionSpec::Grease(number) => ExtensionType(*number),
            ExtensionSpec::Padding(_) => ExtensionType::PADDING,
            ExtensionSpec::Raw { extension_type, .. } => *extension_type,
        }
    }

    /// The extension as it came over the wire. Gives a variant only where that says all that the
    /// bytes say, so that encoding it (with the same keys) gives the same bytes again.
    pub(crate) fn from_wire(extension_type: ExtensionType, body: &[u8]) -> ExtensionSpec {
        let keys = key_shares(body).unwrap_or_default();
        let shares = |group| Ok(keys.iter().find(|(of, _)| *of == group).map(|(_, key)| key.to_vec()).unwrap_or_default());
        let typed = typed(extension_type, body).ok().flatten();
        typed
            .filter(|typed| typed.body(&shares).is_ok_and(|again| again == body))
            .unwrap_or_else(|| ExtensionSpec::Raw { extension_type, body: body.to_vec() })
    }

    /// The `extension_data`.
    pub(super) fn body(&self, shares: &Shares<'_>) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::new();
        match self {
            ExtensionSpec::ServerName(name) => {
                let mut entry = vec![0];
                vector16(&mut entry, name.as_bytes(), "server_name.host_name")?;
                vector16(&mut out, &entry, "server_name")?;
            }
            ExtensionSpec::SupportedVersions(versions) => vector8(&mut out, &u16s(versions), "supported_versions")?,
            ExtensionSpec::SupportedGroups(groups) => vector16(&mut out, &u16s(groups), "supported_groups")?,
            ExtensionSpec::KeyShare(groups) => {
                let mut entries = Vec::new();
                for group in groups {
                    entries.extend(group.number().to_be_bytes());
                    vector16(&mut entries, &shares(*group)?, "key_share.key_exchange")?;
                }
                vector16(&mut out, &entries, "key_share")?;
            }
            ExtensionSpec::SignatureAlgorithms(schemes) | ExtensionSpec::SignatureAlgorithmsCert(schemes) => {
                vector16(&mut out, &u16s(schemes), "signature_algorithms")?;
            }
            ExtensionSpec::Alpn(protocols) => {
                let mut list = Vec::new();
                for protocol in protocols {
                    vector8(&mut list, protocol.as_bytes(), "ALPN protocol name")?;
                }
                vector16(&mut out, &list, "ALPN protocol name list")?;
            }
            ExtensionSpec::EcPointFormats(formats) => vector8(&mut out, formats, "ec_point_formats")?,
            ExtensionSpec::RenegotiationInfo => out.push(0),
            ExtensionSpec::StatusRequest => out.extend([1, 0, 0, 0, 0]),
            ExtensionSpec::PskKeyExchangeModes(modes) => vector8(&mut out, modes, "psk_key_exchange_modes")?,
            ExtensionSpec::CompressCertificate(algorithms) => vector8(&mut out, &u16s(algorithms), "compress_certificate")?,
            ExtensionSpec::RecordSizeLimit(limit) => out.extend(limit.to_be_bytes()),
            ExtensionSpec::Cookie(cookie) => vector16(&mut out, cookie, "cookie")?,
            ExtensionSpec::Padding(length) => out.resize(usize::from(*length), 0),
            ExtensionSpec::Raw { body, .. } => out.extend(body),
            ExtensionSpec::ExtendedMasterSecret
            | ExtensionSpec::EncryptThenMac
            | ExtensionSpec::SessionTicket
            | ExtensionSpec::SignedCertificateTimestamp
            | ExtensionSpec::PostHandshakeAuth
            | ExtensionSpec::Grease(_) => {}
        }
        Ok(out)
    }
}

/// The entries of a key_share extension of a ClientHello.
pub(crate) fn key_shares(body: &[u8]) -> Result<Vec<(NamedGroup, &[u8])>, DecodeError> {
    let what = "key_share";
    Reader::new(body, 0).vector16(what)?.list(|entry| Ok((NamedGroup(entry.u16(what)?), entry.vector16(what)?.rest())))
}

/// The variant for an extension that begins as it should; what follows the first vector is not looked at.
fn typed(extension_type: ExtensionType, body: &[u8]) -> Result<Option<ExtensionSpec>, DecodeError> {
    let what = "extension";
    let mut body = Reader::new(body, 0);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some(match extension_type {
        ExtensionType::SERVER_NAME => {
            let mut entry = body.vector16(what)?;
            entry.u8(what)?;
            ExtensionSpec::ServerName(text(entry.vector16(what)?.rest()))
        }
        ExtensionType::SUPPORTED_VERSIONS => ExtensionSpec::SupportedVersions(numbers(body.vector8(what)?, ProtocolVersion)?),
        ExtensionType::SUPPORTED_GROUPS => ExtensionSpec::SupportedGroups(numbers(body.vector16(what)?, NamedGroup)?),
        ExtensionType::KEY_SHARE => {
            ExtensionSpec::KeyShare(key_shares(body.rest())?.into_iter().map(|(group, _)| group).collect())
        }
        ExtensionType::SIGNATURE_ALGORITHMS => {
            ExtensionSpec::SignatureAlgorithms(numbers(body.vector16(what)?, SignatureScheme)?)
        }
        ExtensionType::SIGNATURE_ALGORITHMS_CERT => {
            ExtensionSpec::SignatureAlgorithmsCert(numbers(body.vector16(what)?, SignatureScheme)?)
        }
        ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => {
            ExtensionSpec::Alpn(body.vector16(what)?.list(|list| Ok(text(list.vector8(what)?.rest())))?)
        }
        ExtensionType::EC_POINT_FORMATS => ExtensionSpec::EcPointFormats(body.vector8(what)?.rest().to_vec()),
        ExtensionType::RENEGOTIATION_INFO => ExtensionSpec::RenegotiationInfo,
        ExtensionType::EXTENDED_MASTER_SECRET => ExtensionSpec::ExtendedMasterSecret,
        ExtensionType::ENCRYPT_THEN_MAC => ExtensionSpec::EncryptThenMac,
        ExtensionType::SESSION_TICKET => ExtensionSpec::SessionTicket,
        ExtensionType::STATUS_REQUEST => ExtensionSpec::StatusRequest,
        ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => ExtensionSpec::SignedCertificateTimestamp,
        ExtensionType::PSK_KEY_EXCHANGE_MODES => ExtensionSpec::PskKeyExchangeModes(body.vector8(what)?.rest().to_vec()),
        ExtensionType::COMPRESS_CERTIFICATE => {
            ExtensionSpec::CompressCertificate(numbers(body.vector8(what)?, |algorithm| algorithm)?)
        }
        ExtensionType::RECORD_SIZE_LIMIT => ExtensionSpec::RecordSizeLimit(body.u16(what)?),
        ExtensionType::POST_HANDSHAKE_AUTH => ExtensionSpec::PostHandshakeAuth,
        ExtensionType::COOKIE => ExtensionSpec::Cookie(body.vector16(what)?.rest().to_vec()),
        ExtensionType::PADDING => ExtensionSpec::Padding(u16::try_from(body.remaining()).unwrap_or(u16::MAX)),
        other if other.is_grease() => ExtensionSpec::Grease(other.0),
        _ => return Ok(None),
    }))
}

/// What a vector of two-byte numbers holds.
pub(crate) fn numbers<T>(list: Reader<'_>, number: impl Fn(u16) -> T) -> Result<Vec<T>, DecodeError> {
    list.list(|item| Ok(number(item.u16("list")?)))
}
