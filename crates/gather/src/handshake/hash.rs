//! Digests, HMAC, and the functions that make keys out of secrets: the PRF of TLS 1.0 to 1.2 and the HKDF of TLS 1.3.

use ::hmac::digest::{KeyInit, Mac as _};
use aws_lc_rs::{digest, hmac};
use md5::Digest as _;
use tlswhy_wire::{Hash, Mac, ProtocolVersion};

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// The hash of a suite of TLS 1.2 or 1.3; `None` where we do not compute it.
    pub(crate) fn of_suite(hash: Hash) -> Option<Digest> {
        match hash {
            Hash::Sha256 => Some(Digest::Sha256),
            Hash::Sha384 => Some(Digest::Sha384),
            _ => None,
        }
    }

    /// The hash of a suite's record MAC; `None` where it has none or one that we do not compute.
    pub(crate) fn of_mac(mac: Mac) -> Option<Digest> {
        match mac {
            Mac::Md5 => Some(Digest::Md5),
            Mac::Sha1 => Some(Digest::Sha1),
            Mac::Sha256 => Some(Digest::Sha256),
            Mac::Sha384 => Some(Digest::Sha384),
            _ => None,
        }
    }

    /// Length of the result in bytes.
    pub(crate) fn length(self) -> usize {
        match self {
            Digest::Md5 => 16,
            Digest::Sha1 => 20,
            Digest::Sha256 => 32,
            Digest::Sha384 => 48,
            Digest::Sha512 => 64,
        }
    }

    /// The digest of `bytes`.
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Digest::Md5 => return md5::Md5::digest(bytes).to_vec(),
            Digest::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Digest::Sha256 => &digest::SHA256,
            Digest::Sha384 => &digest::SHA384,
            Digest::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }

    /// HMAC (RFC 2104) over the parts, one after the other.
    pub(crate) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let algorithm = match self {
            Digest::Md5 => return hmac_with_md5(key, parts),
            Digest::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Digest::Sha256 => hmac::HMAC_SHA256,
            Digest::Sha384 => hmac::HMAC_SHA384,
            Digest::Sha512 => hmac::HMAC_SHA512,
        };
        let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
        parts.iter().for_each(|part| context.update(part));
        context.sign().as_ref().to_vec()
    }

    /// HKDF-Expand-Label (RFC 8446 §7.1).
    pub(crate) fn expand_label(self, secret: &[u8], label: &str, context: &[u8], length: usize) -> Vec<u8> {
        let mut info = (length as u16).to_be_bytes().to_vec();
        info.push((label.len() + 6) as u8);
        info.extend_from_slice(b"tls13 ");
        info.extend_from_slice(label.as_bytes());
        info.push(context.len() as u8);
        info.extend_from_slice(context);
        let (mut output, mut block, mut counter) = (Vec::new(), Vec::new(), 1u8);
        while output.len() < length {
            block = self.hmac(secret, &[&block, &info, &[counter]]);
            output.extend_from_slice(&block);
            counter += 1;
        }
        output.truncate(length);
        output
    }
}

fn hmac_with_md5(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // A key of any length is taken, so the empty result cannot come.
    let Ok(mut mac) = <::hmac::Hmac<md5::Md5> as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// What makes keys and checksums in one connection of TLS 1.0 to 1.2.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prf {
    /// TLS 1.0 and 1.1 (RFC 2246 §5): MD5 and SHA-1, each over half of the secret.
    Both,
    /// TLS 1.2 (RFC 5246 §5).
    One(Digest),
}

impl Prf {
    /// The PRF of a version below TLS 1.3 and a suite's hash.
    pub(crate) fn new(version: ProtocolVersion, hash: Hash) -> Option<Prf> {
        if version < ProtocolVersion::TLSV1_2 { Some(Prf::Both) } else { Digest::of_suite(hash).map(Prf::One) }
    }

    /// `length` bytes out of the secret, the label and the seed.
    pub(crate) fn derive(self, secret: &[u8], label: &str, seed: &[u8], length: usize) -> Vec<u8> {
        let seed = [label.as_bytes(), seed].concat();
        match self {
            Prf::One(digest) => expand(digest, secret, &seed, length),
            Prf::Both => {
                let half = secret.len().div_ceil(2);
                let first = secret.get(..half).unwrap_or_default();
                let second = secret.get(secret.len() - half..).unwrap_or_default();
                let mut output = expand(Digest::Md5, first, &seed, length);
                let other = expand(Digest::Sha1, second, &seed, length);
                output.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
                output
            }
        }
    }

    /// The hash over the handshake messages.
    pub(crate) fn hash(self, messages: &[u8]) -> Vec<u8> {
        match self {
            Prf::One(digest) => digest.of(messages),
            Prf::Both => [Digest::Md5.of(messages), Digest::Sha1.of(messages)].concat(),
        }
    }
}

/// `P_hash` (RFC 5246 §5).
fn expand(digest: Digest, secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let (mut output, mut a) = (Vec::new(), seed.to_vec());
    while output.len() < length {
        a = digest.hmac(secret, &[&a]);
        output.extend(digest.hmac(secret, &[&a, seed]));
    }
    output.truncate(length);
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        tlswhy_model::Bytes(bytes.to_vec()).to_hex()
    }

    #[test]
    fn hmac_with_md5_is_that_of_rfc_2202() {
        assert_eq!(
            hex(&Digest::Md5.hmac(b"Jefe", &[b"what do ya ", b"want for nothing?"])),
            "750c783e6ab0b503eaa86e310a5db738"
        );
    }

    #[test]
    fn expand_label_is_that_of_rfc_8448() {
        // RFC 8448 §3: the "derived" secret from the early secret without a PSK.
        let early = Digest::Sha256.hmac(&[0; 32], &[&[0; 32]]);
        let derived = Digest::Sha256.expand_label(&early, "derived", &Digest::Sha256.of(b""), 32);
        assert_eq!(hex(&derived), "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
    }
}
