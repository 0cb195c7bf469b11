//! What came back, read as far as it can be read.

use crate::handshake::{self, Context, NewSessionTicket, Stop};
use crate::located::{DecodeError, DecodeErrorKind, Located};
use crate::reader::Reader;
use crate::record::{self, Joined, RecordHeader};
use crate::registry::{AlertDescription, AlertLevel, ContentType, ProtocolVersion};
use crate::sslv2;

pub use crate::certificate::{CertificateList, CertificateRequest, CertificateVerify};
pub use crate::handshake::Message;
pub use crate::key_exchange::{KeyExchangeParams, ServerKeyExchange};
pub use crate::server_hello::{EncryptedExtensions, ServerHello};
pub use crate::sslv2::Sslv2Message;

/// The most records that are read of one direction of a connection.
pub const MAX_RECORDS: usize = 1000;

/// One direction of a connection: records, messages and alerts up to where it is encrypted or cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The records in order, encrypted ones too. The span covers header and payload, as far as they are there.
    pub records: Vec<Located<RecordHeader>>,
    /// The handshake messages in order.
    pub messages: Vec<Located<Message>>,
    /// The alerts in order.
    pub alerts: Vec<Located<Alert>>,
    /// The answer of a server that speaks SSLv2; there is nothing else then.
    pub sslv2: Option<Located<Sslv2Message>>,
    /// The first thing that could not be read. `None`: all of the input was read or is encrypted.
    pub stopped: Option<DecodeError>,
    /// Where the first encrypted record begins.
    pub encrypted_from: Option<usize>,
}

/// An alert (RFC 8446 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// How bad it is; in TLS 1.3 the description alone counts.
    pub level: AlertLevel,
    /// What it says.
    pub description: AlertDescription,
}

impl Transcript {
    /// What a server sent, from its first byte on.
    pub fn of_server(bytes: &[u8]) -> Transcript {
        let mut input = Reader::new(bytes, 0);
        if !sslv2::looks_like_record(bytes) {
            return Listener::default().listen(input);
        }
        let mut transcript = Transcript::default();
        match Sslv2Message::parse(&mut input) {
            Ok(message) => {
                transcript.sslv2 = Some(message);
                transcript.stopped = input.finish("SSLv2 message").err();
            }
            Err(error) => transcript.stopped = Some(error),
        }
        transcript
    }

    /// What a client sent, from its first byte on: its hello and what follows are
    /// [`Message::Other`], its alerts are read. `version` is what the server chose, if that is known.
    pub fn of_client(bytes: &[u8], version: Option<ProtocolVersion>) -> Transcript {
        let context = Context { version, suite: None };
        Listener { context, ..Listener::default() }.listen(Reader::new(bytes, 0))
    }

    /// Handshake messages without records, as decryption gives them, of a connection of this version.
    pub fn of_decrypted(bytes: &[u8], version: ProtocolVersion) -> Transcript {
        let context = Context { version: Some(version), suite: None };
        let mut listener = Listener { context, ..Listener::default() };
        listener.handshake.push(&Reader::new(bytes, 0));
        listener.transcript.stopped = listener.read_messages().and_then(|()| listener.nothing_is_left()).err();
        listener.transcript
    }

    /// The ServerHello.
    pub fn server_hello(&self) -> Option<&Located<ServerHello>> {
        self.first(|message| if let Message::ServerHello(hello) = message { Some(hello) } else { None })
    }

    /// The HelloRetryRequest.
    pub fn hello_retry_request(&self) -> Option<&Located<ServerHello>> {
        self.first(|message| if let Message::HelloRetryRequest(hello) = message { Some(hello) } else { None })
    }

    /// The EncryptedExtensions.
    pub fn encrypted_extensions(&self) -> Option<&Located<EncryptedExtensions>> {
        self.first(|message| if let Message::EncryptedExtensions(found) = message { Some(found) } else { None })
    }

    /// The certificate chain.
    pub fn certificate(&self) -> Option<&Located<CertificateList>> {
        self.first(|message| if let Message::Certificate(found) = message { Some(found) } else { None })
    }

    /// The ServerKeyExchange.
    pub fn server_key_exchange(&self) -> Option<&Located<ServerKeyExchange>> {
        self.first(|message| if let Message::ServerKeyExchange(found) = message { Some(found) } else { None })
    }

    /// The request for a client certificate.
    pub fn certificate_request(&self) -> Option<&Located<CertificateRequest>> {
        self.first(|message| if let Message::CertificateRequest(found) = message { Some(found) } else { None })
    }

    /// The CertificateVerify.
    pub fn certificate_verify(&self) -> Option<&Located<CertificateVerify>> {
        self.first(|message| if let Message::CertificateVerify(found) = message { Some(found) } else { None })
    }

    /// The first session ticket.
    pub fn new_session_ticket(&self) -> Option<&NewSessionTicket> {
        self.first(|message| if let Message::NewSessionTicket(found) = message { Some(found) } else { None })
    }

