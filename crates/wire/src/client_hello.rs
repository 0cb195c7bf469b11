//! The ClientHello that someone else sent.

use crate::handshake::MAX_MESSAGE;
use crate::hello::{ExtensionSpec, Fragment, HelloFormat, HelloSpec, KeyMaterial};
use crate::located::{DecodeError, DecodeErrorKind, Located};
use crate::reader::Reader;
use crate::record::{self, Joined};
use crate::registry::{CipherSuite, ContentType, ExtensionType, HandshakeType, ProtocolVersion, Sslv2CipherKind};
use crate::server_hello::{Extension, extensions, find};
use crate::sslv2;

/// A ClientHello (RFC 8446 §4.1.2) or an SSLv2 CLIENT-HELLO (RFC 5246 §E.2) with the place of every field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// TLS or SSLv2.
    pub format: HelloFormat,
    /// The handshake message with its 4-byte header; in the SSLv2 form what follows the record header.
    pub raw: Vec<u8>,
    /// `client_version`, since TLS 1.3 `legacy_version`.
    pub legacy_version: Located<ProtocolVersion>,
    /// `random`; an SSLv2 challenge is put at its end, after zeros.
    pub random: [u8; 32],
    /// `session_id`.
    pub session_id: Located<Vec<u8>>,
    /// The cipher suites, GREASE and signalling values included. Within an SSLv2 hello those of TLS.
    pub cipher_suites: Located<Vec<Located<CipherSuite>>>,
    /// The cipher kinds of SSLv2 in an SSLv2 hello.
    pub sslv2_cipher_kinds: Vec<Located<Sslv2CipherKind>>,
    /// `compression_methods`; empty in an SSLv2 hello.
    pub compression: Located<Vec<u8>>,
    /// In wire order; `None` without an extension block.
    pub extensions: Option<Vec<Located<Extension>>>,
}

impl ClientHello {
    /// Reads a handshake message, the first byte of which stands at `base` of the stored input.
    pub fn parse(message: &[u8], base: usize) -> Result<ClientHello, DecodeError> {
        parse_tls(Reader::new(message, base))
    }

    /// Reads an SSLv2 CLIENT-HELLO, without its record header.
    pub fn parse_sslv2(message: &[u8], base: usize) -> Result<ClientHello, DecodeError> {
        parse_sslv2(Reader::new(message, base))
    }

    /// The first extension of this type.
    pub fn extension(&self, extension_type: ExtensionType) -> Option<&Located<Extension>> {
        find(self.extensions.as_deref()?, extension_type)
    }

    /// What it offers, as a spec. Encoding that with [`ClientHello::material`] gives the same message again.
    pub fn to_spec(&self, record_version: ProtocolVersion) -> HelloSpec {
        let spec = |extension: &Located<Extension>| ExtensionSpec::from_wire(extension.extension_type, &extension.body);
        // The SSLv2 form has no such field, and means null.
        let compression = match self.format {
            HelloFormat::Tls => self.compression.value.clone(),
            HelloFormat::Sslv2 => vec![0],
        };
        HelloSpec {
            format: self.format,
            record_version,
            legacy_version: *self.legacy_version,
            cipher_suites: self.cipher_suites.iter().map(|suite| suite.value).collect(),
            sslv2_cipher_kinds: self.sslv2_cipher_kinds.iter().map(|kind| kind.value).collect(),
            compression,
            session_id_length: u8::try_from(self.session_id.len()).unwrap_or(u8::MAX),
            extensions: self.extensions.as_ref().map(|list| list.iter().map(spec).collect()),
            pad_to: None,
            fragment: Fragment::Whole,
        }
    }

    /// Its random, session id and public keys.
    pub fn material(&self) -> KeyMaterial {
        let shares = self.extensions.iter().flatten().filter(|extension| extension.extension_type == ExtensionType::KEY_SHARE);
        let shares = shares.filter_map(|extension| crate::hello::key_shares(&extension.body).ok()).flatten();
        KeyMaterial {
            random: self.random,
            session_id: self.session_id.value.clone(),
            key_shares: shares.into_iter().map(|(group, key)| (group, key.to_vec())).collect(),
        }
    }
}

/// Reads the ClientHello at the beginning of what a client sent, and the version of its first record (SSLv2 for
/// the SSLv2 form). What follows the hello is not looked at. [`DecodeErrorKind::Truncated`] means that it is not complete.
pub fn from_records(bytes: &[u8]) -> Result<(ProtocolVersion, ClientHello), DecodeError> {
    let mut input = Reader::new(bytes, 0);
    if sslv2::looks_like_record(bytes) {
        let hello = parse_sslv2(sslv2::record(&mut input)?)?;
        return Ok((ProtocolVersion::SSLV2, hello));
    }
    let mut joined = Joined::default();
    let mut version = None;
    loop {
        let before = input.clone();
        let record = record::read(&mut input)?;
        if record.header.content_type != ContentType::HANDSHAKE {
            return Err(before.error("record.type", DecodeErrorKind::Invalid));
        }
        let version = *version.get_or_insert(record.header.version);
        joined.push(&record.payload);
        if let Some(message) = first_message(joined.unread())? {
            return Ok((version, parse_tls(message)?));
        }
        record.truncated.map_or(Ok(()), Err)?;
    }
}

