//! The client's side of a handshake as a state machine: bytes in, bytes out, no I/O.
//!
//! [`Handshake`] reads the server's records as they arrive and says what to send, what it waits for, and how it ended. It
//! believes everything: certificates and signatures are not verified here, because a handshake that a careful client would
//! break off is worth reading to its end. Only what the server *encrypted* is checked, by the keys.
//!
//! `keys` agrees on secrets, `hash` turns them into keys, `protection` (with `block`) seals and opens records, `legacy` is the
//! flow of TLS 1.2 and below, `modern` that of TLS 1.3.

mod application;
mod block;
mod client_certificate;
mod hash;
mod keys;
mod legacy;
mod modern;
mod protection;
mod rsa;
pub(crate) mod server;
#[cfg(test)]
mod tests;
mod trial;

use std::ops::Range;
use std::sync::Arc;

use tlswhy_model::{Awaited, Depth, Ending, Trial};
use tlswhy_wire::{
    AlertDescription, AlertLevel, ContentType, DecodeError, EncodedHello, ExtensionSpec, ExtensionType, HandshakeType,
    HelloSpec, KeyMaterial, ProtocolVersion, Reader, ServerHello, Sslv2Message, SuiteDetails, Transcript,
};

use application::Application;
pub(crate) use hash::Digest;
use keys::KeyPair;
use protection::Protection;

use crate::identity::ClientIdentity;

/// The longest handshake message that is put together, in bytes.
const LONGEST_MESSAGE: usize = 1 << 18;
/// The largest record payload: 2^14 bytes and what encryption adds (RFC 5246 §6.2.3).
const LARGEST_RECORD: usize = (1 << 14) + 2048;
/// The most content of one record, in bytes.
const LARGEST_CONTENT: usize = 1 << 14;

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Wait for more bytes.
    Wait,
    /// Send this, then go on.
    Send(Flight),
    /// It is over.
    Ended(Ending),
    /// What came first is not TLS.
    NotTls,
}

/// Bytes to send.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// As on the wire.
    pub(crate) bytes: Vec<u8>,
    /// The parts that are written one by one.
    pub(crate) writes: Vec<Range<usize>>,
}

/// What a handler of records and messages gives: perhaps something to send; an ending stops everything.
type Turn = Result<Option<Flight>, Ending>;

/// One handshake.
pub(crate) struct Handshake {
    hello: HelloSpec,
    depth: Depth,
    random: [u8; 32],
    session_id: Vec<u8>,
    keys: Vec<KeyPair>,
    /// Whether the hello is a recording, so that nobody has its keys.
    replayed: bool,
    /// The handshake messages of both sides, as the hashes need them.
    messages: Vec<u8>,
    /// Handshake bytes that do not make a message yet, and where in the input they begin.
    fragments: Vec<u8>,
    fragments_at: usize,
    /// How much of `received` was read.
    read: usize,
    phase: Phase,
    reading: Option<Protection>,
    writing: Option<Protection>,
    /// The server's handshake messages that came encrypted.
    decrypted: Vec<u8>,
    application: Application,
    client_certificate_requested: bool,
    identity: Option<Arc<ClientIdentity>>,
    alpn: Option<String>,
    trial: Option<Trial>,
    /// What was to be tried is on its way.
    trying: bool,
}

enum Phase {
    /// Nothing came yet, or a HelloRetryRequest.
    Hello { retried: bool },
    /// TLS 1.2 and below.
    Legacy(Box<legacy::Legacy>),
    /// TLS 1.3.
    Modern(Box<modern::Modern>),
}

/// A record as it came.
struct Record<'a> {
    at: usize,
    content_type: ContentType,
    header: [u8; 5],
    body: &'a [u8],
}

