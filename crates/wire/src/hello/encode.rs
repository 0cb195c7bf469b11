//! From a [`HelloSpec`] to bytes.

use std::fmt;
use std::ops::Range;

use super::{ExtensionSpec, Fragment, HelloFormat, HelloSpec, KeyMaterial};
use crate::registry::{CipherSuite, ContentType, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme};

/// The most that one record may carry (RFC 8446 §5.1).
const MAX_RECORD: usize = 1 << 14;

/// A hello as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedHello {
    /// The handshake message with its 4-byte header; of an SSLv2 hello, what follows the record header.
    pub message: Vec<u8>,
    /// What goes over the wire: the message in records.
    pub records: Vec<u8>,
    /// The parts of `records` that are written one by one, so that each leaves as a TCP segment.
    pub writes: Vec<Range<usize>>,
}

/// Why a spec has no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// This field is longer than its length prefix can say.
    TooLong(&'static str),
    /// The material has no public key of this group, and the spec wants to send one.
    MissingKeyShare(NamedGroup),
    /// The material's session id is shorter than the spec says.
    ShortSessionId,
    /// A fragment of zero bytes was asked for.
    EmptyFragment,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::TooLong(what) => write!(f, "{what} is too long for its length field"),
            EncodeError::MissingKeyShare(group) => {
                write!(f, "no key was made for the group {group}")
            }
            EncodeError::ShortSessionId => {
                write!(f, "the session id is shorter than the hello says")
            }
            EncodeError::EmptyFragment => write!(f, "a fragment must have at least one byte"),
        }
    }
}

impl std::error::Error for EncodeError {}

impl HelloSpec {
    /// The hello in bytes. Everything random in it comes from `material`.
    pub fn encode(&self, material: &KeyMaterial) -> Result<EncodedHello, EncodeError> {
        let shares = |group: NamedGroup| {
            let made = material.key_shares.iter().find(|(of, _)| *of == group).map(|(_, key)| key.clone());
            match (made, key_share_length(group)) {
                (Some(key), _) => Ok(key),
                (None, None) => Ok(vec![0]),
                (None, Some(_)) => Err(EncodeError::MissingKeyShare(group)),
            }
        };
        let length = usize::from(self.session_id_length);
        let session_id = material.session_id.get(..length).ok_or(EncodeError::ShortSessionId)?;
        let message = match self.format {
            HelloFormat::Tls => self.tls_message(&material.random, session_id, &shares)?,
            HelloFormat::Sslv2 => self.sslv2_message(&material.random, session_id)?,
        };
        let records = self.records(&message)?;
        let writes = match &self.fragment {
            Fragment::Segments(sizes) => cut(records.len(), sizes, usize::MAX)?,
            Fragment::Whole | Fragment::Records(_) => std::iter::once(0..records.len()).collect(),
        };
        Ok(EncodedHello { message, records, writes })
    }

    /// How long the handshake message will be, in bytes with its header. Exact, unless a key share
    /// has an unusual length or a field is too long to be sent at all.
    pub fn message_length(&self) -> usize {
        let session_id = vec![0; usize::from(self.session_id_length)];
        let shares = |group| Ok(vec![0; key_share_length(group).unwrap_or(1)]);
        let message = match self.format {
            HelloFormat::Tls => self.tls_message(&[0; 32], &session_id, &shares),
            HelloFormat::Sslv2 => self.sslv2_message(&[0; 32], &session_id),
        };
        message.map_or(usize::MAX, |message| message.len())
    }

    /// RFC 8446 §4.1.2.
    fn tls_message(&self, random: &[u8; 32], session_id: &[u8], shares: &Shares<'_>) -> Result<Vec<u8>, EncodeError> {
        let mut body = Vec::new();
        body.extend(self.legacy_version.0.to_be_bytes());
        body.extend(random);
        vector8(&mut body, session_id, "ClientHello.session_id")?;
        vector16(&mut body, &u16s(&self.cipher_suites), "ClientHello.cipher_suites")?;
        vector8(&mut body, &self.compression, "ClientHello.compression_methods")?;
        if let Some(extensions) = self.padded(4 + body.len(), shares)? {
            vector16(&mut body, &extensions, "ClientHello.extensions")?;
        }
        let mut message = vec![HandshakeType::CLIENT_HELLO.0];
        vector24(&mut message, &body, "ClientHello")?;
        Ok(message)
    }

