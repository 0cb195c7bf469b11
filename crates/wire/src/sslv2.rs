//! SSLv2 (draft-hickman-netscape-ssl-00): what a server answers to its CLIENT-HELLO.

use crate::located::{DecodeError, DecodeErrorKind, Located};
use crate::reader::Reader;
use crate::registry::{ProtocolVersion, Sslv2CipherKind};

/// The message type of CLIENT-HELLO.
pub(crate) const CLIENT_HELLO: u8 = 1;
/// The most bytes in a record with a two-byte header.
pub(crate) const MAX_RECORD: usize = 0x7fff;

const ERROR: u8 = 0;
const SERVER_HELLO: u8 = 4;

/// A message of an SSLv2 server before encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sslv2Message {
    /// SERVER-HELLO: the server speaks SSLv2.
    ServerHello(Sslv2ServerHello),
    /// ERROR with its code: 1 no cipher, 2 no certificate, 4 bad certificate, 6 unsupported certificate type.
    Error(u16),
}

/// SERVER-HELLO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sslv2ServerHello {
    /// Whether an old session goes on; then there is no certificate and no cipher.
    pub session_id_hit: bool,
    /// 1 is X.509.
    pub certificate_type: u8,
    /// `SERVER-VERSION`.
    pub version: Located<ProtocolVersion>,
    /// The certificate in DER.
    pub certificate: Located<Vec<u8>>,
    /// The kinds that the server accepts; the client chooses.
    pub cipher_kinds: Vec<Located<Sslv2CipherKind>>,
    /// `CONNECTION-ID`.
    pub connection_id: Vec<u8>,
}

/// Whether bytes begin like an SSLv2 record with a two-byte header.
pub(crate) fn looks_like_record(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first & 0x80 != 0)
}

/// The payload of a record with a two-byte header.
pub(crate) fn record<'a>(input: &mut Reader<'a>) -> Result<Reader<'a>, DecodeError> {
    let length = input.u16("SSLv2 record length")? & 0x7fff;
    input.sub(usize::from(length), "SSLv2 record")
}

impl Sslv2Message {
    /// Reads the record that a server begins with.
    pub fn parse(input: &mut Reader<'_>) -> Result<Located<Sslv2Message>, DecodeError> {
        // What the message is shows in its third byte, before it is complete.
        let mut ahead = input.clone();
        ahead.u16("SSLv2 record length")?;
        let before_type = ahead.clone();
        let message_type = ahead.u8("SSLv2 MSG-TYPE")?;
        if ![ERROR, SERVER_HELLO].contains(&message_type) {
            return Err(before_type.error("SSLv2 MSG-TYPE", DecodeErrorKind::Invalid));
        }
        input.located(|input| {
            let mut body = record(input)?;
            body.u8("SSLv2 MSG-TYPE")?;
            let message = if message_type == ERROR {
                Sslv2Message::Error(body.u16("SSLv2 ERROR-CODE")?)
            } else {
                Sslv2Message::ServerHello(server_hello(&mut body)?)
            };
            body.finish("SSLv2 message")?;
            Ok(message)
        })
    }
}

fn server_hello(body: &mut Reader<'_>) -> Result<Sslv2ServerHello, DecodeError> {
    let session_id_hit = body.u8("SERVER-HELLO.SESSION-ID-HIT")? != 0;
    let certificate_type = body.u8("SERVER-HELLO.CERTIFICATE-TYPE")?;
    let version = body.located(|r| r.u16("SERVER-HELLO.SERVER-VERSION"))?.map(ProtocolVersion);
    let certificate_length = body.u16("SERVER-HELLO.CERTIFICATE-LENGTH")?;
    let kinds_length = body.u16("SERVER-HELLO.CIPHER-SPECS-LENGTH")?;
    let connection_id_length = body.u16("SERVER-HELLO.CONNECTION-ID-LENGTH")?;
    let certificate = body.sub(usize::from(certificate_length), "SERVER-HELLO.CERTIFICATE-DATA")?;
    let kinds = body.sub(usize::from(kinds_length), "SERVER-HELLO.CIPHER-SPECS-DATA")?;
    let connection_id = body.take(usize::from(connection_id_length), "SERVER-HELLO.CONNECTION-ID-DATA")?;
    Ok(Sslv2ServerHello {
        session_id_hit,
        certificate_type,
        version,
        certificate: Located::new(certificate.rest().to_vec(), certificate.span_of_rest()),
        cipher_kinds: kinds.list(|list| Ok(list.located(|r| r.u24("CIPHER-KIND"))?.map(Sslv2CipherKind)))?,
        connection_id: connection_id.to_vec(),
    })
}
