//! ServerHello, HelloRetryRequest and EncryptedExtensions.

use std::ops::RangeInclusive;

use crate::located::{DecodeError, Located};
use crate::reader::Reader;
use crate::registry::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion};

/// The `random` that makes a ServerHello a HelloRetryRequest: SHA-256 of "HelloRetryRequest" (RFC 8446 §4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16,
    0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Versions of drafts that chose the version in the field itself.
const EARLY_DRAFTS: RangeInclusive<ProtocolVersion> = ProtocolVersion(0x7f00)..=ProtocolVersion(0x7f15);

/// An extension as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its type.
    pub extension_type: ExtensionType,
    /// Its `extension_data`, with its place.
    pub body: Located<Vec<u8>>,
}

/// ServerHello, or HelloRetryRequest, which has the same form (RFC 8446 §4.1.3, §4.1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// `server_version`, since TLS 1.3 `legacy_version`.
    pub legacy_version: Located<ProtocolVersion>,
    /// `random`.
    pub random: [u8; 32],
    /// `session_id`, in TLS 1.3 the client's own.
    pub session_id: Vec<u8>,
    /// The suite that the server chose.
    pub cipher_suite: Located<CipherSuite>,
    /// `compression_method`; 0 is null.
    pub compression: u8,
    /// In wire order; empty also without an extension block.
    pub extensions: Vec<Located<Extension>>,
    /// The version that the server chose: from supported_versions, without it `legacy_version`.
    pub selected_version: Located<ProtocolVersion>,
}

impl ServerHello {
    /// Reads the message without its 4-byte header, which must have nothing after it.
    pub fn parse(mut body: Reader<'_>) -> Result<ServerHello, DecodeError> {
        let legacy_version = body.located(|r| r.u16("ServerHello.legacy_version"))?.map(ProtocolVersion);
        let random = body.array("ServerHello.random")?;
        // Drafts of TLS 1.3 before 22 had neither of two fields (draft-ietf-tls-tls13-21 §4.1.3).
        let is_early_draft = EARLY_DRAFTS.contains(&legacy_version);
        let session_id = if is_early_draft { Vec::new() } else { body.vector8("ServerHello.session_id")?.rest().to_vec() };
        let cipher_suite = body.located(|r| r.u16("ServerHello.cipher_suite"))?.map(CipherSuite);
        let compression = if is_early_draft { 0 } else { body.u8("ServerHello.compression_method")? };
        let extensions = if body.is_empty() { Vec::new() } else { extensions(&mut body, "ServerHello.extensions")? };
        body.finish("ServerHello")?;
        let selected = extensions.iter().find(|e| e.extension_type == ExtensionType::SUPPORTED_VERSIONS);
        let selected_version = match selected.map(|extension| (&extension.body, extension.body.as_slice())) {
            Some((place, &[high, low])) => Located::new(ProtocolVersion(u16::from_be_bytes([high, low])), place.span.clone()),
            _ => legacy_version.clone(),
        };
        Ok(ServerHello { legacy_version, random, session_id, cipher_suite, compression, extensions, selected_version })
    }

    /// Whether it asks for a second ClientHello (RFC 8446 §4.1.4).
    pub fn is_retry(&self) -> bool {
        self.random == RETRY_RANDOM
    }

    /// The first extension of this type.
    pub fn extension(&self, extension_type: ExtensionType) -> Option<&Located<Extension>> {
        find(&self.extensions, extension_type)
    }

    /// The group of its key_share: chosen, or in a HelloRetryRequest asked for.
    pub fn selected_group(&self) -> Option<NamedGroup> {
        let extension = self.extension(ExtensionType::KEY_SHARE)?;
        Reader::new(&extension.body, 0).u16("key_share.group").ok().map(NamedGroup)
    }

    /// The server's public key and its group (RFC 8446 §4.2.8).
    pub fn key_share(&self) -> Option<(NamedGroup, &[u8])> {
        let mut body = Reader::new(&self.extension(ExtensionType::KEY_SHARE)?.body, 0);
        let group = NamedGroup(body.u16("key_share.group").ok()?);
        Some((group, body.vector16("key_share.key_exchange").ok()?.rest()))
    }