    /// The extensions, padded so that with the `before` bytes before them they make a message of `pad_to` bytes.
    fn padded(&self, before: usize, shares: &Shares<'_>) -> Result<Option<Vec<u8>>, EncodeError> {
        let Some(pad_to) = self.pad_to.map(usize::from) else {
            return self.extensions.as_deref().map(|list| encode_extensions(list, shares)).transpose();
        };
        let is_padding = |extension: &ExtensionSpec| extension.extension_type() == ExtensionType::PADDING;
        let mut list = self.extensions.clone().unwrap_or_default();
        let place = list.iter().position(is_padding);
        list.retain(|extension| !is_padding(extension));
        let had_block = self.extensions.is_some();
        let unpadded = encode_extensions(&list, shares)?;
        let length = before + if had_block { 2 + unpadded.len() } else { 0 };
        if length >= pad_to {
            return Ok(had_block.then_some(unpadded));
        }
        let with_header = before + 2 + unpadded.len() + 4;
        let padding = u16::try_from(pad_to.saturating_sub(with_header).max(1)).unwrap_or(u16::MAX);
        let place = place.unwrap_or_else(|| last_place(&list)).min(list.len());
        list.insert(place, ExtensionSpec::Padding(padding));
        encode_extensions(&list, shares).map(Some)
    }

    /// RFC 5246 §E.2. Cipher specs have three bytes; a suite of TLS begins with a zero byte.
    fn sslv2_message(&self, random: &[u8; 32], session_id: &[u8]) -> Result<Vec<u8>, EncodeError> {
        let kinds = self.sslv2_cipher_kinds.iter().map(|kind| kind.0);
        let suites = self.cipher_suites.iter().map(|suite| u32::from(suite.0));
        let specs: Vec<u8> = kinds.chain(suites).flat_map(|spec| spec.to_be_bytes().into_iter().skip(1)).collect();
        let specs_length = u16::try_from(specs.len()).map_err(|_| EncodeError::TooLong("CLIENT-HELLO.CIPHER-SPECS"))?;
        // Clients of SSLv2 alone send 16 bytes, those of TLS must send 32.
        let is_sslv2 = self.legacy_version == ProtocolVersion::SSLV2;
        let challenge = random.get(if is_sslv2 { 16 } else { 0 }..).unwrap_or_default();
        let mut message = vec![crate::sslv2::CLIENT_HELLO];
        message.extend(self.legacy_version.0.to_be_bytes());
        message.extend(specs_length.to_be_bytes());
        message.extend((session_id.len() as u16).to_be_bytes());
        message.extend((challenge.len() as u16).to_be_bytes());
        message.extend(specs);
        message.extend(session_id);
        message.extend(challenge);
        if message.len() > crate::sslv2::MAX_RECORD {
            return Err(EncodeError::TooLong("CLIENT-HELLO"));
        }
        Ok(message)
    }

    fn records(&self, message: &[u8]) -> Result<Vec<u8>, EncodeError> {
        if self.format == HelloFormat::Sslv2 {
            let header = 0x8000 | message.len() as u16;
            return Ok([&header.to_be_bytes(), message].concat());
        }
        let sizes: &[u16] = if let Fragment::Records(sizes) = &self.fragment { sizes } else { &[] };
        let mut records = Vec::new();
        for part in cut(message.len(), sizes, MAX_RECORD)? {
            records.push(ContentType::HANDSHAKE.0);
            records.extend(self.record_version.0.to_be_bytes());
            vector16(&mut records, message.get(part).unwrap_or_default(), "record")?;
        }
        Ok(records)
    }
}

/// Gives the public key of a group.
pub(super) type Shares<'a> = dyn Fn(NamedGroup) -> Result<Vec<u8>, EncodeError> + 'a;

