//! The messages that a server sends, and their framing (RFC 8446 §4).

use crate::certificate::{CertificateList, CertificateRequest, CertificateStatus, CertificateVerify};
use crate::key_exchange::ServerKeyExchange;
use crate::located::{DecodeError, DecodeErrorKind, Located};
use crate::reader::Reader;
use crate::registry::{CipherSuite, ExtensionType, HandshakeType, ProtocolVersion};
use crate::server_hello::{EncryptedExtensions, ServerHello, extensions, find};

/// The longest message that is read, in bytes. Their length field could say 2^24.
pub const MAX_MESSAGE: usize = 1 << 20;

/// A handshake message. The inner [`Located`] have the span of the whole message, like the outer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The server's choice.
    ServerHello(Located<ServerHello>),
    /// The server wants another ClientHello.
    HelloRetryRequest(Located<ServerHello>),
    /// What TLS 1.3 answers to the other extensions.
    EncryptedExtensions(Located<EncryptedExtensions>),
    /// The certificate chain as sent.
    Certificate(Located<CertificateList>),
    /// A stapled OCSP response, up to TLS 1.2.
    CertificateStatus(CertificateStatus),
    /// The server's half of the key exchange, up to TLS 1.2.
    ServerKeyExchange(Located<ServerKeyExchange>),
    /// The server asks for a client certificate.
    CertificateRequest(Located<CertificateRequest>),
    /// The proof that the sender has the certificate's key.
    CertificateVerify(Located<CertificateVerify>),
    /// The server's first flight ends, up to TLS 1.2.
    ServerHelloDone,
    /// `verify_data`.
    Finished(Vec<u8>),
    /// A session ticket.
    NewSessionTicket(NewSessionTicket),
    /// The server wants to renegotiate.
    HelloRequest,
    /// Any other message.
    Other {
        /// Its type.
        handshake_type: HandshakeType,
        /// The message without its 4-byte header.
        body: Vec<u8>,
    },
}

/// NewSessionTicket (RFC 5077 §3.3, RFC 8446 §4.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSessionTicket {
    /// How long it may be used, in seconds.
    pub lifetime: u32,
    /// The ticket.
    pub ticket: Vec<u8>,
    /// How many bytes of early data go with it (`max_early_data_size`, TLS 1.3); `None`: it is not for early data.
    pub max_early_data: Option<u32>,
}

/// What later messages depend on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context {
    /// The negotiated version, once it is known.
    pub(crate) version: Option<ProtocolVersion>,
    /// The negotiated suite, once it is known.
    pub(crate) suite: Option<CipherSuite>,
}

impl Context {
    pub(crate) fn is_tlsv1_3(&self) -> bool {
        self.version.is_some_and(|version| version >= ProtocolVersion::TLSV1_3)
    }
}

/// Why there is no next message.
pub(crate) enum Stop {
    /// Its bytes end too early; more records may bring the rest.
    Incomplete(DecodeError),
    /// It is not what it should be.
    Malformed(DecodeError),
}

/// The next message, and how many bytes it takes.
pub(crate) fn read(input: Reader<'_>, context: &mut Context) -> Result<(Located<Message>, usize), Stop> {
    let mut after = input.clone();
    let handshake_type = HandshakeType(after.u8("handshake message type").map_err(Stop::Incomplete)?);
    let length = after.u24("handshake message length").map_err(Stop::Incomplete)? as usize;
    if length > MAX_MESSAGE {
        let kind = DecodeErrorKind::TooLong { limit: MAX_MESSAGE };
        return Err(Stop::Malformed(input.error("handshake message", kind)));
    }
    let body = after.sub(length, "handshake message").map_err(Stop::Incomplete)?;
    let span = input.span_until(&after);
    let message = parse(handshake_type, body, &span, context).map_err(Stop::Malformed)?;
    Ok((Located::new(message, span), input.remaining() - after.remaining()))
}

fn parse(
    handshake_type: HandshakeType,
    mut body: Reader<'_>,
    span: &std::ops::Range<usize>,
    context: &mut Context,
) -> Result<Message, DecodeError> {
    // Without a ServerHello before it a message is read in the form that most versions have.
    let version = context.version.unwrap_or(ProtocolVersion::TLSV1_2);
    Ok(match handshake_type {
        HandshakeType::SERVER_HELLO => {
            let hello = Located::new(ServerHello::parse(body)?, span.clone());
            context.version = Some(*hello.selected_version);
            if hello.is_retry() {
                return Ok(Message::HelloRetryRequest(hello));
            }
            context.suite = Some(*hello.cipher_suite);
            Message::ServerHello(hello)
        }
        HandshakeType::ENCRYPTED_EXTENSIONS => {
            Message::EncryptedExtensions(Located::new(EncryptedExtensions::parse(body)?, span.clone()))
        }
        HandshakeType::CERTIFICATE => Message::Certificate(Located::new(CertificateList::parse(body, version)?, span.clone())),
        HandshakeType::CERTIFICATE_STATUS => Message::CertificateStatus(CertificateStatus::parse(body)?),
        HandshakeType::SERVER_KEY_EXCHANGE => {
            let suite = context.suite.unwrap_or(CipherSuite(0));
            Message::ServerKeyExchange(Located::new(ServerKeyExchange::parse(body, version, suite)?, span.clone()))
        }
        HandshakeType::CERTIFICATE_REQUEST => {
            Message::CertificateRequest(Located::new(CertificateRequest::parse(body, version)?, span.clone()))
        }
        HandshakeType::CERTIFICATE_VERIFY if version >= ProtocolVersion::TLSV1_2 => {
            Message::CertificateVerify(Located::new(CertificateVerify::parse(body)?, span.clone()))
        }
        HandshakeType::SERVER_HELLO_DONE => {
            body.finish("ServerHelloDone")?;
            Message::ServerHelloDone
        }
        HandshakeType::HELLO_REQUEST => {
            body.finish("HelloRequest")?;
            Message::HelloRequest
        }
        HandshakeType::FINISHED => Message::Finished(body.rest().to_vec()),
        HandshakeType::NEW_SESSION_TICKET => Message::NewSessionTicket(new_session_ticket(&mut body, version)?),
        _ => Message::Other { handshake_type, body: body.rest().to_vec() },
    })
}

fn new_session_ticket(body: &mut Reader<'_>, version: ProtocolVersion) -> Result<NewSessionTicket, DecodeError> {
    let is_tlsv1_3 = version >= ProtocolVersion::TLSV1_3;
    let lifetime = body.u32("NewSessionTicket.ticket_lifetime")?;
    if is_tlsv1_3 {
        body.u32("NewSessionTicket.ticket_age_add")?;
        body.vector8("NewSessionTicket.ticket_nonce")?;
    }
    let ticket = body.vector16("NewSessionTicket.ticket")?.rest().to_vec();
    let extensions = if is_tlsv1_3 { extensions(body, "NewSessionTicket.extensions")? } else { Vec::new() };
    body.finish("NewSessionTicket")?;
    let early = find(&extensions, ExtensionType::EARLY_DATA);
    let max_early_data = early.and_then(|early| Reader::new(&early.body, 0).u32("early_data.max_early_data_size").ok());
    Ok(NewSessionTicket { lifetime, ticket, max_early_data })
}
