//! The server's side of TLS 1.0 to 1.2 as it was built before 2010, bytes in and bytes out, for the servers that are broken
//! on purpose: current libraries no longer have these faults. It lives here because the hashes, keys and record protection
//! of the old versions do; nothing of the probing uses it.
//!
//! It is no server for the world: RSA decryption is not hardened against Bleichenbacher's attack, and certificates of clients
//! are not asked for.

use std::sync::Arc;

use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use num_bigint::BigUint;
use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::{
    AlertDescription, AlertLevel, CipherSuite, ClientHello, ContentType, DecodeErrorKind, ExtensionType, HandshakeType,
    HelloFormat, HelloSpec, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme, SuiteDetails,
};

use super::hash::Prf;
use super::keys::{FiniteField, KeyPair};
use super::legacy::{MASTER_LENGTH, VERIFY_LENGTH, key_block};
use super::protection::{KeyLengths, Protection};
use super::{LARGEST_RECORD, handshake_message, plain_record, random_bytes};
use crate::key::PrivateKey;

/// The most that is kept of what a client sends at once, in bytes.
const LONGEST_INPUT: usize = 1 << 17;
/// The only group of its elliptic-curve key exchange.
const GROUP: NamedGroup = NamedGroup::SECP256R1;

/// What an old server is made of.
#[derive(Clone, Debug)]
pub struct OldServerPolicy {
    /// The one version that it speaks, TLS 1.0 to 1.2. Signed key exchange is made in TLS 1.2 alone.
    pub version: ProtocolVersion,
    /// Suites with RSA authentication, in the order of its preference.
    pub cipher_suites: Vec<CipherSuite>,
    /// The prime of its Diffie-Hellman group, big-endian; the generator is 2.
    pub dh_prime: Vec<u8>,
    /// Whether it answers renegotiation_info (RFC 5746).
    pub secure_renegotiation: bool,
    /// DER of its certificate and those above it.
    pub certificates: Vec<Vec<u8>>,
    /// PKCS #8 of its RSA key; to take part in RSA key exchange it has at least 2048 bits.
    pub key: Vec<u8>,
}

/// One connection to an old server.
pub struct OldServer {
    policy: Arc<OldServerPolicy>,
    input: Vec<u8>,
    /// The handshake messages of both sides, as the hashes need them.
    messages: Vec<u8>,
    phase: Phase,
}

/// What an old server does with what came.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OldServerReply {
    /// To be sent.
    pub send: Vec<u8>,
    /// Whether the connection ends with that.
    pub close: bool,
}

enum Phase {
    ClientHello,
    /// Our flight is sent; the client's key exchange is awaited.
    KeyExchange(Box<Chosen>),
    /// Keys are there; the client's ChangeCipherSpec and Finished are awaited.
    Finished(Box<Finishing>),
    /// The handshake is done; what comes is not read.
    Done,
}

struct Chosen {
    suite: &'static SuiteDetails,
    /// The version in the client's hello, which an RSA premaster secret repeats.
    offered: ProtocolVersion,
    client_random: [u8; 32],
    server_random: [u8; 32],
    secret: Secret,
}

/// Our half of the key exchange.
enum Secret {
    Rsa,
    Dhe(FiniteField),
    Ecdhe(KeyPair),
}

struct Finishing {
    prf: Prf,
    master: Vec<u8>,
    reading: Protection,
    writing: Protection,
    /// The client's ChangeCipherSpec came.
    changed: bool,
}

/// Header and body of a record.
type RawRecord = ([u8; 5], Vec<u8>);

/// An alert ends the connection.
type Turn = Result<Vec<u8>, AlertDescription>;

impl OldServer {
    /// A server that waits for a ClientHello.
    pub fn new(policy: Arc<OldServerPolicy>) -> OldServer {
        OldServer { policy, input: Vec::new(), messages: Vec::new(), phase: Phase::ClientHello }
    }