/// Where an extension may be added at the end: pre_shared_key must stay last (RFC 8446 §4.2.11), padding is kept behind the rest.
pub(super) fn last_place(list: &[ExtensionSpec]) -> usize {
    let stays = |extension: &&ExtensionSpec| {
        [ExtensionType::PRE_SHARED_KEY, ExtensionType::PADDING].contains(&extension.extension_type())
    };
    list.len() - list.iter().rev().take_while(stays).count()
}

/// The length in bytes of a public key in a key_share extension; `None` where the group is not known.
fn key_share_length(group: NamedGroup) -> Option<usize> {
    // An uncompressed point has two coordinates and a leading byte (RFC 8446 §4.2.8.2).
    let point = |coordinate: usize| 2 * coordinate + 1;
    Some(match group.0 {
        0x0015 => point(28),
        0x0016 | 0x0017 | 0x001a | 0x001f | 0x0029 => point(32),
        0x0018 | 0x001b | 0x0020 => point(48),
        0x0019 => point(66),
        0x001c | 0x0021 => point(64),
        0x001d => 32,
        0x001e => 56,
        0x0100 => 256,
        0x0101 => 384,
        0x0102 => 512,
        0x0103 => 768,
        0x0104 => 1024,
        0x0200 => 800,
        0x0201 => 1184,
        0x0202 => 1568,
        0x11eb => point(32) + 1184,
        0x11ec | 0x6399 => 32 + 1184,
        0x11ed => point(48) + 1568,
        _ => return None,
    })
}

/// Cuts `length` bytes into parts of the given sizes (the last one repeats; none: `limit`), none above `limit`.
fn cut(length: usize, sizes: &[u16], limit: usize) -> Result<Vec<Range<usize>>, EncodeError> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut sizes = sizes.iter().map(|size| usize::from(*size).min(limit));
    let mut size = limit;
    while start < length {
        size = sizes.next().unwrap_or(size);
        if size == 0 {
            return Err(EncodeError::EmptyFragment);
        }
        let end = start.saturating_add(size).min(length);
        parts.push(start..end);
        start = end;
    }
    Ok(parts)
}

fn encode_extensions(list: &[ExtensionSpec], shares: &Shares<'_>) -> Result<Vec<u8>, EncodeError> {
    let mut block = Vec::new();
    for extension in list {
        block.extend(extension.extension_type().0.to_be_bytes());
        vector16(&mut block, &extension.body(shares)?, "Extension.extension_data")?;
    }
    Ok(block)
}

/// Wire numbers of two bytes.
pub(super) trait Number: Copy {
    fn number(self) -> u16;
}

macro_rules! numbers {
    ($($type:ty),*) => { $(impl Number for $type { fn number(self) -> u16 { self.0 } })* };
}
numbers!(CipherSuite, ProtocolVersion, SignatureScheme, NamedGroup);

impl Number for u16 {
    fn number(self) -> u16 {
        self
    }
}

/// The numbers one after the other, without a length.
pub(super) fn u16s<T: Number>(values: &[T]) -> Vec<u8> {
    values.iter().flat_map(|value| value.number().to_be_bytes()).collect()
}

/// Appends a vector with a one-byte length.
pub(super) fn vector8(out: &mut Vec<u8>, bytes: &[u8], what: &'static str) -> Result<(), EncodeError> {
    out.push(u8::try_from(bytes.len()).map_err(|_| EncodeError::TooLong(what))?);
    out.extend(bytes);
    Ok(())
}

/// Appends a vector with a two-byte length.
pub(super) fn vector16(out: &mut Vec<u8>, bytes: &[u8], what: &'static str) -> Result<(), EncodeError> {
    out.extend(u16::try_from(bytes.len()).map_err(|_| EncodeError::TooLong(what))?.to_be_bytes());
    out.extend(bytes);
    Ok(())
}

fn vector24(out: &mut Vec<u8>, bytes: &[u8], what: &'static str) -> Result<(), EncodeError> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length < 1 << 24);
    out.extend(length.ok_or(EncodeError::TooLong(what))?.to_be_bytes().into_iter().skip(1));
    out.extend(bytes);
    Ok(())
}
