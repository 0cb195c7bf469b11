//! What answers a CertificateRequest: the client's Certificate and its proof, CertificateVerify. Without an identity, or with a key
//! that no scheme of the server fits, the Certificate is empty (RFC 5246 §7.4.6, RFC 8446 §4.4.2). A request after the handshake
//! (RFC 8446 §4.6.2) is not answered.

use tlswhy_wire::{CertificateRequest, HandshakeType, ProtocolVersion, Reader, SignatureScheme};

use super::handshake_message;
use super::hash::Digest;
use crate::identity::ClientIdentity;

/// What the server asked for.
pub(super) struct Requested {
    /// `certificate_request_context` of TLS 1.3.
    context: Vec<u8>,
    schemes: Vec<SignatureScheme>,
}

impl Requested {
    /// From the message without its header. What cannot be read is not signed for.
    pub(super) fn read(body: &[u8], version: ProtocolVersion) -> Requested {
        match CertificateRequest::parse(Reader::new(body, 0), version) {
            Ok(request) => Requested { context: request.context, schemes: request.signature_schemes },
            Err(_) => Requested { context: Vec::new(), schemes: Vec::new() },
        }
    }

    /// Certificate and, unless it is empty, CertificateVerify of TLS 1.3. `messages` are those before.
    pub(super) fn answer(&self, identity: Option<&ClientIdentity>, digest: Digest, messages: &[u8]) -> Vec<Vec<u8>> {
        const VERSION: ProtocolVersion = ProtocolVersion::TLSV1_3;
        let certificate = |certificates: &[Vec<u8>]| {
            // No entry has extensions.
            let list = certificates.iter().flat_map(|der| [&with_length24(der)[..], &[0, 0]].concat()).collect::<Vec<u8>>();
            let body = [&[self.context.len() as u8], &self.context[..], &with_length24(&list)].concat();
            handshake_message(HandshakeType::CERTIFICATE, &body)
        };
        let proven = identity.and_then(|identity| {
            let certificate = certificate(identity.certificates());
            let hash = digest.of(&[messages, &certificate].concat());
            let signed = [&[b' '; 64][..], b"TLS 1.3, client CertificateVerify\0", &hash].concat();
            Some(vec![certificate, verify(&identity.sign(VERSION, &self.schemes, &signed)?)])
        });
        proven.unwrap_or_else(|| vec![certificate(&[])])
    }

    /// Certificate and, unless it is empty, CertificateVerify of TLS 1.2 and below. `messages` are those before, and `key_exchange`
    /// goes between the two.
    pub(super) fn answer_legacy(
        &self,
        identity: Option<&ClientIdentity>,
        version: ProtocolVersion,
        messages: &[u8],
        key_exchange: &[u8],
    ) -> (Vec<u8>, Option<Vec<u8>>) {
        let certificate = |certificates: &[Vec<u8>]| {
            let list = certificates.iter().flat_map(|der| with_length24(der)).collect::<Vec<u8>>();
            handshake_message(HandshakeType::CERTIFICATE, &with_length24(&list))
        };
        let proven = identity.and_then(|identity| {
            let certificate = certificate(identity.certificates());
            let signed = [messages, &certificate, key_exchange].concat();
            let verify = if version >= ProtocolVersion::TLSV1_2 {
                verify(&identity.sign(version, &self.schemes, &signed)?)
            } else {
                handshake_message(HandshakeType::CERTIFICATE_VERIFY, &with_length16(&identity.sign_without_scheme(&signed)?))
            };
            Some((certificate, Some(verify)))
        });
        proven.unwrap_or_else(|| (certificate(&[]), None))
    }
}

/// CertificateVerify since TLS 1.2.
fn verify((scheme, signature): &(SignatureScheme, Vec<u8>)) -> Vec<u8> {
    let body = [&scheme.0.to_be_bytes()[..], &with_length16(signature)].concat();
    handshake_message(HandshakeType::CERTIFICATE_VERIFY, &body)
}

fn with_length16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

fn with_length24(bytes: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = (bytes.len() as u32).to_be_bytes();
    [&[a, b, c], bytes].concat()
}