    /// Takes what the client sent, in pieces of any size.
    pub fn receive(&mut self, bytes: &[u8]) -> OldServerReply {
        if matches!(self.phase, Phase::Done) {
            return OldServerReply::default();
        }
        self.input.extend_from_slice(bytes);
        match self.advance() {
            Ok(Some(send)) => OldServerReply { send, close: false },
            Ok(None) => OldServerReply { send: Vec::new(), close: true },
            Err(description) => {
                let content = [AlertLevel::FATAL.0, description.0];
                OldServerReply { send: plain_record(ContentType::ALERT, self.policy.version, &content), close: true }
            }
        }
    }

    /// What to send; `None` where the client has ended it.
    fn advance(&mut self) -> Result<Option<Vec<u8>>, AlertDescription> {
        if self.input.len() > LONGEST_INPUT {
            return Err(AlertDescription::RECORD_OVERFLOW);
        }
        if matches!(self.phase, Phase::ClientHello) {
            return match from_records(&self.input) {
                Ok((_, hello)) => self.client_hello(&hello).map(Some),
                Err(error) if matches!(error.kind, DecodeErrorKind::Truncated { .. }) => Ok(Some(Vec::new())),
                Err(_) => Err(AlertDescription::DECODE_ERROR),
            };
        }
        let mut send = Vec::new();
        while let Some((header, body)) = self.next_record()? {
            let content_type = ContentType(header[0]);
            if content_type == ContentType::ALERT {
                return Ok(None);
            }
            send.extend(self.record(content_type, header, &body)?);
        }
        Ok(Some(send))
    }

    fn next_record(&mut self) -> Result<Option<RawRecord>, AlertDescription> {
        let Some((&header, rest)) = self.input.split_first_chunk::<5>() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if length > LARGEST_RECORD {
            return Err(AlertDescription::RECORD_OVERFLOW);
        }
        let Some(body) = rest.get(..length).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.input.drain(..5 + length);
        Ok(Some((header, body)))
    }

    fn client_hello(&mut self, hello: &ClientHello) -> Turn {
        if hello.format != HelloFormat::Tls || *hello.legacy_version < self.policy.version {
            return Err(AlertDescription::PROTOCOL_VERSION);
        }
        let offer = hello.to_spec(*hello.legacy_version);
        let usable = |suite: &&CipherSuite| offer.cipher_suites.contains(suite) && self.can_use(**suite, &offer);
        let suite = self.policy.cipher_suites.iter().find(usable).and_then(|suite| suite.details());
        let suite = suite.ok_or(AlertDescription::HANDSHAKE_FAILURE)?;
        let server_random = random_bytes(32).and_then(|bytes| bytes.try_into().ok()).ok_or(AlertDescription::INTERNAL_ERROR)?;
        let secret = self.secret(suite).ok_or(AlertDescription::INTERNAL_ERROR)?;

        self.messages.clone_from(&hello.raw);
        let mut flight = vec![
            handshake_message(HandshakeType::SERVER_HELLO, &self.server_hello(suite.suite, server_random, &offer)),
            handshake_message(HandshakeType::CERTIFICATE, &certificate_list(&self.policy.certificates)),
        ];
        if let Some(parameters) = parameters(&self.policy.dh_prime, &secret) {
            let signed = [&hello.random[..], &server_random, &parameters].concat();
            let signature = self.sign(&signed).ok_or(AlertDescription::INTERNAL_ERROR)?;
            let scheme = SignatureScheme::RSA_PKCS1_SHA256.0.to_be_bytes();
            let body = [&parameters, &scheme[..], &with_length(&signature)].concat();
            flight.push(handshake_message(HandshakeType::SERVER_KEY_EXCHANGE, &body));
        }
        flight.push(handshake_message(HandshakeType::SERVER_HELLO_DONE, &[]));
        let flight = flight.concat();
        self.messages.extend_from_slice(&flight);
        self.input.clear();
        let chosen = Chosen { suite, offered: *hello.legacy_version, client_random: hello.random, server_random, secret };
        self.phase = Phase::KeyExchange(Box::new(chosen));
        Ok(plain_record(ContentType::HANDSHAKE, self.policy.version, &flight))
    }