    /// The OCSP response (DER) for the server's certificate, wherever its version puts it.
    pub fn stapled_ocsp(&self) -> Option<Vec<u8>> {
        let in_list = self.certificate().and_then(|list| list.stapled_ocsp(0));
        in_list.or_else(|| {
            self.first(|message| match message {
                Message::CertificateStatus(status) => Some(status.response.clone()),
                _ => None,
            })
        })
    }

    /// The first alert that ends the connection. In TLS 1.3 every alert but close_notify and user_canceled does,
    /// whatever its level (RFC 8446 §6).
    pub fn fatal_alert(&self) -> Option<&Located<Alert>> {
        let version = self.server_hello().map(|hello| *hello.selected_version);
        let is_tlsv1_3 = version.is_some_and(|version| version >= ProtocolVersion::TLSV1_3);
        let harmless = [AlertDescription::CLOSE_NOTIFY, AlertDescription::USER_CANCELED];
        self.alerts
            .iter()
            .find(|alert| alert.level == AlertLevel::FATAL || is_tlsv1_3 && !harmless.contains(&alert.description))
    }

    fn first<'a, T>(&'a self, pick: impl FnMut(&'a Message) -> Option<T>) -> Option<T> {
        self.messages.iter().map(|message| &message.value).find_map(pick)
    }
}

/// Reads the records of one direction.
#[derive(Default)]
struct Listener {
    transcript: Transcript,
    context: Context,
    handshake: Joined,
    alerts: Joined,
    /// What the last handshake message lacks.
    waiting: Option<DecodeError>,
    /// After a ChangeCipherSpec that means it.
    cipher_changed: bool,
}

impl Listener {
    fn listen(mut self, input: Reader<'_>) -> Transcript {
        self.transcript.stopped = self.read_records(input).and_then(|()| self.nothing_is_left()).err();
        self.transcript
    }

    fn read_records(&mut self, mut input: Reader<'_>) -> Result<(), DecodeError> {
        while !input.is_empty() {
            if self.transcript.records.len() == MAX_RECORDS {
                return Err(input.error("records", DecodeErrorKind::TooLong { limit: MAX_RECORDS }));
            }
            let record = record::read(&mut input)?;
            self.transcript.records.push(record.header.clone());
            self.read_record(&record.header, &record.payload)?;
            record.truncated.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    fn read_record(&mut self, header: &Located<RecordHeader>, payload: &Reader<'_>) -> Result<(), DecodeError> {
        if self.is_encrypted(header, payload.rest()) {
            self.transcript.encrypted_from.get_or_insert(header.span.start);
            return Ok(());
        }
        match header.content_type {
            // In TLS 1.3 it only keeps middleboxes happy (RFC 8446 §D.4).
            ContentType::CHANGE_CIPHER_SPEC => self.cipher_changed = !self.context.is_tlsv1_3(),
            ContentType::ALERT => {
                self.alerts.push(payload);
                self.read_alerts();
            }
            ContentType::HANDSHAKE => {
                self.handshake.push(payload);
                self.read_messages()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn is_encrypted(&self, header: &RecordHeader, payload: &[u8]) -> bool {
        // No cipher turns an alert into two bytes: it was sent in the clear.
        let is_bare_alert = header.content_type == ContentType::ALERT && matches!(payload, [1 | 2, _]);
        let is_encrypted = self.cipher_changed
            || self.transcript.encrypted_from.is_some() && header.content_type != ContentType::CHANGE_CIPHER_SPEC
            || header.content_type == ContentType::APPLICATION_DATA;
        is_encrypted && !(is_bare_alert && header.length == 2)
    }

    fn read_messages(&mut self) -> Result<(), DecodeError> {
        self.waiting = None;
        while !self.handshake.unread().is_empty() {
            if self.transcript.messages.len() == MAX_RECORDS {
                let limit = MAX_RECORDS;
                let at = self.transcript.messages.last().map_or(0, |message| message.span.end);
                return Err(DecodeError { what: "handshake messages", at, kind: DecodeErrorKind::TooLong { limit } });
            }
            match handshake::read(self.handshake.unread(), &mut self.context) {
                Ok((message, length)) => {
                    self.transcript.messages.push(message);
                    self.handshake.advance(length);
                }
                Err(Stop::Incomplete(error)) => {
                    self.waiting = Some(error);
                    break;
                }
                Err(Stop::Malformed(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn read_alerts(&mut self) {
        let read = |r: &mut Reader<'_>| {
            let level = AlertLevel(r.u8("alert")?);
            Ok(Alert { level, description: AlertDescription(r.u8("alert")?) })
        };
        while let Ok(alert) = self.alerts.unread().located(read) {
            self.transcript.alerts.push(alert);
            self.alerts.advance(2);
        }
    }

    /// Fails if the input ends within a message or an alert.
    fn nothing_is_left(&self) -> Result<(), DecodeError> {
        self.waiting.map_or(Ok(()), Err)?;
        let mut alert = self.alerts.unread();
        if alert.is_empty() { Ok(()) } else { alert.take(2, "alert").map(|_| ()) }
    }
}
