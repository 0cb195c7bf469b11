//! Record protection: AEAD, CBC with HMAC (both orders), and HMAC alone, for TLS 1.0 to 1.3.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use tlswhy_wire::{CipherMode, ContentType, Encryption, ProtocolVersion, SuiteDetails};

use super::block::BlockCipher;
use super::hash::Digest;
use super::random_bytes;

/// Protection of the records of one direction.
pub(crate) struct Protection {
    cipher: Cipher,
    version: ProtocolVersion,
    sequence: u64,
}

enum Cipher {
    Aead { key: LessSafeKey, iv: Vec<u8>, explicit_nonce: bool },
    Hmac { digest: Digest, mac_key: Vec<u8>, block: Option<Block>, encrypt_then_mac: bool },
}

struct Block {
    cipher: BlockCipher,
    /// TLS 1.0: the last block of the record before; later versions send an IV with each record.
    chained_iv: Option<Vec<u8>>,
}

/// How many bytes of the key block each direction needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyLengths {
    pub(crate) mac: usize,
    pub(crate) key: usize,
    pub(crate) iv: usize,
}

impl KeyLengths {
    /// Those of a suite in a version below TLS 1.3; `None` for ciphers that are not computed here.
    pub(crate) fn new(suite: &SuiteDetails, version: ProtocolVersion) -> Option<KeyLengths> {
        if suite.is_aead() {
            let iv = if suite.encryption == Encryption::Chacha20Poly1305 { 12 } else { 4 };
            return Some(KeyLengths { mac: 0, key: aead(suite)?.key_len(), iv });
        }
        let mac = Digest::of_mac(suite.mac)?.length();
        if suite.encryption == Encryption::Null {
            return Some(KeyLengths { mac, key: 0, iv: 0 });
        }
        let (key, block) = BlockCipher::lengths(suite)?;
        Some(KeyLengths { mac, key, iv: if version < ProtocolVersion::TLSV1_1 { block } else { 0 } })
    }
}

fn aead(suite: &SuiteDetails) -> Option<&'static aws_lc_rs::aead::Algorithm> {
    match (suite.encryption, suite.mode, suite.key_bits) {
        (Encryption::Aes, CipherMode::Gcm, 128) => Some(&AES_128_GCM),
        (Encryption::Aes, CipherMode::Gcm, 256) => Some(&AES_256_GCM),
        (Encryption::Chacha20Poly1305, ..) => Some(&CHACHA20_POLY1305),
        _ => None,
    }
}

impl Protection {
    /// From a traffic secret of TLS 1.3 (RFC 8446 §7.3); `None` for ciphers that are not computed here.
    pub(crate) fn of_secret(suite: &SuiteDetails, digest: Digest, secret: &[u8]) -> Option<Protection> {
        let algorithm = aead(suite)?;
        let key = digest.expand_label(secret, "key", b"", algorithm.key_len());
        let iv = digest.expand_label(secret, "iv", b"", 12);
        let key = LessSafeKey::new(UnboundKey::new(algorithm, &key).ok()?);
        let cipher = Cipher::Aead { key, iv, explicit_nonce: false };
        Some(Protection { cipher, version: ProtocolVersion::TLSV1_3, sequence: 0 })
    }

    /// From one direction's part of the key block of a version below TLS 1.3.
    pub(crate) fn of_keys(
        suite: &SuiteDetails,
        version: ProtocolVersion,
        encrypt_then_mac: bool,
        (mac_key, key, iv): (&[u8], &[u8], &[u8]),
    ) -> Option<Protection> {
        let cipher = if suite.is_aead() {
            let explicit_nonce = suite.encryption != Encryption::Chacha20Poly1305;
            let key = LessSafeKey::new(UnboundKey::new(aead(suite)?, key).ok()?);
            Cipher::Aead { key, iv: iv.to_vec(), explicit_nonce }
        } else {
            let chained_iv = (version < ProtocolVersion::TLSV1_1).then(|| iv.to_vec());
            let block = match suite.encryption {
                Encryption::Null => None,
                _ => Some(Block { cipher: BlockCipher::new(suite, key)?, chained_iv }),
            };
            let digest = Digest::of_mac(suite.mac)?;
            let encrypt_then_mac = encrypt_then_mac && block.is_some();
            Cipher::Hmac { digest, mac_key: mac_key.to_vec(), block, encrypt_then_mac }
        };
        Some(Protection { cipher, version, sequence: 0 })
    }

