//! TLS 1.0 to 1.2 (and the readable part of SSLv3): the server's flight, our key exchange, and both Finished.

use num_bigint::BigUint;
use tlswhy_model::{Awaited, Depth, Ending};
use tlswhy_wire::{
    CertificateList, CipherMode, ContentType, ExtensionType, HandshakeType, KeyExchange, KeyExchangeParams, ProtocolVersion,
    Reader, ServerHello, ServerKeyExchange, SuiteDetails,
};

use super::client_certificate::Requested;
use super::hash::Prf;
use super::keys::{FiniteField, KeyPair};
use super::protection::{KeyLengths, Protection};
use super::{
    Flight, Handshake, Phase, Turn, cannot_compute, handshake_message, malformed, not_carried, plain_record, plain_records,
    random_bytes, rsa, unreadable,
};

/// Length of the master secret in bytes.
pub(super) const MASTER_LENGTH: usize = 48;
/// Length of `verify_data` in bytes.
pub(super) const VERIFY_LENGTH: usize = 12;

/// State from the ServerHello on.
pub(super) struct Legacy {
    hello: ServerHello,
    version: ProtocolVersion,
    suite: &'static SuiteDetails,
    /// The server's certificate in DER.
    certificate: Option<Vec<u8>>,
    key_exchange: Option<ServerKeyExchange>,
    requested: Option<Requested>,
    finishing: Option<Finishing>,
}

/// What is needed once our flight is made.
struct Finishing {
    prf: Prf,
    master: Vec<u8>,
    /// What our Finished held.
    verify_data: Vec<u8>,
    /// The server's keys, until its ChangeCipherSpec puts them to use.
    server_keys: Option<Protection>,
}

impl Legacy {
    pub(super) fn new(hello: ServerHello, suite: &'static SuiteDetails) -> Legacy {
        let version = *hello.selected_version;
        Legacy { hello, version, suite, certificate: None, key_exchange: None, requested: None, finishing: None }
    }

    /// Whether the server knows secure renegotiation.
    pub(super) fn has_renegotiation_info(&self) -> bool {
        self.hello.has_renegotiation_info()
    }

    pub(super) fn awaited(&self) -> Awaited {
        if self.finishing.is_some() { Awaited::ServerFinished } else { Awaited::ServerFlight }
    }

    /// The server's keys: from here on it encrypts.
    pub(super) fn change_cipher(&mut self, at: usize) -> Result<Protection, Ending> {
        let Some(finishing) = &mut self.finishing else {
            return Err(malformed("ChangeCipherSpec before the key exchange", at));
        };
        finishing.server_keys.take().ok_or_else(|| malformed("a second ChangeCipherSpec", at))
    }

    /// Agrees on the premaster secret; gives it with the body of our ClientKeyExchange.
    fn agree(&self, offered: ProtocolVersion, at: usize) -> Result<(Vec<u8>, Vec<u8>), Ending> {
        let parameters = self.key_exchange.as_ref().map(|message| &message.params);
        let bad_key = || malformed("public key in ServerKeyExchange", at);
        match (self.suite.key_exchange, parameters) {
            (KeyExchange::Rsa, _) => {
                // RFC 5246 §7.4.7.1: the version is that of our hello.
                let secret = random_bytes(46).ok_or_else(no_random_numbers)?;
                let secret = [&offered.0.to_be_bytes()[..], &secret].concat();
                let certificate = self.certificate.as_deref().unwrap_or_default();
                let encrypted = rsa::encrypt(certificate, &secret);
                let encrypted = encrypted.ok_or_else(|| not_carried("this RSA key exchange: no RSA key to use".to_owned()))?;
                Ok((secret, [&(encrypted.len() as u16).to_be_bytes()[..], &encrypted].concat()))
            }
            (KeyExchange::Ecdhe | KeyExchange::EcdhAnon, Some(KeyExchangeParams::Ecdhe { group, point })) => {
                let key = KeyPair::generate(*group).filter(KeyPair::is_point);
                let key = key.ok_or_else(|| not_carried(format!("the group {group}")))?;
                let body = [&[key.public.len() as u8], &key.public[..]].concat();
                Ok((key.agree(point).ok_or_else(bad_key)?, body))
            }
            (KeyExchange::Dhe | KeyExchange::DhAnon, Some(KeyExchangeParams::Dhe { p, g, ys, prime_bits })) => {
                let number = |bytes: &[u8]| BigUint::from_bytes_be(bytes);
                let field = FiniteField::new(number(p), number(g));
                let field = field.ok_or_else(|| not_carried(format!("Diffie-Hellman with this prime of {prime_bits} bits")))?;
                let public = field.public();
                let secret = field.agree(ys).ok_or_else(bad_key)?;
                // RFC 5246 §8.1.2: without leading zeros.
                let zeros = secret.iter().take_while(|byte| **byte == 0).count();
                let body = [&(public.len() as u16).to_be_bytes()[..], &public].concat();
                Ok((secret.get(zeros..).unwrap_or_default().to_vec(), body))
            }
            (KeyExchange::Ecdhe | KeyExchange::EcdhAnon | KeyExchange::Dhe | KeyExchange::DhAnon, None) => {
                Err(malformed("server flight without ServerKeyExchange", at))
            }
            _ => Err(cannot_compute(self.suite)),
        }
    }
}