    /// Whether this suite goes with its version and with what the client offers beside the suites.
    fn can_use(&self, suite: CipherSuite, offer: &HelloSpec) -> bool {
        let Some(row) = suite.details().filter(|row| row.usable_with(self.policy.version)) else {
            return false;
        };
        let signs = self.policy.version == ProtocolVersion::TLSV1_2
            && offer.signature_schemes().is_none_or(|schemes| schemes.contains(&SignatureScheme::RSA_PKCS1_SHA256));
        match row.key_exchange {
            KeyExchange::Rsa => true,
            KeyExchange::Dhe => signs,
            KeyExchange::Ecdhe => signs && (offer.groups().is_empty() || offer.groups().contains(&GROUP)),
            _ => false,
        }
    }

    fn secret(&self, suite: &SuiteDetails) -> Option<Secret> {
        match suite.key_exchange {
            KeyExchange::Rsa => Some(Secret::Rsa),
            KeyExchange::Dhe => {
                let prime = BigUint::from_bytes_be(&self.policy.dh_prime);
                FiniteField::new(prime, BigUint::from(2u8)).map(Secret::Dhe)
            }
            _ => KeyPair::generate(GROUP).map(Secret::Ecdhe),
        }
    }

    /// Without extensions, but for renegotiation_info where it is known and the client asks for it.
    fn server_hello(&self, suite: CipherSuite, random: [u8; 32], offer: &HelloSpec) -> Vec<u8> {
        let mut body = self.policy.version.0.to_be_bytes().to_vec();
        body.extend(random);
        body.push(0);
        body.extend(suite.0.to_be_bytes());
        body.push(0);
        if self.policy.secure_renegotiation && offer.offers_renegotiation_info() {
            let [high, low] = ExtensionType::RENEGOTIATION_INFO.0.to_be_bytes();
            body.extend([0, 5, high, low, 0, 1, 0]);
        }
        body
    }

    fn sign(&self, content: &[u8]) -> Option<Vec<u8>> {
        let key = PrivateKey::from_der(&self.policy.key)?;
        let (_, signature) = key.sign(ProtocolVersion::TLSV1_2, &[SignatureScheme::RSA_PKCS1_SHA256], content)?;
        Some(signature)
    }

    fn record(&mut self, content_type: ContentType, header: [u8; 5], body: &[u8]) -> Turn {
        match (&mut self.phase, content_type) {
            (Phase::KeyExchange(_), ContentType::HANDSHAKE) => self.client_key_exchange(body),
            (Phase::Finished(finishing), ContentType::CHANGE_CIPHER_SPEC) => {
                finishing.changed = true;
                Ok(Vec::new())
            }
            (Phase::Finished(finishing), ContentType::HANDSHAKE) if finishing.changed => {
                let opened = finishing.reading.open(header, body);
                let (_, message) = opened.ok_or(AlertDescription::BAD_RECORD_MAC)?;
                self.client_finished(&message)
            }
            (Phase::Done, _) => Ok(Vec::new()),
            _ => Err(AlertDescription::UNEXPECTED_MESSAGE),
        }
    }

