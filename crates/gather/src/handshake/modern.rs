//! TLS 1.3: the key schedule (RFC 8446 §7.1) and the flow of messages after the ServerHello.

use tlswhy_model::{Depth, Ending};
use tlswhy_wire::{
    ContentType, EncryptedExtensions, HandshakeType, KeyExchange, NamedGroup, ProtocolVersion, Reader, ServerHello,
    SuiteDetails,
};

use super::client_certificate::Requested;
use super::hash::Digest;
use super::keys::KeyPair;
use super::protection::Protection;
use super::{
    Flight, Handshake, LARGEST_CONTENT, Phase, Turn, cannot_compute, handshake_message, malformed, not_carried, plain_record,
};

/// Tickets are kept as long as fewer bytes of handshake messages were; a server may send as many as it likes.
const MOST_DECRYPTED: usize = 1 << 16;

/// State from the ServerHello on.
pub(super) struct Modern {
    suite: &'static SuiteDetails,
    digest: Digest,
    handshake_secret: Vec<u8>,
    client_secret: Vec<u8>,
    server_secret: Vec<u8>,
    /// The server's CertificateRequest.
    requested: Option<Requested>,
    /// How much had come when our Finished was made; what came before cannot be an answer to it.
    finished_at: Option<usize>,
}

impl Handshake {
    /// The second ClientHello that answers a HelloRetryRequest.
    pub(super) fn retry(&mut self, hello: &ServerHello, suite: &'static SuiteDetails, message: &[u8]) -> Turn {
        let digest = Digest::of_suite(suite.hash).ok_or_else(|| cannot_compute(suite))?;
        let group = hello.selected_group();
        if let Some(group) = group.filter(|group| KeyPair::generate(*group).is_none()) {
            return Err(no_key(group));
        }
        // RFC 8446 §4.4.1: the first hello is represented by its hash.
        let first = handshake_message(HandshakeType::MESSAGE_HASH, &digest.of(&self.messages));
        self.messages = [&first, message].concat();
        let mut second = self.hello.after_retry(group, hello.cookie());
        second.record_version = ProtocolVersion::TLSV1_2;
        let flight = self.encode(second).map_err(|reason| Ending::Impossible { reason })?;
        self.phase = Phase::Hello { retried: true };
        Ok(Some(self.after_change_cipher_spec(flight)))
    }

    /// RFC 8446 §D.4: with a session id, middleboxes expect to see a ChangeCipherSpec before our second flight.
    fn after_change_cipher_spec(&self, mut flight: Flight) -> Flight {
        if self.session_id.is_empty() {
            return flight;
        }
        let record = plain_record(ContentType::CHANGE_CIPHER_SPEC, ProtocolVersion::TLSV1_2, &[1]);
        for (index, write) in flight.writes.iter_mut().enumerate() {
            *write = if index == 0 { 0 } else { write.start + record.len() }..write.end + record.len();
        }
        flight.bytes.splice(0..0, record);
        flight
    }

    /// Agrees on the handshake keys.
    pub(super) fn begin_modern(&mut self, hello: &ServerHello, suite: &'static SuiteDetails, message: &[u8]) -> Turn {
        let Some((group, share)) = hello.key_share() else {
            return Err(not_carried("a TLSv1.3 handshake without key_share".to_owned()));
        };
        let position = self.keys.iter().position(|key| key.group == group);
        let key = match position.map(|position| self.keys.swap_remove(position)) {
            Some(key) if key.can_agree() => key,
            None if KeyPair::generate(group).is_some() => {
                return Err(malformed("ServerHello.key_share", self.fragments_at));
            }
            _ => return Err(no_key(group)),
        };
        let digest = Digest::of_suite(suite.hash).filter(|_| suite.key_exchange == KeyExchange::Tls13);
        let digest = digest.ok_or_else(|| cannot_compute(suite))?;
        let shared = key.agree(share).ok_or_else(|| malformed("ServerHello.key_share", self.fragments_at))?;
        self.messages.extend_from_slice(message);

        let zeros = vec![0; digest.length()];
        let early = digest.hmac(&zeros, &[&zeros]);
        let handshake_secret = digest.hmac(&derived(digest, &early), &[&shared]);
        let hash = digest.of(&self.messages);
        let traffic = |label| digest.expand_label(&handshake_secret, label, &hash, digest.length());
        let (client_secret, server_secret) = (traffic("c hs traffic"), traffic("s hs traffic"));
        self.reading = Some(Protection::of_secret(suite, digest, &server_secret).ok_or_else(|| cannot_compute(suite))?);
        self.writing = Protection::of_secret(suite, digest, &client_secret);
        let (requested, finished_at) = (None, None);
        let modern = Modern { suite, digest, handshake_secret, client_secret, server_secret, requested, finished_at };
        self.phase = Phase::Modern(Box::new(modern));
        Ok(None)
    }