impl Handshake {
    /// A message after the ServerHello of a version below TLS 1.3.
    pub(super) fn legacy_message(&mut self, kind: HandshakeType, message: &[u8], at: usize, received: &[u8]) -> Turn {
        let Phase::Legacy(legacy) = &mut self.phase else {
            return Ok(None);
        };
        if self.trying && self.application.is_open() {
            return self.take_renegotiation(kind, message);
        }
        let reader = || Reader::new(message.get(4..).unwrap_or_default(), at + 4);
        if kind == HandshakeType::HELLO_REQUEST {
            // Not part of any hash (RFC 5246 §7.4.1.1).
            return if self.application.is_open() {
                Err(Ending::NotCarriedFurther { reason: "the server asks for a renegotiation".to_owned() })
            } else {
                Ok(None)
            };
        }
        if self.application.is_open() {
            return Ok(None);
        }
        match kind {
            HandshakeType::FINISHED => return self.server_finished(message, at),
            HandshakeType::CERTIFICATE if legacy.certificate.is_none() => {
                let list = CertificateList::parse(reader(), legacy.version).map_err(|error| unreadable(error, received))?;
                legacy.certificate = list.entries.into_iter().next().map(|entry| entry.value);
            }
            HandshakeType::SERVER_KEY_EXCHANGE => {
                let parsed = ServerKeyExchange::parse(reader(), legacy.version, legacy.suite.suite);
                legacy.key_exchange = Some(parsed.map_err(|error| unreadable(error, received))?);
            }
            HandshakeType::CERTIFICATE_REQUEST => {
                legacy.requested = Some(Requested::read(message.get(4..).unwrap_or_default(), legacy.version));
                self.client_certificate_requested = true;
            }
            HandshakeType::SERVER_HELLO_DONE if legacy.finishing.is_none() => {
                self.messages.extend_from_slice(message);
                let version = legacy.version;
                if let Some(flight) = self.try_after_flight(version) {
                    return Ok(Some(flight));
                }
                if self.depth == Depth::Flight {
                    return Err(Ending::Answered);
                }
                return self.key_exchange(at);
            }
            _ => {}
        }
        self.messages.extend_from_slice(message);
        Ok(None)
    }