    /// A whole record with this content, at most 16384 bytes of it.
    pub(crate) fn seal(&mut self, content_type: ContentType, content: &[u8]) -> Option<Vec<u8>> {
        let modern = self.version >= ProtocolVersion::TLSV1_3;
        let (outer, version) = match modern {
            true => (ContentType::APPLICATION_DATA, ProtocolVersion::TLSV1_2),
            false => (content_type, self.version),
        };
        let header = |length: usize| {
            let [v1, v2] = version.0.to_be_bytes();
            let [l1, l2] = (length as u16).to_be_bytes();
            [outer.0, v1, v2, l1, l2]
        };
        let sequence = self.sequence;
        let body = match &mut self.cipher {
            Cipher::Aead { key, iv, explicit_nonce } => {
                let mut sealed = content.to_vec();
                if modern {
                    sealed.push(content_type.0);
                }
                let explicit = if *explicit_nonce { sequence.to_be_bytes().to_vec() } else { Vec::new() };
                let nonce = nonce(iv, &explicit, sequence)?;
                let additional = match modern {
                    true => header(sealed.len() + key.algorithm().tag_len()).to_vec(),
                    false => [&sequence.to_be_bytes()[..], &header(content.len())].concat(),
                };
                key.seal_in_place_append_tag(nonce, Aad::from(additional), &mut sealed).ok()?;
                [explicit, sealed].concat()
            }
            Cipher::Hmac { digest, mac_key, block, encrypt_then_mac } => {
                let mac = |bytes: &[u8]| digest.hmac(mac_key, &[&sequence.to_be_bytes(), &header(bytes.len()), bytes]);
                if *encrypt_then_mac {
                    let mut body = block.as_mut()?.encrypt(content.to_vec())?;
                    body.extend(mac(&body));
                    body
                } else {
                    let body = [content, &mac(content)].concat();
                    match block {
                        Some(block) => block.encrypt(body)?,
                        None => body,
                    }
                }
            }
        };
        self.sequence += 1;
        Some([&header(body.len())[..], &body].concat())
    }

    /// The content of a record; `None` if it was not protected with these keys.
    pub(crate) fn open(&mut self, header: [u8; 5], body: &[u8]) -> Option<(ContentType, Vec<u8>)> {
        let [outer, v1, v2, ..] = header;
        let sequence = self.sequence;
        let header = |length: usize| {
            let [l1, l2] = (length as u16).to_be_bytes();
            [outer, v1, v2, l1, l2]
        };
        let mut content_type = ContentType(outer);
        let content = match &mut self.cipher {
            Cipher::Aead { key, iv, explicit_nonce } => {
                let (explicit, sealed) = body.split_at_checked(if *explicit_nonce { 8 } else { 0 })?;
                let nonce = nonce(iv, explicit, sequence)?;
                let length = sealed.len().checked_sub(key.algorithm().tag_len())?;
                let modern = self.version >= ProtocolVersion::TLSV1_3;
                let additional = match modern {
                    true => header(sealed.len()).to_vec(),
                    false => [&sequence.to_be_bytes()[..], &header(length)].concat(),
                };
                let mut opened = sealed.to_vec();
                let length = key.open_in_place(nonce, Aad::from(additional), &mut opened).ok()?.len();
                opened.truncate(length);
                if modern {
                    // TLSInnerPlaintext: content, its type, zeros (RFC 8446 §5.2).
                    let at = opened.iter().rposition(|byte| *byte != 0)?;
                    content_type = ContentType(*opened.get(at)?);
                    opened.truncate(at);
                }
                opened
            }
            Cipher::Hmac { digest, mac_key, block, encrypt_then_mac } => {
                let mac = |bytes: &[u8]| digest.hmac(mac_key, &[&sequence.to_be_bytes(), &header(bytes.len()), bytes]);
                let split = |bytes: &[u8]| {
                    let (content, tag) = bytes.split_at_checked(bytes.len().checked_sub(digest.length())?)?;
                    (mac(content) == tag).then(|| content.to_vec())
                };
                match block {
                    None => split(body)?,
                    Some(block) if *encrypt_then_mac => block.decrypt(split(body)?)?,
                    Some(block) => split(&block.decrypt(body.to_vec())?)?,
                }
            }
        };
        self.sequence += 1;
        Some((content_type, content))
    }
}