impl Handshake {
    /// A handshake that begins with this hello, and the hello's bytes. The error says why it has none.
    pub(crate) fn new(hello: HelloSpec, depth: Depth) -> Result<(Handshake, Flight), String> {
        let random = random_bytes(32).and_then(|bytes| bytes.try_into().ok()).ok_or("no random numbers")?;
        let session_id = random_bytes(usize::from(hello.session_id_length)).ok_or("no random numbers")?;
        let mut handshake = Handshake { random, session_id, ..Handshake::empty(depth) };
        let flight = handshake.encode(hello)?;
        Ok((handshake, flight))
    }

    /// Who to be, if the server asks for a client certificate.
    pub(crate) fn identify(&mut self, identity: Arc<ClientIdentity>) {
        self.identity = Some(identity);
    }

    /// One whose hello is a recording: it is read as far as it is not encrypted.
    pub(crate) fn replayed() -> Handshake {
        Handshake { replayed: true, ..Handshake::empty(Depth::Flight) }
    }

    fn empty(depth: Depth) -> Handshake {
        Handshake {
            hello: HelloSpec::default(),
            depth,
            random: [0; 32],
            session_id: Vec::new(),
            keys: Vec::new(),
            replayed: false,
            messages: Vec::new(),
            fragments: Vec::new(),
            fragments_at: 0,
            read: 0,
            phase: Phase::Hello { retried: false },
            reading: None,
            writing: None,
            decrypted: Vec::new(),
            application: Application::default(),
            client_certificate_requested: false,
            identity: None,
            alpn: None,
            trial: None,
            trying: false,
        }
    }

    /// Makes the keys that the hello wants to send, and the hello.
    fn encode(&mut self, hello: HelloSpec) -> Result<Flight, String> {
        if let Some(ExtensionSpec::KeyShare(groups)) = hello.extension(ExtensionType::KEY_SHARE) {
            let kept: Vec<KeyPair> = std::mem::take(&mut self.keys);
            let kept = kept.into_iter().filter(|key| groups.contains(&key.group)).collect::<Vec<_>>();
            let wanted = groups.iter().filter(|group| kept.iter().all(|key| key.group != **group));
            let mut made: Vec<KeyPair> = wanted.filter_map(|group| KeyPair::generate(*group)).collect();
            made.extend(kept);
            self.keys = made;
        }
        let material = KeyMaterial {
            random: self.random,
            session_id: self.session_id.clone(),
            key_shares: self.keys.iter().map(|key| (key.group, key.public.clone())).collect(),
        };
        let encoded = hello.encode(&material).map_err(|error| error.to_string())?;
        self.hello = hello;
        let EncodedHello { message, records, writes } = encoded;
        self.messages.extend(message);
        Ok(Flight { bytes: records, writes })
    }

    /// What we are waiting for.
    pub(crate) fn awaited(&self) -> Awaited {
        if self.trying {
            return Awaited::Trial;
        }
        if self.application.is_open() {
            return self.application.awaited();
        }
        match &self.phase {
            Phase::Hello { .. } => Awaited::ServerHello,
            Phase::Legacy(legacy) => legacy.awaited(),
            Phase::Modern(_) => Awaited::ServerFlight,
        }
    }

    /// The server's handshake messages that came encrypted, in clear and without records, and what the application said.
    pub(crate) fn into_decrypted(self) -> (Vec<u8>, Option<Vec<u8>>) {
        (self.decrypted, self.application.into_heard())
    }

    /// Reads on. `received` is everything that came since the hello, each time with more at its end.
    pub(crate) fn step(&mut self, received: &[u8]) -> Step {
        if self.read == 0 && !self.begins_like_tls(received) {
            return self.not_tls_records(received);
        }
        let mut turn = self.read_messages(received);
        loop {
            match turn {
                Ok(Some(flight)) => return Step::Send(flight),
                Err(ending) => return Step::Ended(ending),
                Ok(None) => {}
            }
            match self.next_record(received) {
                Ok(Some(record)) => turn = self.take_record(record, received),
                Ok(None) => return Step::Wait,
                Err(ending) => return Step::Ended(ending),
            }
        }
    }