    fn client_key_exchange(&mut self, message: &[u8]) -> Turn {
        let Phase::KeyExchange(chosen) = std::mem::replace(&mut self.phase, Phase::Done) else {
            return Err(AlertDescription::INTERNAL_ERROR);
        };
        let Chosen { suite, offered, client_random, server_random, secret } = *chosen;
        let version = self.policy.version;
        let body = match message.split_first_chunk::<4>() {
            Some((header, body)) if header[0] == HandshakeType::CLIENT_KEY_EXCHANGE.0 => body,
            _ => return Err(AlertDescription::UNEXPECTED_MESSAGE),
        };
        let premaster = match secret {
            Secret::Rsa => body
                .get(2..)
                .and_then(|sealed| self.decrypt(sealed))
                .filter(|secret| secret.len() == MASTER_LENGTH && secret.starts_with(&offered.0.to_be_bytes())),
            // RFC 5246 §8.1.2: without leading zeros.
            Secret::Dhe(field) => body.get(2..).and_then(|public| field.agree(public)).map(|secret| {
                let zeros = secret.iter().take_while(|byte| **byte == 0).count();
                secret.into_iter().skip(zeros).collect()
            }),
            Secret::Ecdhe(key) => body.get(1..).and_then(|point| key.agree(point)),
        };
        let premaster = premaster.ok_or(AlertDescription::DECRYPT_ERROR)?;
        let prf = Prf::new(version, suite.hash).ok_or(AlertDescription::INTERNAL_ERROR)?;
        let lengths = KeyLengths::new(suite, version).ok_or(AlertDescription::INTERNAL_ERROR)?;
        self.messages.extend_from_slice(message);
        let master = prf.derive(&premaster, "master secret", &[client_random, server_random].concat(), MASTER_LENGTH);
        let keys = key_block(prf, &master, [server_random, client_random].concat(), lengths, |keys| {
            Protection::of_keys(suite, version, false, keys)
        });
        let (Some(reading), Some(writing)) = keys else {
            return Err(AlertDescription::INTERNAL_ERROR);
        };
        self.phase = Phase::Finished(Box::new(Finishing { prf, master, reading, writing, changed: false }));
        Ok(Vec::new())
    }

    fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let key = Pkcs1PrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(&self.policy.key).ok()?).ok()?;
        let mut opened = vec![0; key.min_output_size()];
        key.decrypt(sealed, &mut opened).ok().map(|secret| secret.to_vec())
    }

    fn client_finished(&mut self, message: &[u8]) -> Turn {
        let Phase::Finished(finishing) = std::mem::replace(&mut self.phase, Phase::Done) else {
            return Err(AlertDescription::INTERNAL_ERROR);
        };
        let Finishing { prf, master, mut writing, .. } = *finishing;
        let verify = |messages: &[u8], label| {
            handshake_message(HandshakeType::FINISHED, &prf.derive(&master, label, &prf.hash(messages), VERIFY_LENGTH))
        };
        if message != verify(&self.messages, "client finished") {
            return Err(AlertDescription::DECRYPT_ERROR);
        }
        self.messages.extend_from_slice(message);
        let finished = writing.seal(ContentType::HANDSHAKE, &verify(&self.messages, "server finished"));
        let finished = finished.ok_or(AlertDescription::INTERNAL_ERROR)?;
        Ok([plain_record(ContentType::CHANGE_CIPHER_SPEC, self.policy.version, &[1]), finished].concat())
    }
}

/// The parameters of ServerKeyExchange; `None` where none is sent.
fn parameters(prime: &[u8], secret: &Secret) -> Option<Vec<u8>> {
    match secret {
        Secret::Rsa => None,
        Secret::Dhe(field) => Some([with_length(prime), with_length(&[2]), with_length(&field.public())].concat()),
        Secret::Ecdhe(key) => {
            const NAMED_CURVE: u8 = 3;
            let [high, low] = key.group.0.to_be_bytes();
            Some([&[NAMED_CURVE, high, low, key.public.len() as u8], &key.public[..]].concat())
        }
    }
}

