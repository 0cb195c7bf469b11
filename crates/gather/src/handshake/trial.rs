//! What is sent beyond a handshake to see whether a server has a known weakness ([`Trial`]), up to TLS 1.2.

use tlswhy_model::{Ending, HEARTBEAT, LONG_HEARTBEAT, Trial};
use tlswhy_wire::{CipherSuite, ContentType, ExtensionSpec, ExtensionType, HandshakeType, KeyMaterial, ProtocolVersion};

use super::{Flight, Handshake, Phase, Turn, plain_record, random_bytes};

/// heartbeat_request and heartbeat_response (RFC 6520 §3).
const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;
/// The least padding behind it (RFC 6520 §4).
const PADDING: usize = 16;

impl Handshake {
    /// What to try once the server's flight, or the handshake, is there.
    pub(crate) fn attempt_beyond(&mut self, trial: Trial) {
        self.trial = Some(trial);
    }

    /// Begins what comes after the server's first flight; `None` if nothing does.
    pub(super) fn try_after_flight(&mut self, version: ProtocolVersion) -> Option<Flight> {
        self.trying = self.trial == Some(Trial::EarlyCipher);
        // A server that takes the first expects the second to be encrypted.
        let records = || plain_record(ContentType::CHANGE_CIPHER_SPEC, version, &[1]).repeat(2);
        self.trying.then(|| Flight::from(records()))
    }

    /// Begins what comes after the handshake, with our Finished as it was; `None` if nothing does.
    pub(super) fn try_after_finished(&mut self, verify_data: &[u8], version: ProtocolVersion) -> Turn {
        let contents = match self.trial {
            // Within one write, so that an answer to the second alone says that the first was passed over.
            Some(Trial::Heartbeat) => {
                let requests = [heartbeat(LONG_HEARTBEAT, 0), heartbeat(HEARTBEAT, PADDING)];
                requests.map(|request| (ContentType::HEARTBEAT, request)).to_vec()
            }
            Some(Trial::Renegotiation) => vec![(ContentType::HANDSHAKE, self.another_hello(verify_data, version)?)],
            Some(Trial::EarlyCipher) | None => return Ok(None),
        };
        let Some(writing) = &mut self.writing else { return Ok(None) };
        let records: Option<Vec<Vec<u8>>> = contents.iter().map(|(kind, content)| writing.seal(*kind, content)).collect();
        self.trying = records.is_some();
        Ok(records.map(|records| Flight::from(records.concat())))
    }

    /// Another hello, bound to this handshake (RFC 5746 §3.5) where the server knows of that.
    fn another_hello(&self, verify_data: &[u8], version: ProtocolVersion) -> Result<Vec<u8>, Ending> {
        let mut hello = self.hello.clone();
        hello.record_version = version;
        let is_bound = matches!(&self.phase, Phase::Legacy(legacy) if legacy.has_renegotiation_info());
        if let Some(length) = u8::try_from(verify_data.len()).ok().filter(|_| is_bound) {
            let body = [&[length], verify_data].concat();
            hello.cipher_suites.retain(|suite| *suite != CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
            hello = hello.with_extension(ExtensionSpec::Raw { extension_type: ExtensionType::RENEGOTIATION_INFO, body });
        }
        let impossible = |reason: String| Ending::Impossible { reason };
        let random = random_bytes(32).and_then(|bytes| bytes.try_into().ok());
        let random = random.ok_or_else(|| impossible("the system has no random numbers".to_owned()))?;
        let material = KeyMaterial { random, ..KeyMaterial::default() };
        Ok(hello.encode(&material).map_err(|error| impossible(error.to_string()))?.message)
    }

    /// A heartbeat came. Of an answer its kind, the length that it claims, and the bytes that it has behind that are noted; the bytes
    /// themselves are nobody's business.
    pub(super) fn take_heartbeat(&mut self, content: &[u8]) -> Turn {
        let is_tried = self.trying && self.trial == Some(Trial::Heartbeat);
        let &[RESPONSE, high, low, ref payload @ ..] = content else { return Ok(None) };
        if !is_tried {
            return Ok(None);
        }
        let [more, less] = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
        self.application.note(&[RESPONSE, high, low, more, less]);
        Err(Ending::Answered)
    }

    /// A message of the server after another hello was sent.
    pub(super) fn take_renegotiation(&mut self, kind: HandshakeType, message: &[u8]) -> Turn {
        if kind != HandshakeType::SERVER_HELLO {
            return Ok(None);
        }
        self.decrypted.extend_from_slice(message);
        Err(Ending::Answered)
    }
}

/// A heartbeat request that claims so many bytes, and has [`HEARTBEAT`].
fn heartbeat(claimed: u16, padding: usize) -> Vec<u8> {
    let [high, low] = claimed.to_be_bytes();
    [&[REQUEST, high, low][..], &vec![0x2a; usize::from(HEARTBEAT)], &vec![0; padding]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_claims_more_than_it_has() {
        let (long, right) = (heartbeat(LONG_HEARTBEAT, 0), heartbeat(HEARTBEAT, PADDING));
        assert_eq!((long.len(), &long[..3]), (19, &[1, 0, 32][..]));
        assert_eq!((right.len(), &right[..3]), (35, &[1, 0, 16][..]));
    }
}