    /// As far as they are there, type and version are those of a record.
    fn begins_like_tls(&self, received: &[u8]) -> bool {
        let types = ContentType::CHANGE_CIPHER_SPEC.0..=ContentType::HEARTBEAT.0;
        match received {
            [] => true,
            [content_type] => types.contains(content_type),
            [content_type, major, ..] => types.contains(content_type) && *major == 3,
        }
    }

    /// An SSLv2 server answers without TLS records.
    fn not_tls_records(&self, received: &[u8]) -> Step {
        if received.first().is_none_or(|first| first & 0x80 == 0) {
            return Step::NotTls;
        }
        let transcript = Transcript::of_server(received);
        match (transcript.sslv2, received.len()) {
            (Some(message), _) => match message.value {
                Sslv2Message::ServerHello(_) if self.depth <= Depth::Flight => Step::Ended(Ending::Answered),
                Sslv2Message::ServerHello(_) => not_carried_step("a handshake of SSLv2".to_owned()),
                // It closes now, and that is the ending.
                Sslv2Message::Error(_) => Step::Wait,
            },
            (None, ..3) => Step::Wait,
            (None, _) if matches!(received.get(2), Some(0 | 4)) => Step::Wait,
            (None, _) => Step::NotTls,
        }
    }

    fn next_record<'a>(&mut self, received: &'a [u8]) -> Result<Option<Record<'a>>, Ending> {
        let rest = received.get(self.read..).unwrap_or_default();
        let Some((header, rest)) = rest.split_first_chunk::<5>() else {
            return Ok(None);
        };
        let [content_type, major, _, high, low] = *header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let at = self.read;
        let known = (ContentType::CHANGE_CIPHER_SPEC.0..=ContentType::HEARTBEAT.0).contains(&content_type);
        if !known || major != 3 || length > LARGEST_RECORD {
            return Err(malformed("record header", at));
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        self.read += 5 + length;
        Ok(Some(Record { at, content_type: ContentType(content_type), header: *header, body }))
    }

    fn take_record(&mut self, record: Record<'_>, received: &[u8]) -> Turn {
        let Record { at, content_type, header, body } = record;
        let is_modern = matches!(self.phase, Phase::Modern(_));
        if content_type == ContentType::CHANGE_CIPHER_SPEC {
            return match &mut self.phase {
                Phase::Legacy(legacy) => {
                    self.reading = Some(legacy.change_cipher(at)?);
                    Ok(None)
                }
                // It only keeps middleboxes happy (RFC 8446 §D.4).
                _ => Ok(None),
            };
        }
        if let (ContentType::ALERT, &[level, description]) = (content_type, body) {
            return self.take_alert(AlertLevel(level), AlertDescription(description), false);
        }
        let Some(protection) = &mut self.reading else {
            return self.take_content(content_type, body, at + 5, false, received);
        };
        if is_modern && content_type != ContentType::APPLICATION_DATA {
            return Err(malformed("unencrypted record after the ServerHello", at));
        }
        let (content_type, content) = protection.open(header, body).ok_or_else(|| malformed("encrypted record", at))?;
        self.take_content(content_type, &content, at + 5, true, received)
    }

    fn take_content(&mut self, content_type: ContentType, content: &[u8], at: usize, encrypted: bool, received: &[u8]) -> Turn {
        match content_type {
            ContentType::HANDSHAKE => {
                if self.fragments.is_empty() {
                    self.fragments_at = at;
                }
                self.fragments.extend_from_slice(content);
                self.read_messages(received)
            }
            ContentType::ALERT => match content {
                &[level, description] => self.take_alert(AlertLevel(level), AlertDescription(description), encrypted),
                _ => Err(malformed("alert", at)),
            },
            ContentType::APPLICATION_DATA if encrypted => self.application.take(content),
            ContentType::HEARTBEAT => self.take_heartbeat(content),
            _ => Err(malformed("record out of place", at)),
        }
    }

    /// A warning changes nothing, but the end of the connection is one.
    fn take_alert(&mut self, level: AlertLevel, description: AlertDescription, encrypted: bool) -> Turn {
        if self.trying {
            // Any alert is an answer then, also one that only warns.
            return Err(Ending::Alert { level, description, awaited: Awaited::Trial, encrypted });
        }
        let is_modern = matches!(self.phase, Phase::Modern(_));
        let goes_on = match description {
            AlertDescription::CLOSE_NOTIFY => false,
            AlertDescription::USER_CANCELED => true,
            _ => level == AlertLevel::WARNING && !is_modern,
        };
        if goes_on {
            return Ok(None);
        }
        if description == AlertDescription::CLOSE_NOTIFY && self.is_content() {
            return Err(Ending::Completed);
        }
        Err(Ending::Alert { level, description, awaited: self.awaited(), encrypted })
    }

    /// Takes the whole messages that have come together.
    fn read_messages(&mut self, received: &[u8]) -> Turn {
        while let Some(&[kind, a, b, c]) = self.fragments.first_chunk::<4>() {
            let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            if length > LONGEST_MESSAGE {
                return Err(malformed("handshake message", self.fragments_at));
            }
            if self.fragments.len() < 4 + length {
                break;
            }
            let rest = self.fragments.split_off(4 + length);
            let message = std::mem::replace(&mut self.fragments, rest);
            let at = self.fragments_at;
            self.fragments_at += message.len();
            if let Some(flight) = self.take_message(HandshakeType(kind), &message, at, received)? {
                return Ok(Some(flight));
            }
        }
        Ok(None)
    }

    fn take_message(&mut self, kind: HandshakeType, message: &[u8], at: usize, received: &[u8]) -> Turn {
        match &self.phase {
            Phase::Hello { .. } => match kind {
                HandshakeType::SERVER_HELLO => self.server_hello(message, at, received),
                HandshakeType::HELLO_REQUEST => Ok(None),
                HandshakeType::CLIENT_HELLO if self.messages == message => Err(Ending::NotTls {
                    protocol: Some("echo".to_owned()),
                    upgrade: None,
                    detail: "our own hello comes back unchanged".to_owned(),
                }),
                _ => Err(malformed("message before the ServerHello", at)),
            },
            Phase::Legacy(_) => self.legacy_message(kind, message, at, received),
            Phase::Modern(_) => self.modern_message(kind, message, at, received.len()),
        }
    }

    fn server_hello(&mut self, message: &[u8], at: usize, received: &[u8]) -> Turn {
        let body = message.get(4..).unwrap_or_default();
        let hello = ServerHello::parse(Reader::new(body, at + 4)).map_err(|error| unreadable(error, received))?;
        let version = *hello.selected_version;
        let suite = hello.cipher_suite.value;
        if self.depth == Depth::Choice || self.replayed && version >= ProtocolVersion::TLSV1_3 {
            return Err(Ending::Answered);
        }
        if version > ProtocolVersion::TLSV1_3 {
            return Err(not_carried(format!("the version {version}")));
        }
        let Some(details) = suite.details() else {
            return Err(not_carried(format!("the cipher suite {suite}")));
        };
        if version == ProtocolVersion::TLSV1_3 {
            let retried = matches!(self.phase, Phase::Hello { retried: true });
            return match (hello.is_retry(), retried) {
                (false, _) => self.begin_modern(&hello, details, message),
                (true, false) => self.retry(&hello, details, message),
                (true, true) => Err(malformed("a second HelloRetryRequest", at)),
            };
        }
        self.alpn = hello.alpn();
        self.messages.extend_from_slice(message);
        self.phase = Phase::Legacy(Box::new(legacy::Legacy::new(hello, details)));
        Ok(None)
    }

    /// What to do when nothing more came for a while after the handshake: the request, if one is to be made. It is for the
    /// server's name, without one for `host`.
    pub(crate) fn quiet(&mut self, host: &str) -> Step {
        if self.depth < Depth::Request || self.application.was_asked() || !self.speaks_http() {
            return Step::Ended(Ending::Completed);
        }
        let request = application::request(self.hello.server_name().unwrap_or(host));
        let sealed = self.writing.as_mut().and_then(|writing| writing.seal(ContentType::APPLICATION_DATA, &request));
        match sealed {
            Some(bytes) => {
                self.application.ask();
                Step::Send(Flight::from(bytes))
            }
            None => Step::Ended(Ending::Completed),
        }
    }

    fn speaks_http(&self) -> bool {
        self.alpn.as_deref().is_none_or(|name| name.starts_with("http/1."))
    }

    /// Whether what was asked for has been reached, so that a close changes nothing.
    fn is_content(&self) -> bool {
        if self.application.was_asked() {
            return self.application.was_heard();
        }
        let asks = self.depth == Depth::Request && self.speaks_http();
        self.is_settled() && !self.client_certificate_requested && !asks
    }

    /// Whether something already shows that the handshake stands, so that there is no need to listen longer.
    pub(crate) fn is_settled(&self) -> bool {
        self.application.is_settled()
    }

    /// Whether enough of the application's answer has been heard.
    pub(crate) fn has_heard_enough(&self) -> bool {
        self.application.has_heard_enough()
    }

    /// Whether the application said anything.
    pub(crate) fn has_heard(&self) -> bool {
        self.application.was_heard()
    }

    /// Whether the server asked for a client certificate, so that it may object to what it got.
    pub(crate) fn client_certificate_requested(&self) -> bool {
        self.client_certificate_requested
    }

    /// Whether it is TLS 1.3, where the server can object to our last flight after we consider the handshake done.
    pub(crate) fn is_modern(&self) -> bool {
        matches!(self.phase, Phase::Modern(_))
    }
}

