//! Whether the server proved in the handshake that it has the key of its certificate.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, digest};
use tlswhy_model::Attempt;
use tlswhy_wire::{CipherSuite, ContentType, ProtocolVersion, SignatureScheme, Transcript};

use super::signature::{self, Verdict};
use super::{Certificate, KeyKind};

/// Most bytes of a direction that are looked at.
const MOST: usize = 1 << 20;

/// What the server's signature in the handshake says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The certificate's key made it.
    Holds,
    /// It does not fit the certificate's key.
    Broken,
    /// The key exchange has none, or the handshake did not come as far.
    NotShown,
    /// It is there and cannot be checked; why, in words.
    CannotTell(String),
}

/// Checks the signature of ServerKeyExchange (RFC 5246 §7.4.3) or CertificateVerify (RFC 8446 §4.4.3) against the certificate sent.
/// `plain` and `decrypted` are the attempt's bytes, read.
pub fn proof(attempt: &Attempt, plain: &Transcript, decrypted: Option<&Transcript>) -> Proof {
    let Some(hello) = plain.server_hello() else { return Proof::NotShown };
    let checked = if *hello.selected_version >= ProtocolVersion::TLSV1_3 {
        decrypted.and_then(|decrypted| certificate_verify(attempt, *hello.cipher_suite, decrypted))
    } else {
        server_key_exchange(attempt, plain)
    };
    checked.unwrap_or(Proof::NotShown)
}

/// TLS 1.2 and below; `None`: no signature is shown.
fn server_key_exchange(attempt: &Attempt, plain: &Transcript) -> Option<Proof> {
    let exchange = &plain.server_key_exchange()?.value;
    let leaf = plain.certificate()?.entries.first()?;
    if exchange.signature.is_empty() {
        return None;
    }
    // Type, length (3), legacy_version (2), then the random.
    let hello = messages(&attempt.sent).into_iter().next();
    let Some(client_random) = hello.as_deref().and_then(|hello| hello.get(6..38)) else {
        return Some(Proof::CannotTell("the ClientHello cannot be read".to_owned()));
    };
    let server_random = plain.server_hello()?.random;
    let message = [client_random, server_random.as_slice(), exchange.signed_params.as_slice()].concat();
    let scheme = match (&exchange.signature_scheme, KeyKind::of_der(leaf)) {
        (Some(scheme), _) => scheme.value,
        // Before TLS 1.2 the kind of key settles it (RFC 4492 §5.4).
        (None, Some(KeyKind::Ec { .. })) => SignatureScheme::ECDSA_SHA1,
        (None, _) => {
            return Some(Proof::CannotTell(
                "before TLS 1.2 RSA signs MD5 and SHA-1 together, which is not computed here".to_owned(),
            ));
        }
    };
    Some(verify(leaf, scheme, &message, &exchange.signature))
}

/// TLS 1.3; `None`: no signature is shown.
fn certificate_verify(attempt: &Attempt, suite: CipherSuite, decrypted: &Transcript) -> Option<Proof> {
    let shown = decrypted.certificate_verify()?;
    let leaf = decrypted.certificate()?.entries.first()?;
    let Some(hash) = transcript_hash(suite) else {
        return Some(Proof::CannotTell(format!("the digest of {suite} is not computed here")));
    };
    let Some(so_far) = attempt.decrypted.as_ref().and_then(|bytes| bytes.get(..shown.span.start)) else {
        return Some(Proof::CannotTell("the decrypted messages are not there".to_owned()));
    };
    let Some(transcript) = hellos(attempt, hash) else {
        return Some(Proof::CannotTell("the hellos cannot be read".to_owned()));
    };
    let transcript = digest(hash, &[transcript.as_slice(), so_far].concat());
    let message = [&[0x20; 64], b"TLS 1.3, server CertificateVerify\0".as_slice(), transcript.as_ref()].concat();
    Some(verify(leaf, shown.signature_scheme.value, &message, &shown.signature))
}

/// The hellos of both sides as the transcript hash of TLS 1.3 has them (RFC 8446 §4.4.1).
fn hellos(attempt: &Attempt, hash: &'static Algorithm) -> Option<Vec<u8>> {
    const MESSAGE_HASH: u8 = 254;
    let (client, server) = (messages(&attempt.sent), messages(&attempt.received));
    match (client.as_slice(), server.as_slice()) {
        ([first], [hello]) => Some([first.as_slice(), hello].concat()),
        ([first, second], [retry, hello]) => {
            let first = digest(hash, first);
            let header = [MESSAGE_HASH, 0, 0, u8::try_from(first.as_ref().len()).ok()?];
            Some([&header, first.as_ref(), retry, second, hello].concat())
        }
        _ => None,
    }
}

/// The handshake messages, with their headers, of the records up to the first that is encrypted or belongs to another protocol.
fn messages(bytes: &[u8]) -> Vec<Vec<u8>> {
    const HEADER: usize = 5;
    let mut stream = Vec::new();
    let mut rest = bytes.get(..bytes.len().min(MOST)).unwrap_or_default();
    while let Some((&[kind, _, _, high, low], after)) = rest.split_first_chunk::<HEADER>() {
        let Some(payload) = after.get(..usize::from(u16::from_be_bytes([high, low]))) else { break };
        match ContentType(kind) {
            ContentType::HANDSHAKE => stream.extend(payload),
            // In TLS 1.3 it means nothing (RFC 8446 §D.4); before, only the first message is asked for.
            ContentType::CHANGE_CIPHER_SPEC => {}
            _ => break,
        }
        rest = after.get(payload.len()..).unwrap_or_default();
    }
    let mut found = Vec::new();
    let mut rest = stream.as_slice();
    while let Some(&[_, high, middle, low]) = rest.first_chunk::<4>() {
        let length = u32::from_be_bytes([0, high, middle, low]) as usize + 4;
        let Some(message) = rest.get(..length) else { break };
        found.push(message.to_vec());
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// The digest of a suite of TLS 1.3 (RFC 8446 §B.4).
fn transcript_hash(suite: CipherSuite) -> Option<&'static Algorithm> {
    match suite.0 {
        0x1301 | 0x1303 | 0x1304 | 0x1305 => Some(&SHA256),
        0x1302 => Some(&SHA384),
        _ => None,
    }
}

fn verify(certificate: &[u8], scheme: SignatureScheme, message: &[u8], signature: &[u8]) -> Proof {
    let read = Certificate::read(certificate);
    match signature::verify_handshake(&read.spki, scheme, message, signature) {
        Verdict::Holds => Proof::Holds,
        Verdict::Broken => Proof::Broken,
        Verdict::CannotTell(why) => Proof::CannotTell(why),
    }
}