    /// A message that came encrypted. `at` is where its record stands in the `length` bytes received so far.
    pub(super) fn modern_message(&mut self, kind: HandshakeType, message: &[u8], at: usize, length: usize) -> Turn {
        let Phase::Modern(modern) = &mut self.phase else {
            return Ok(None);
        };
        if let Some(finished_at) = modern.finished_at {
            return self.message_after_finished(kind, message, at >= finished_at);
        }
        let at = self.decrypted.len();
        let body = message.get(4..).unwrap_or_default();
        self.decrypted.extend_from_slice(message);
        match kind {
            HandshakeType::ENCRYPTED_EXTENSIONS => {
                let extensions = EncryptedExtensions::parse(Reader::new(body, at + 4));
                self.alpn = extensions.map_err(|error| malformed(error.what, error.at))?.alpn();
            }
            HandshakeType::CERTIFICATE_REQUEST => {
                let context = Reader::new(body, at + 4).vector8("CertificateRequest.certificate_request_context");
                context.map_err(|error| malformed(error.what, error.at))?;
                modern.requested = Some(Requested::read(body, ProtocolVersion::TLSV1_3));
                self.client_certificate_requested = true;
            }
            HandshakeType::FINISHED => {
                let expected = modern.verify_data(&modern.server_secret, &self.messages);
                if body != expected {
                    return Err(malformed("Finished", at));
                }
                self.messages.extend_from_slice(message);
                return if self.depth == Depth::Flight { Err(Ending::Answered) } else { self.finish(length) };
            }
            _ => {}
        }
        self.messages.extend_from_slice(message);
        Ok(None)
    }

    /// Our last flight: Certificate if one was asked for, CertificateVerify if it is not empty, and Finished.
    fn finish(&mut self, length: usize) -> Turn {
        let Phase::Modern(modern) = &mut self.phase else {
            return Ok(None);
        };
        let Modern { digest, suite, .. } = **modern;
        let zeros = vec![0; digest.length()];
        let master = digest.hmac(&derived(digest, &modern.handshake_secret), &[&zeros]);
        let hash = digest.of(&self.messages);
        let traffic = |label| digest.expand_label(&master, label, &hash, digest.length());
        let (client_secret, server_secret) = (traffic("c ap traffic"), traffic("s ap traffic"));

        let mut flight = Vec::new();
        let mut seal = |message: &[u8]| {
            for content in message.chunks(LARGEST_CONTENT) {
                let record = self.writing.as_mut().and_then(|writing| writing.seal(ContentType::HANDSHAKE, content));
                flight.extend(record.unwrap_or_default());
            }
        };
        let answer = modern.requested.as_ref().map(|asked| asked.answer(self.identity.as_deref(), digest, &self.messages));
        for message in answer.unwrap_or_default() {
            seal(&message);
            self.messages.extend(message);
        }
        let finished = handshake_message(HandshakeType::FINISHED, &modern.verify_data(&modern.client_secret, &self.messages));
        seal(&finished);

        self.reading = Protection::of_secret(suite, digest, &server_secret);
        self.writing = Protection::of_secret(suite, digest, &client_secret);
        modern.server_secret = server_secret;
        modern.finished_at = Some(length);
        self.application.open();
        // Where there was a retry, the ChangeCipherSpec was sent with the second hello; a second one does no harm.
        Ok(Some(self.after_change_cipher_spec(Flight::from(flight))))
    }

    fn message_after_finished(&mut self, kind: HandshakeType, message: &[u8], is_answer: bool) -> Turn {
        match kind {
            HandshakeType::NEW_SESSION_TICKET => {
                if self.decrypted.len() < MOST_DECRYPTED {
                    self.decrypted.extend_from_slice(message);
                }
                if is_answer || !self.client_certificate_requested {
                    self.application.settle();
                }
                Ok(None)
            }
            HandshakeType::KEY_UPDATE => {
                if let Phase::Modern(modern) = &mut self.phase {
                    let Modern { digest, suite, .. } = **modern;
                    let next = digest.expand_label(&modern.server_secret, "traffic upd", b"", digest.length());
                    self.reading = Protection::of_secret(suite, digest, &next);
                    modern.server_secret = next;
                }
                Ok(None)
            }
            HandshakeType::CERTIFICATE_REQUEST => {
                self.decrypted.extend_from_slice(message);
                self.client_certificate_requested = true;
                let reason = "the server asks for a client certificate after the handshake".to_owned();
                Err(Ending::NotCarriedFurther { reason })
            }
            _ => Ok(None),
        }
    }
}

impl Modern {
    /// RFC 8446 §4.4.4.
    fn verify_data(&self, secret: &[u8], messages: &[u8]) -> Vec<u8> {
        let key = self.digest.expand_label(secret, "finished", b"", self.digest.length());
        self.digest.hmac(&key, &[&self.digest.of(messages)])
    }
}

fn derived(digest: Digest, secret: &[u8]) -> Vec<u8> {
    digest.expand_label(secret, "derived", &digest.of(b""), digest.length())
}

fn no_key(group: NamedGroup) -> Ending {
    not_carried(format!("the group {group}"))
}