impl From<Vec<u8>> for Flight {
    fn from(bytes: Vec<u8>) -> Flight {
        Flight { writes: std::iter::once(0..bytes.len()).collect(), bytes }
    }
}

/// A handshake message with its header.
fn handshake_message(kind: HandshakeType, body: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = (body.len() as u32).to_be_bytes();
    [&[kind.0, a, b, c], body].concat()
}

/// A message in as many records as it needs, not encrypted.
fn plain_records(version: ProtocolVersion, message: &[u8]) -> Vec<u8> {
    message.chunks(LARGEST_CONTENT).flat_map(|content| plain_record(ContentType::HANDSHAKE, version, content)).collect()
}

/// A record that is not encrypted.
fn plain_record(content_type: ContentType, version: ProtocolVersion, content: &[u8]) -> Vec<u8> {
    let [v1, v2] = version.0.to_be_bytes();
    let [l1, l2] = (content.len() as u16).to_be_bytes();
    [&[content_type.0, v1, v2, l1, l2], content].concat()
}

fn malformed(what: &str, at: usize) -> Ending {
    Ending::Malformed { what: what.to_owned(), at: at as u64 }
}

/// A message that cannot be read; the transcript knows better where, if the message came in several records.
fn unreadable(error: DecodeError, received: &[u8]) -> Ending {
    let at = Transcript::of_server(received).stopped.map_or(error.at, |stopped| stopped.at);
    malformed(error.what, at)
}

fn not_carried(reason: String) -> Ending {
    Ending::NotCarriedFurther { reason: format!("tlswhy does not compute {reason}") }
}

fn not_carried_step(reason: String) -> Step {
    Step::Ended(not_carried(reason))
}

fn cannot_compute(suite: &SuiteDetails) -> Ending {
    not_carried(format!("the cipher suite {}", suite.name))
}

/// Random bytes; `None` if the system has none.
pub(crate) fn random_bytes(length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}