/// RFC 5288 §3: salt and explicit part; RFC 7905 §2 and RFC 8446 §5.3: the IV xor the sequence number.
fn nonce(iv: &[u8], explicit: &[u8], sequence: u64) -> Option<Nonce> {
    let mut nonce: [u8; 12] = [iv, explicit].concat().try_into().ok()?;
    if explicit.is_empty() {
        nonce.iter_mut().rev().zip(sequence.to_le_bytes()).for_each(|(byte, counter)| *byte ^= counter);
    }
    Some(Nonce::assume_unique_for_key(nonce))
}

impl Block {
    fn encrypt(&mut self, mut content: Vec<u8>) -> Option<Vec<u8>> {
        let size = self.cipher.block_length();
        let padding = size - 1 - content.len() % size;
        content.extend(std::iter::repeat_n(padding as u8, padding + 1));
        match &mut self.chained_iv {
            Some(iv) => {
                self.cipher.encrypt(iv, &mut content)?;
                *iv = content.get(content.len() - size..)?.to_vec();
                Some(content)
            }
            None => {
                let iv = random_bytes(size)?;
                self.cipher.encrypt(&iv, &mut content)?;
                Some([iv, content].concat())
            }
        }
    }

    /// Without the padding; whether that is right is told only by its last byte, the MAC tells the rest.
    fn decrypt(&mut self, body: Vec<u8>) -> Option<Vec<u8>> {
        let size = self.cipher.block_length();
        let (iv, mut content) = match &mut self.chained_iv {
            Some(iv) => {
                let next = body.get(body.len().checked_sub(size)?..)?.to_vec();
                (std::mem::replace(iv, next), body)
            }
            None => {
                let (iv, content) = body.split_at_checked(size)?;
                (iv.to_vec(), content.to_vec())
            }
        };
        self.cipher.decrypt(&iv, &mut content)?;
        let padding = usize::from(*content.last()?);
        content.truncate(content.len().checked_sub(padding + 1)?);
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlswhy_wire::CipherSuite;

    #[test]
    fn what_was_sealed_opens_and_what_was_changed_does_not() {
        let suites = [
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            CipherSuite::TLS_RSA_WITH_AES_256_CBC_SHA,
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
            CipherSuite::TLS_RSA_WITH_3DES_EDE_CBC_SHA,
            CipherSuite::TLS_RSA_WITH_NULL_SHA,
        ];
        for suite in suites.map(|suite| suite.details().unwrap()) {
            for version in [ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2] {
                for encrypt_then_mac in [false, true] {
                    let lengths = KeyLengths::new(suite, version).unwrap();
                    let bytes: Vec<u8> = (0..100).collect();
                    let keys = (&bytes[..lengths.mac], &bytes[..lengths.key], &bytes[..lengths.iv]);
                    let end = || Protection::of_keys(suite, version, encrypt_then_mac, keys).unwrap();
                    let (mut ours, mut theirs) = (end(), end());
                    for content in [&b""[..], b"hello", &[7; 64]] {
                        let record = ours.seal(ContentType::HANDSHAKE, content).unwrap();
                        let (header, body) = record.split_first_chunk::<5>().unwrap();
                        let opened = theirs.open(*header, body);
                        assert_eq!(opened, Some((ContentType::HANDSHAKE, content.to_vec())), "{} {version}", suite.name);
                        assert_eq!(theirs.open(*header, body), None, "a record opens once");
                    }
                    assert_eq!(theirs.open([22, 3, 3, 0, 0], b""), None);
                }
            }
        }
    }
}