/// The message that a handshake begins with, once it is complete.
fn first_message(mut joined: Reader<'_>) -> Result<Option<Reader<'_>>, DecodeError> {
    let mut ahead = joined.clone();
    let (Ok(handshake_type), before_length, Ok(length)) = (ahead.u8(""), ahead.clone(), ahead.u24("")) else {
        return Ok(None);
    };
    if HandshakeType(handshake_type) != HandshakeType::CLIENT_HELLO {
        return Err(joined.error("handshake message type", DecodeErrorKind::Invalid));
    }
    if length as usize > MAX_MESSAGE {
        return Err(before_length.error("ClientHello", DecodeErrorKind::TooLong { limit: MAX_MESSAGE }));
    }
    Ok(joined.sub(4 + length as usize, "ClientHello").ok())
}

fn parse_tls(mut message: Reader<'_>) -> Result<ClientHello, DecodeError> {
    let raw = message.rest().to_vec();
    let before = message.clone();
    if HandshakeType(message.u8("handshake message type")?) != HandshakeType::CLIENT_HELLO {
        return Err(before.error("handshake message type", DecodeErrorKind::Invalid));
    }
    let mut body = message.vector24("ClientHello")?;
    message.finish("ClientHello")?;
    let legacy_version = body.located(|r| r.u16("ClientHello.legacy_version"))?.map(ProtocolVersion);
    let random = body.array("ClientHello.random")?;
    let session_id = bytes(body.vector8("ClientHello.session_id")?);
    let suites = body.vector16("ClientHello.cipher_suites")?;
    let suites_span = suites.span_of_rest();
    let suites = suites.list(|list| Ok(list.located(|r| r.u16("ClientHello.cipher_suites"))?.map(CipherSuite)))?;
    let compression = bytes(body.vector8("ClientHello.compression_methods")?);
    let extensions = if body.is_empty() { None } else { Some(extensions(&mut body, "ClientHello.extensions")?) };
    body.finish("ClientHello")?;
    Ok(ClientHello {
        format: HelloFormat::Tls,
        raw,
        legacy_version,
        random,
        session_id,
        cipher_suites: Located::new(suites, suites_span),
        sslv2_cipher_kinds: Vec::new(),
        compression,
        extensions,
    })
}

fn parse_sslv2(mut message: Reader<'_>) -> Result<ClientHello, DecodeError> {
    let raw = message.rest().to_vec();
    let before = message.clone();
    if message.u8("SSLv2 MSG-TYPE")? != sslv2::CLIENT_HELLO {
        return Err(before.error("SSLv2 MSG-TYPE", DecodeErrorKind::Invalid));
    }
    let legacy_version = message.located(|r| r.u16("CLIENT-HELLO.CLIENT-VERSION"))?.map(ProtocolVersion);
    let specs_length = message.u16("CLIENT-HELLO.CIPHER-SPECS-LENGTH")?;
    let session_id_length = message.u16("CLIENT-HELLO.SESSION-ID-LENGTH")?;
    let challenge_length = message.u16("CLIENT-HELLO.CHALLENGE-LENGTH")?;
    let specs = message.sub(usize::from(specs_length), "CLIENT-HELLO.CIPHER-SPECS")?;
    let specs_span = specs.span_of_rest();
    let specs = specs.list(|list| list.located(|r| r.u24("CLIENT-HELLO.CIPHER-SPECS")))?;
    let session_id = bytes(message.sub(usize::from(session_id_length), "CLIENT-HELLO.SESSION-ID")?);
    let compression = Located::new(Vec::new(), message.span_until(&message));
    let before_challenge = message.clone();
    let challenge = message.take(usize::from(challenge_length), "CLIENT-HELLO.CHALLENGE")?;
    message.finish("CLIENT-HELLO")?;
    let mut random = [0; 32];
    let too_long = || before_challenge.error("CLIENT-HELLO.CHALLENGE", DecodeErrorKind::TooLong { limit: 32 });
    let place = random.len().checked_sub(challenge.len()).and_then(|from| random.get_mut(from..));
    place.ok_or_else(too_long)?.copy_from_slice(challenge);
    let suites =
        specs.iter().filter_map(|spec| Some(Located::new(CipherSuite(u16::try_from(spec.value).ok()?), spec.span.clone())));
    let kinds = specs.iter().filter(|spec| spec.value > u32::from(u16::MAX)).cloned();
    Ok(ClientHello {
        format: HelloFormat::Sslv2,
        raw,
        legacy_version,
        random,
        session_id,
        cipher_suites: Located::new(suites.collect(), specs_span),
        sslv2_cipher_kinds: kinds.map(|spec| spec.map(Sslv2CipherKind)).collect(),
        compression,
        extensions: None,
    })
}

fn bytes(field: Reader<'_>) -> Located<Vec<u8>> {
    Located::new(field.rest().to_vec(), field.span_of_rest())
}