    /// The cookie of a HelloRetryRequest (RFC 8446 §4.2.2).
    pub fn cookie(&self) -> Option<&[u8]> {
        let mut body = Reader::new(&self.extension(ExtensionType::COOKIE)?.body, 0);
        body.vector16("cookie").ok().map(|cookie| cookie.rest())
    }

    /// The application protocol that the server chose; in TLS 1.3 it is in EncryptedExtensions instead.
    pub fn alpn(&self) -> Option<String> {
        alpn(&self.extensions)
    }

    /// Whether the server does secure renegotiation (RFC 5746 §3.6).
    pub fn has_renegotiation_info(&self) -> bool {
        self.extension(ExtensionType::RENEGOTIATION_INFO).is_some()
    }

    /// Whether the extended master secret is used (RFC 7627).
    pub fn has_extended_master_secret(&self) -> bool {
        self.extension(ExtensionType::EXTENDED_MASTER_SECRET).is_some()
    }

    /// The mark at the end of `random` of a server that could have done better (RFC 8446 §4.1.3).
    /// `TLSv1.2`: it speaks TLS 1.3 and saw a hello that asks for 1.2. `TLSv1.1`: it speaks TLS 1.2
    /// or later and saw one that asks for 1.1 or less.
    pub fn downgrade_sentinel(&self) -> Option<ProtocolVersion> {
        match self.random.last_chunk::<8>()? {
            b"DOWNGRD\x01" => Some(ProtocolVersion::TLSV1_2),
            b"DOWNGRD\x00" => Some(ProtocolVersion::TLSV1_1),
            _ => None,
        }
    }
}

/// EncryptedExtensions (RFC 8446 §4.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedExtensions {
    /// In wire order.
    pub extensions: Vec<Located<Extension>>,
}

impl EncryptedExtensions {
    /// Reads the message without its 4-byte header.
    pub fn parse(mut body: Reader<'_>) -> Result<EncryptedExtensions, DecodeError> {
        let extensions = extensions(&mut body, "EncryptedExtensions.extensions")?;
        body.finish("EncryptedExtensions")?;
        Ok(EncryptedExtensions { extensions })
    }

    /// The first extension of this type.
    pub fn extension(&self, extension_type: ExtensionType) -> Option<&Located<Extension>> {
        find(&self.extensions, extension_type)
    }

    /// The application protocol that the server chose.
    pub fn alpn(&self) -> Option<String> {
        alpn(&self.extensions)
    }
}

/// A vector of extensions with a two-byte length.
pub(crate) fn extensions(reader: &mut Reader<'_>, what: &'static str) -> Result<Vec<Located<Extension>>, DecodeError> {
    reader.vector16(what)?.list(|list| {
        list.located(|r| {
            let extension_type = ExtensionType(r.u16(what)?);
            let body = r.vector16(what)?;
            Ok(Extension { extension_type, body: Located::new(body.rest().to_vec(), body.span_of_rest()) })
        })
    })
}

pub(crate) fn find(list: &[Located<Extension>], extension_type: ExtensionType) -> Option<&Located<Extension>> {
    list.iter().find(|extension| extension.extension_type == extension_type)
}

/// The server's answer has the form of a list with a single name (RFC 7301 §3.1).
fn alpn(list: &[Located<Extension>]) -> Option<String> {
    let extension = find(list, ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION)?;
    let mut names = Reader::new(&extension.body, 0).vector16("ALPN").ok()?;
    let name = names.vector8("ALPN").ok()?.rest();
    Some(String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_early_draft_has_neither_session_nor_compression() {
        let draft = [&[0x7f, 0x10][..], &[7; 32], &[0x13, 0x03], &[0, 6, 0, 40, 0, 2, 0, 24]].concat();
        let hello = ServerHello::parse(Reader::new(&draft, 0)).unwrap();
        assert_eq!((hello.selected_version.0, hello.cipher_suite.0, hello.extensions.len()), (0x7f10, 0x1303, 1));
        // From draft 22 on the form is the final one.
        let late = [&[0x7f, 0x16][..], &[7; 32], &[0, 0x13, 0x03, 0]].concat();
        assert_eq!(ServerHello::parse(Reader::new(&late, 0)).unwrap().cipher_suite.0, 0x1303);
        (0..draft.len()).for_each(|cut| _ = ServerHello::parse(Reader::new(&draft[..cut], 0)));
    }
}