    /// Our flight: Certificate if one was asked for, ClientKeyExchange, CertificateVerify if it is not empty, ChangeCipherSpec and
    /// Finished.
    fn key_exchange(&mut self, at: usize) -> Turn {
        let Phase::Legacy(legacy) = &mut self.phase else {
            return Ok(None);
        };
        let Legacy { version, suite, .. } = **legacy;
        if version < ProtocolVersion::TLSV1_0 {
            return Err(not_carried(format!("the keys of {version}")));
        }
        if legacy.hello.compression != 0 {
            return Err(not_carried("compression".to_owned()));
        }
        let lengths = KeyLengths::new(suite, version).ok_or_else(|| cannot_compute(suite))?;
        let prf = Prf::new(version, suite.hash).ok_or_else(|| cannot_compute(suite))?;
        let (premaster, body) = legacy.agree(self.hello.legacy_version, at)?;

        let exchange = handshake_message(HandshakeType::CLIENT_KEY_EXCHANGE, &body);
        let answer = legacy.requested.as_ref();
        let answer = answer.map(|asked| asked.answer_legacy(self.identity.as_deref(), version, &self.messages, &exchange));
        let (certificate, verify) = answer.map_or((None, None), |(certificate, verify)| (Some(certificate), verify));
        let mut flight = Vec::new();
        let mut say = |message: Vec<u8>, messages: &mut Vec<u8>| {
            flight.extend(plain_records(version, &message));
            messages.extend(message);
        };
        certificate.into_iter().chain([exchange]).for_each(|message| say(message, &mut self.messages));

        let randoms = [self.random, legacy.hello.random].concat();
        let master = if legacy.hello.has_extended_master_secret() {
            prf.derive(&premaster, "extended master secret", &prf.hash(&self.messages), MASTER_LENGTH)
        } else {
            prf.derive(&premaster, "master secret", &randoms, MASTER_LENGTH)
        };
        // RFC 7627 §3: the session's hash ends before it.
        verify.into_iter().for_each(|message| say(message, &mut self.messages));
        let encrypt_then_mac =
            suite.mode == CipherMode::Cbc && legacy.hello.extension(ExtensionType::ENCRYPT_THEN_MAC).is_some();
        let (client_keys, server_keys) =
            key_block(prf, &master, [legacy.hello.random, self.random].concat(), lengths, |keys| {
                Protection::of_keys(suite, version, encrypt_then_mac, keys)
            });
        let mut client_keys = client_keys.ok_or_else(|| cannot_compute(suite))?;

        let verify = prf.derive(&master, "client finished", &prf.hash(&self.messages), VERIFY_LENGTH);
        let finished = handshake_message(HandshakeType::FINISHED, &verify);
        flight.extend(plain_record(ContentType::CHANGE_CIPHER_SPEC, version, &[1]));
        flight.extend(client_keys.seal(ContentType::HANDSHAKE, &finished).unwrap_or_default());
        self.messages.extend(finished);
        self.writing = Some(client_keys);
        legacy.finishing = Some(Finishing { prf, master, verify_data: verify, server_keys });
        Ok(Some(Flight::from(flight)))
    }

    fn server_finished(&mut self, message: &[u8], at: usize) -> Turn {
        let Phase::Legacy(legacy) = &self.phase else {
            return Ok(None);
        };
        let Some(Finishing { prf, master, verify_data, .. }) = legacy.finishing.as_ref().filter(|_| self.reading.is_some())
        else {
            return Err(malformed("Finished out of place", at));
        };
        let expected = prf.derive(master, "server finished", &prf.hash(&self.messages), VERIFY_LENGTH);
        if message.get(4..) != Some(&expected[..]) {
            return Err(malformed("Finished", at));
        }
        let (verify_data, version) = (verify_data.clone(), legacy.version);
        self.application.open();
        self.try_after_finished(&verify_data, version)
    }
}

/// Cuts the key block (RFC 5246 §6.3) and makes both directions' protection of it, the client's first.
pub(super) fn key_block(
    prf: Prf,
    master: &[u8],
    randoms: Vec<u8>,
    lengths: KeyLengths,
    protection: impl Fn((&[u8], &[u8], &[u8])) -> Option<Protection>,
) -> (Option<Protection>, Option<Protection>) {
    let KeyLengths { mac, key, iv } = lengths;
    let block = prf.derive(master, "key expansion", &randoms, 2 * (mac + key + iv));
    let part = |from: usize, length: usize| block.get(from..from + length).unwrap_or_default();
    let client = (part(0, mac), part(2 * mac, key), part(2 * (mac + key), iv));
    let server = (part(mac, mac), part(2 * mac + key, key), part(2 * (mac + key) + iv, iv));
    (protection(client), protection(server))
}

fn no_random_numbers() -> Ending {
    Ending::Impossible { reason: "the system has no random numbers".to_owned() }
}