/// Bytes after their length in two bytes.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn certificate_list(certificates: &[Vec<u8>]) -> Vec<u8> {
    let with_length = |bytes: &[u8]| {
        let [_, a, b, c] = (bytes.len() as u32).to_be_bytes();
        [&[a, b, c], bytes].concat()
    };
    with_length(&certificates.iter().flat_map(|certificate| with_length(certificate)).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{Handshake, Step};
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
    use aws_lc_rs::signature::KeyPair as _;
    use tlswhy_model::{Awaited, Depth, Ending};
    use tlswhy_wire::ExtensionSpec;

    /// An RSA public key as the one field of a certificate that the key exchange looks at.
    fn certificate(key: &RsaKeyPair) -> Vec<u8> {
        fn element(tag: u8, content: &[u8]) -> Vec<u8> {
            let length = (content.len() as u16).to_be_bytes();
            [&[tag, 0x82], &length[..], content].concat()
        }
        let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let before = [0u8; 5].map(|_| element(0x30, b"")).concat();
        element(0x30, &element(0x30, &[before, public.as_ref().to_vec()].concat()))
    }

    fn policy(version: ProtocolVersion, suite: CipherSuite) -> OldServerPolicy {
        let key = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
        OldServerPolicy {
            version,
            cipher_suites: vec![suite],
            // 2^521 - 1, a prime.
            dh_prime: [&[1][..], &[0xff; 65]].concat(),
            secure_renegotiation: true,
            certificates: vec![certificate(&key)],
            key: pkcs8.as_ref().to_vec(),
        }
    }

    fn hello(suite: CipherSuite) -> HelloSpec {
        HelloSpec {
            cipher_suites: vec![suite, CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV],
            extensions: Some(vec![ExtensionSpec::SupportedGroups(vec![GROUP])]),
            ..HelloSpec::default()
        }
    }

    /// Lets the two talk, the server fed in pieces of `piece` bytes.
    fn talk(policy: OldServerPolicy, hello: HelloSpec, piece: usize) -> Ending {
        let (mut client, flight) = Handshake::new(hello, Depth::Finish).unwrap();
        let mut server = OldServer::new(Arc::new(policy));
        let (mut to_server, mut to_client) = (flight.bytes, Vec::new());
        loop {
            let mut closed = false;
            for bytes in to_server.chunks(piece) {
                let reply = server.receive(bytes);
                to_client.extend(reply.send);
                closed |= reply.close;
            }
            to_server = match client.step(&to_client) {
                Step::Send(flight) => flight.bytes,
                Step::Ended(ending) => return ending,
                Step::Wait if client.awaited() == Awaited::AfterFinished => return Ending::Completed,
                Step::Wait if closed => return Ending::Closed { awaited: client.awaited() },
                Step::Wait | Step::NotTls => return Ending::TimedOut { awaited: client.awaited(), waited_ms: 0 },
            };
        }
    }

    #[test]
    fn every_kind_of_key_exchange_comes_to_its_end() {
        for (version, suite) in [
            (ProtocolVersion::TLSV1_0, CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA),
            (ProtocolVersion::TLSV1_1, CipherSuite::TLS_RSA_WITH_3DES_EDE_CBC_SHA),
            (ProtocolVersion::TLSV1_2, CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256),
            (ProtocolVersion::TLSV1_2, CipherSuite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA),
            (ProtocolVersion::TLSV1_2, CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA),
        ] {
            for piece in [1, 1000, usize::MAX] {
                assert_eq!(talk(policy(version, suite), hello(suite), piece), Ending::Completed, "{version} {suite} {piece}");
            }
        }
    }

    #[test]
    fn what_is_not_shared_is_refused_with_an_alert() {
        let refusal = |policy: OldServerPolicy, hello| match talk(policy, hello, 7) {
            Ending::Alert { description, .. } => description,
            other => panic!("{other:?}"),
        };
        let rsa = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
        let dhe = CipherSuite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA;
        let old = HelloSpec { legacy_version: ProtocolVersion::TLSV1_1, ..hello(rsa) };
        assert_eq!(refusal(policy(ProtocolVersion::TLSV1_2, rsa), old), AlertDescription::PROTOCOL_VERSION);
        assert_eq!(refusal(policy(ProtocolVersion::TLSV1_2, rsa), hello(dhe)), AlertDescription::HANDSHAKE_FAILURE);
        // A signature of TLS 1.1 is one that it does not make.
        assert_eq!(refusal(policy(ProtocolVersion::TLSV1_1, dhe), hello(dhe)), AlertDescription::HANDSHAKE_FAILURE);
    }

    #[test]
    fn nonsense_is_refused() {
        let policy = Arc::new(policy(ProtocolVersion::TLSV1_2, CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA));
        for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 0, 4, 2, 0, 0, 0]] {
            assert!(OldServer::new(Arc::clone(&policy)).receive(nonsense).close, "{nonsense:?}");
        }
        assert_eq!(OldServer::new(policy).receive(&[0x16, 3]), OldServerReply::default());
    }
}
